"""Which failed calls are made again, how often, and when that ends."""

from __future__ import annotations

import math
import time

import pytest

import neumo
from neumo import contract
from neumo._drive.driver import LONGEST_PAUSE_S, RATIO, RESERVE, WINDOW_S, Patience, Retries
from neumo._wire.calls import Metadata, Predict, Status
from neumo.model_status import ModelStatus, VersionState, VersionStatus
from neumo.release import phantom
from neumo.testing import FakeTransport, answering

TUNED, RESIDUAL = (member.name for member in contract.MEMBERS)
FILM = phantom.draw(1, 1)[0]
WORKING = answering({TUNED: 0.75, RESIDUAL: 0.25})
GONE = neumo.Unavailable(TUNED, "fake://", "connection reset")


def failing(times, error=GONE):
    """A server whose first ``times`` Predict calls end in ``error``."""
    left = [times]

    def answer(call):
        if isinstance(call, Predict) and left[0]:
            left[0] -= 1
            raise error
        return WORKING(call)

    return answer


def predictions_asked(transport):
    """How many Predict calls were made."""
    return sum(isinstance(call, Predict) for call in transport.asked)


def test_a_server_out_of_reach_is_asked_again():
    """A fault that passes within the retries is never seen."""
    transport = FakeTransport(failing(2))
    assert neumo.Client(transport=transport).predict(FILM).probability == 0.5
    assert predictions_asked(transport) == 2 + 2


def test_no_more_than_the_retries_allowed():
    """Then the fault itself is raised."""
    transport = FakeTransport(failing(1000))
    with pytest.raises(neumo.Unavailable, match="connection reset"):
        neumo.Client(transport=transport, retries=2).predict(FILM)
    assert predictions_asked(transport) == 2 * 3


def test_without_retries_the_first_fault_is_raised():
    """``retries=0`` is for those who retry themselves."""
    transport = FakeTransport(failing(1))
    with pytest.raises(neumo.Unavailable):
        neumo.Client(transport=transport, retries=0).predict(FILM)
    assert predictions_asked(transport) == 2


@pytest.mark.parametrize(
    "kind",
    [neumo.InvalidRequest, neumo.PermissionDenied, neumo.BadResponse, neumo.ServingError],
)
def test_faults_that_would_come_again_are_not_retried(kind):
    """Only being out of reach passes by itself."""
    transport = FakeTransport(failing(1, kind(TUNED, "fake://", "no")))
    with pytest.raises(kind):
        neumo.Client(transport=transport).predict(FILM)
    assert predictions_asked(transport) == 2


def test_a_version_between_two_is_asked_for_again():
    """NOT_FOUND while the status says LOADING is the middle of a swap."""
    status = ModelStatus(TUNED, (VersionStatus(2, VersionState.LOADING, ""),))
    missing = failing(1, neumo.ModelNotFound(TUNED, "fake://", "Servable not found"))

    def answer(call):
        return status if isinstance(call, Status) else missing(call)

    assert neumo.Client(transport=FakeTransport(answer)).predict(FILM).probability == 0.5


@pytest.mark.parametrize("state", [VersionState.UNLOADING, VersionState.END])
def test_a_version_that_will_not_come_is_not_waited_for(state):
    """What is retired or failed is said at once."""
    status = ModelStatus(TUNED, (VersionStatus(2, state, ""),))

    def answer(call):
        if isinstance(call, Status):
            return status
        if isinstance(call, Metadata):
            return WORKING(call)
        raise neumo.ModelNotFound(TUNED, "fake://", "Servable not found")

    transport = FakeTransport(answer)
    with pytest.raises(neumo.VersionUnavailable):
        neumo.Client(transport=transport).predict(FILM)
    assert predictions_asked(transport) == 2


def test_a_pause_beyond_the_deadline_is_not_made():
    """The fault is raised while there is time, not a deadline in its place."""
    with pytest.raises(neumo.Unavailable, match="connection reset"):
        neumo.Client(transport=FakeTransport(failing(1000)), timeout=0.5, retries=10).predict(FILM)


@pytest.mark.parametrize("retries", [1, 3])
def test_one_film_after_another_is_never_ended_by_the_budget(retries):
    """Where every call passes at its second try, every film is answered."""
    failed = set()

    def answer(call):
        if isinstance(call, Predict) and call.model not in failed:
            failed.add(call.model)
            raise GONE
        return WORKING(call)

    with neumo.Client(transport=FakeTransport(answer), retries=retries) as client:
        for _ in range(30):
            failed.clear()
            assert client.predict(FILM).probability == 0.5


def spent(retries):
    """How many further calls ``retries`` allows at once."""
    return sum(retries.spend() for _ in range(10 * RESERVE))


def test_a_server_in_trouble_is_not_asked_much_more_often():
    """The budget of a client ends the retries of all its calls together, until time has passed."""
    clock = [0.0]
    retries = Retries(1, clock=lambda: clock[0])
    assert spent(retries) == RESERVE
    with pytest.raises(neumo.Unavailable):
        retries.after(1, GONE)
    clock[0] = WINDOW_S
    retries.after(1, GONE)


def test_the_budget_grows_with_what_is_answered():
    """A tenth of it, as gRPC's proposal A6 has it, and of the 10 s before."""
    clock = [0.0]
    retries = Retries(1, clock=lambda: clock[0])
    for _ in range(10_000):
        retries.answered()
    assert spent(retries) == RESERVE + RATIO * 10_000
    clock[0] = WINDOW_S
    assert spent(retries) == RESERVE + RATIO * 10_000
    clock[0] = 3 * WINDOW_S
    assert spent(retries) == RESERVE


def test_what_a_server_asks_for_is_waited_for():
    """``Retry-After`` comes before the pause; one beyond the deadline ends the film at once."""
    busy = neumo.Unavailable(TUNED, "fake://", "busy", retry_after_seconds=0.3)
    began = time.monotonic()
    client = neumo.Client(transport=FakeTransport(failing(1, busy)))
    assert client.predict(FILM).probability == 0.5
    assert time.monotonic() - began >= 0.3
    for seconds in (60.0, math.inf):
        far = neumo.Unavailable(TUNED, "fake://", "busy", retry_after_seconds=seconds)
        with pytest.raises(neumo.Unavailable, match="busy"):
            neumo.Client(transport=FakeTransport(failing(1, far)), timeout=20).predict(FILM)


OUT_OF_REACH = neumo.Unavailable(TUNED, "fake://", "connection refused", is_out_of_reach=True)


def test_a_server_that_is_away_for_less_than_the_deadline_costs_no_film():
    """However many tries it takes, where it had answered before and none of them reached it."""
    down = [False]

    def answer(call):
        if down[0] and time.monotonic() < down[0]:
            raise OUT_OF_REACH
        return WORKING(call)

    client = neumo.Client(transport=FakeTransport(answer), timeout=20, retries=1)
    client.predict(FILM)
    down[0] = time.monotonic() + 1.5
    assert client.predict(FILM).probability == 0.5


def test_a_server_that_stays_away_is_said_after_the_retries():
    """So it is where nothing ever answered, and beyond the time that a film may take."""
    clock = [0.0]
    retries = Retries(1, 10.0, clock=lambda: clock[0])
    with pytest.raises(neumo.Unavailable):
        retries.while_away(2, OUT_OF_REACH)
    retries.answered()
    for tries in range(1, 30):
        assert retries.while_away(tries, OUT_OF_REACH).seconds <= LONGEST_PAUSE_S
    clock[0] = 10.0
    with pytest.raises(neumo.Unavailable):
        retries.while_away(2, OUT_OF_REACH)
    retries.answered()
    retries.while_away(2, OUT_OF_REACH)
    assert spent(retries) >= RESERVE - 1


def test_without_retries_a_server_that_is_away_is_said_at_once():
    """``retries=0`` holds here, too."""
    retries = Retries(0, 10.0)
    retries.answered()
    with pytest.raises(neumo.Unavailable):
        retries.while_away(1, OUT_OF_REACH)


def test_pauses_double_and_are_jittered():
    """0.1, 0.2, 0.4 … 2 s, each times a random share."""
    retries = Retries(10, chance=lambda: 1.0)
    found = [retries.after(tries, GONE).seconds for tries in range(1, 5)]
    assert found == [0.1, 0.2, 0.4, 0.8]
    assert Retries(10, chance=lambda: 1.0).after(9, GONE).seconds == LONGEST_PAUSE_S
    assert Retries(10, chance=lambda: 0.5).after(1, GONE).seconds == 0.05


@pytest.mark.parametrize("retries", [-1, 11, 1.5, True, None])
def test_a_number_of_retries_that_is_none_is_refused(retries):
    """One line names the limits."""
    with pytest.raises(neumo.ConfigError, match="from 0 to 10"):
        neumo.Client(transport=FakeTransport(WORKING), retries=retries)


def away(after, times):
    """A server that answers ``after`` Predict calls, is away for ``times`` more, and back."""
    asked = [0]

    def answer(call):
        if isinstance(call, Predict):
            asked[0] += 1
            if after < asked[0] <= after + times:
                raise GONE
        return WORKING(call)

    return answer


def test_a_stream_waits_for_a_server_that_was_there():
    """In a restart of the server no film of a folder is lost, however many tries it takes."""
    client = neumo.Client(transport=FakeTransport(away(20, 12)), timeout=30)
    found = list(client.predict_many([FILM] * 20, concurrency=1))
    assert [type(one) for one in found] == [neumo.Prediction] * 20


def test_a_stream_does_not_wait_for_a_server_that_never_was_there():
    """A wrong address is said after the usual retries."""
    transport = FakeTransport(failing(10_000))
    with neumo.Client(transport=transport, retries=1, timeout=600) as client:
        (failed,) = client.predict_many([FILM])
    assert isinstance(failed.error, neumo.Unavailable)
    assert predictions_asked(transport) == 2 * 2


def test_a_stream_waits_for_no_longer_than_a_film_may_take():
    """Then the usual retries hold, so that a server that is gone fails a folder quickly."""
    clock = [0.0]
    patience = Patience(Retries(1), 10.0, lambda: clock[0])
    patience.answered()
    for tries in range(1, 30):
        assert patience.after(tries, GONE).seconds <= LONGEST_PAUSE_S
    clock[0] = 10.0
    with pytest.raises(neumo.Unavailable):
        patience.after(2, GONE)
    patience.answered()
    patience.after(2, GONE)


def test_a_stream_without_retries_does_not_wait():
    """``retries=0`` holds for films in a stream, too."""
    client = neumo.Client(transport=FakeTransport(away(4, 2)), retries=0)
    found = [type(one) for one in client.predict_many([FILM] * 4, concurrency=1)]
    assert found.count(neumo.Failure) == 1


def test_a_kept_failure_keeps_no_film():
    """Its error has no frames, in which the pixels would be."""
    client = neumo.Client(transport=FakeTransport(failing(10_000)), retries=0)
    (failed,) = client.predict_many([FILM])
    error = failed.error
    while error is not None:
        assert error.__traceback__ is None
        error = error.__cause__ or error.__context__
