"""How long a server takes for films of two releases, asked in turns in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from neumo import contract
from neumo._wire.calls import Predict
from neumo.errors import ServingError, Unavailable
from neumo.release import phantom
from neumo.verification import paired_times
from neumo.verification.asked_server import AskedServer
from neumo.verification.manifest_file import ManifestFile
from neumo.verification.report import Check, Pace, Remark

WARM_UP = 3
MOST_ROUNDS = 300
AT_ONCE = (4, 3, 2)
"""Films at a time, to see what they cost the processor: their calls are more than most pods have
cores. TensorFlow Serving takes four calls for each core, less one, and refuses the rest at once:
then fewer are sent. Where two are too many there is one core, whose latency is its cost."""
MOST_LOST = 3
"""Rounds that may meet a server which refuses a call for the time being."""
_LOOK_EVERY = 10


@dataclass(slots=True)
class _Contest:
    """One kind of question to both releases, and what each round took."""

    what: str
    films: int
    calls: Sequence[Predict]
    against_calls: Sequence[Predict]
    times: list[float] = field(default_factory=list)
    against_times: list[float] = field(default_factory=list)

    @property
    def check(self) -> Check:
        return Check.LATENCY if self.films == 1 else Check.LOAD

    @property
    def median_ratio(self) -> float:
        return statistics.median(paired_times.ratios(self.times, self.against_times))

    @property
    def p99_ratio(self) -> float:
        return paired_times.p99(self.times) / paired_times.p99(self.against_times)

    def verdict(self, max_ratio: float) -> bool | None:
        # Of a burst, the slowest film's time is what is measured already.
        return paired_times.is_slower(
            self.times, self.against_times, max_ratio, judge_tail=self.films == 1
        )


def measure(
    server: AskedServer,
    held: ManifestFile,
    against: int,
    *,
    max_ratio: float,
    seconds: float,
    progress: Callable[[str], None],
) -> tuple[list[Pace], list[Remark], list[Remark]]:
    """The paces, what is too slow, and what ``seconds`` did not suffice to tell.

    A film's calls are made together, to the models that both releases have.
    """
    until = time.monotonic() + seconds
    paces: list[Pace] = []
    slow: list[Remark] = []
    unknown: list[Remark] = []
    kinds = (("predict", (1,)), ("explain", (1,)), ("predict", AT_ONCE))
    for index, (what, sizes) in enumerate(kinds):
        progress(f"timing {what}, {sizes[0]} at a time, against release {against}")
        # What is left of the time is shared by what is left to do.
        share = max(0.0, until - time.monotonic()) / (len(kinds) - index)
        films = [_contest(held, against, what, size) for size in sizes]
        contest, verdict, error = _first(server, films, max_ratio, share)
        if error is not None:
            if isinstance(error, Unavailable) and sizes is AT_ONCE:
                continue
            text = f"failed while it was timed: {error.detail} ({error.advice})"
            unknown.append(Remark(server.url, contest.check, error.model, text))
            continue
        pace = _pace(server.url, contest, verdict)
        if pace is not None:
            paces.append(pace)
        if verdict:
            slow.append(Remark(server.url, contest.check, "", _slow(contest, against, max_ratio)))
        elif verdict is None:
            text = _untold(contest, against, max_ratio)
            unknown.append(Remark(server.url, contest.check, "", text))
    return paces, slow, unknown


def _first(
    server: AskedServer, contests: Sequence[_Contest], max_ratio: float, seconds: float
) -> tuple[_Contest, bool | None, ServingError | None]:
    """The first of ``contests`` whose calls the server takes, and its verdict or error."""
    for contest in contests:
        try:
            return contest, _hold(server, contest, max_ratio, seconds), None
        except ServingError as error:
            found = error
            if not isinstance(error, Unavailable):
                break
    return contest, None, found


def _contest(held: ManifestFile, against: int, what: str, films: int) -> _Contest:
    number = held.manifest.release
    return _Contest(
        what,
        films,
        [_call(what, name, number) for name in held.in_common] * films,
        [_call(what, name, against) for name in held.in_common] * films,
    )


def _call(what: str, name: str, release: int) -> Predict:
    """What the SDK asks of the model called ``name``."""
    model = contract.model(name)
    inputs = {contract.IMAGE.name: phantom.chests(5, 1)}
    if what == "explain":
        signature = contract.EXPLAIN if model.has(contract.EXPLAIN) else contract.SERVING_DEFAULT
        return Predict(name, model.signature(signature), inputs, release)
    if name == contract.LUNGS.name:
        return Predict(name, contract.LUNGS_SCREEN_ONLY, inputs, release)
    default, encoded = map(model.signature, (contract.SERVING_DEFAULT, contract.ENCODED))
    # Over REST, pixels go as a file.
    return Predict(name, default, inputs, release, encoded=encoded)


def _hold(server: AskedServer, contest: _Contest, max_ratio: float, seconds: float) -> bool | None:
    """Ask until it is known which is slower, or rounds or time are spent.

    Raises a ``ServingError`` once more rounds than ``MOST_LOST`` were not answered.
    """
    until = time.monotonic() + seconds
    lost = 0
    for turn in range(WARM_UP + MOST_ROUNDS):
        try:
            taken, against_taken = _round(server, contest, is_first=bool(turn % 2))
        except Unavailable:
            lost += 1
            if lost > MOST_LOST:
                raise
            continue
        if turn >= WARM_UP:
            contest.times.append(taken)
            contest.against_times.append(against_taken)
        is_over = time.monotonic() >= until
        if is_over or len(contest.times) % _LOOK_EVERY == 0:
            verdict = contest.verdict(max_ratio)
            if verdict is not None or is_over:
                return verdict
    return contest.verdict(max_ratio)


def _round(server: AskedServer, contest: _Contest, *, is_first: bool) -> tuple[float, float]:
    """The seconds of both; ``is_first``: the release is asked before the one against it."""
    # In turns: the first of a round may find the server still busy with the last.
    order = (contest.calls, contest.against_calls)
    seconds = []
    for calls in order if is_first else reversed(order):
        began = time.perf_counter()
        server.together(calls)
        seconds.append(time.perf_counter() - began)
    one, other = seconds if is_first else reversed(seconds)
    return one, other


def _pace(url: str, contest: _Contest, verdict: bool | None) -> Pace | None:
    times, against = contest.times, contest.against_times
    if not times:
        return None
    return Pace(
        url,
        contest.what,
        contest.films,
        len(times),
        statistics.median(times),
        statistics.median(against),
        contest.median_ratio,
        contest.p99_ratio,
        verdict,
    )


def _slow(contest: _Contest, against: int, max_ratio: float) -> str:
    return (
        f"{_measured(contest, against)}: more than {max_ratio:g} times as slow; give the server "
        "more processors, do not roll it out, or allow it: --max-ratio"
    )


def _untold(contest: _Contest, against: int, max_ratio: float) -> str:
    rounds = len(contest.times)
    if rounds < paired_times.LEAST_ROUNDS:
        return (
            f"{contest.what}, {contest.films} at a time, was timed {rounds} times, and "
            f"{paired_times.LEAST_ROUNDS} tell: allow more time, --pace-seconds"
        )
    return (
        f"{_measured(contest, against)}: too noisy to tell whether it is more than "
        f"{max_ratio:g} times as slow; ask again when the machine is quieter, or longer, "
        "--pace-seconds"
    )


def _measured(contest: _Contest, against: int) -> str:
    return (
        f"{contest.what}, {contest.films} at a time, takes {contest.median_ratio:.2f} times what "
        f"release {against} takes (99th percentile {contest.p99_ratio:.2f}; "
        f"{len(contest.times)} rounds)"
    )
