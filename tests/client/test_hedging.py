"""With ``hedge=``, a call that takes long is sent once more and the first answer counts."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import pytest

import neumo
from neumo._wire.calls import Predict, Reply
from neumo.testing import FakeTransport, answering
from support.fake_clients import FILM, RESIDUAL, TUNED
from support.patience import patience

WORKING = answering({TUNED: 0.75, RESIDUAL: 0.125})


class Sluggish(FakeTransport):
    """Answers the first ``slow`` Predict calls never, and the others at once."""

    def __init__(self, slow):
        super().__init__(WORKING)
        self.slow, self.left = slow, []

    def start(self, call, timeout_s):
        """A future that stays open for the slow ones."""
        if isinstance(call, Predict) and len(self.left) < self.slow:
            self.left.append(Future())
            return self.left[-1]
        return super().start(call, timeout_s)


class Failing(FakeTransport):
    """Leaves the first Predict call of each model open, and fails those after it."""

    def __init__(self, error):
        super().__init__(WORKING)
        self.error, self.left = error, {}

    def start(self, call, timeout_s):
        """An open future or a failed one."""
        if not isinstance(call, Predict):
            return super().start(call, timeout_s)
        future = Future()
        if self.left.setdefault(call.model, future) is not future:
            future.set_exception(self.error)
        return future


def test_a_call_without_an_answer_is_sent_once_more():
    """The first answer counts, and the call that lost is given up."""
    transport = Sluggish(slow=1)
    asking = neumo.Client(transport=transport, hedge=0.02, timeout=patience(20))
    assert asking.predict(FILM).probability == 0.4375
    assert transport.left[0].cancelled()
    assert sum(isinstance(call, Predict) for call in transport.asked) == 2


def test_a_call_that_answers_in_time_is_sent_once():
    """Hedging costs nothing where the server is quick."""
    transport = FakeTransport(WORKING)
    neumo.Client(transport=transport, hedge=30.0).predict(FILM)
    assert sum(isinstance(call, Predict) for call in transport.asked) == 2


def test_without_it_a_call_is_sent_once():
    """It is the caller's choice."""
    with pytest.raises(neumo.DeadlineExceeded):
        neumo.Client(transport=Sluggish(slow=1), timeout=0.2).predict(FILM)


def test_the_second_call_failing_leaves_the_first_its_chance():
    """Only when both have failed is there an error."""
    transport = Failing(neumo.ServingError(TUNED, "fake://", "no"))

    def answer_late():
        while len(transport.left) < 2:
            time.sleep(0.01)
        time.sleep(0.1)
        for model, future in transport.left.items():
            answer = WORKING(Predict(model, _signature(), {"image": FILM[None]}))
            future.set_result(Reply(answer, 0.1))

    helper = threading.Thread(target=answer_late)
    helper.start()
    asking = neumo.Client(transport=transport, hedge=0.02, timeout=patience(20))
    assert asking.predict(FILM).probability == 0.4375
    helper.join()


def _signature():
    from neumo import contract

    return contract.MEMBERS[0].signature(contract.SERVING_DEFAULT)


def test_a_server_in_trouble_is_not_asked_twice_as_often():
    """Hedges come from the same budget as retries."""
    transport = Sluggish(slow=10**6)
    asking = neumo.Client(transport=transport, hedge=0.001, timeout=0.05, retries=0)
    for _ in range(8):
        with pytest.raises(neumo.DeadlineExceeded):
            asking.predict(FILM)
    assert 16 <= len(transport.left) <= 21


@pytest.mark.parametrize("hedge", [0, -1.0, float("nan"), "soon"])
def test_a_hedge_that_is_no_time_is_refused(hedge):
    """One line says what to give."""
    with pytest.raises(neumo.ConfigError, match=r"hedge is .*: give a number of seconds above 0"):
        neumo.Client("grpc://localhost:1", hedge=hedge)
