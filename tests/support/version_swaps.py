"""A steady load on one model over gRPC while its versions change, and what came of it."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from support.patience import patience

PREDICT = "/tensorflow.serving.PredictionService/Predict"
STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
PATIENCE_S = patience(60.0)


@dataclass(frozen=True)
class Answer:
    """A request: when it was due, sent and answered, and by which version; ``error`` if none."""

    due_s: float
    sent_s: float
    answered_s: float
    version: int
    error: str = ""

    @property
    def latency_ms(self) -> float:
        """From when it was due: a server that stops does not stop the clock."""
        return (self.answered_s - self.due_s) * 1000


@dataclass
class Load:
    """Sends ``request`` at ``rate`` a second, whether or not answers come, and keeps what came."""

    channel: grpc.Channel
    request: bytes
    answers: list[Answer] = field(default_factory=list)

    def run(self, rate: float, seconds: float) -> list[Answer]:
        """The answers to ``seconds`` of load."""
        call = self.channel.unary_unary(
            PREDICT,
            request_serializer=None,
            response_deserializer=predict_pb2.PredictResponse.FromString,
        )
        started, count, left = time.perf_counter(), int(rate * seconds), threading.Semaphore(0)
        answers: list[Answer] = []
        for number in range(count):
            due = started + number / rate
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            sent = time.perf_counter()
            future = call.future(self.request, timeout=PATIENCE_S)
            future.add_done_callback(_keeping(answers, due, sent, left))
        for _ in range(count):
            left.acquire(timeout=PATIENCE_S)
        return answers


def _keeping(answers: list[Answer], due: float, sent: float, left: threading.Semaphore) -> Any:
    def keep(future: Any) -> None:
        ended = time.perf_counter()
        if future.code() is grpc.StatusCode.OK:
            version = future.result().model_spec.version.value
            answers.append(Answer(due, sent, ended, version))
        else:
            answers.append(Answer(due, sent, ended, 0, f"{future.code().name} {future.details()}"))
        left.release()

    return keep


@dataclass
class Sightings:
    """When each version was last seen not to be AVAILABLE yet, and first seen to be so no more."""

    not_yet_s: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    no_more_s: dict[int, float] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def take(self, response: Any, asked_s: float, answered_s: float) -> None:
        """What one status says, asked and answered at these times."""
        for row in response.model_version_status:
            if row.state == AVAILABLE:
                self.seen.add(row.version)
            elif row.version in self.seen:
                self.no_more_s.setdefault(row.version, answered_s)
            else:
                self.not_yet_s[row.version] = asked_s

    def is_wrong(self, answer: Answer) -> bool:
        """Whether the version was not AVAILABLE at any time between request and answer."""
        too_early = answer.answered_s < self.not_yet_s[answer.version]
        too_late = answer.sent_s > self.no_more_s.get(answer.version, float("inf"))
        return too_early or too_late


@contextmanager
def watched(channel: grpc.Channel, model: str, every_s: float = 0.05) -> Iterator[Sightings]:
    """Look at the versions' states all the while."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    call = channel.unary_unary(
        STATUS,
        request_serializer=get_model_status_pb2.GetModelStatusRequest.SerializeToString,
        response_deserializer=get_model_status_pb2.GetModelStatusResponse.FromString,
    )
    found, ended = Sightings(), threading.Event()

    def look() -> None:
        while not ended.wait(every_s):
            asked = time.perf_counter()
            found.take(call(request, timeout=PATIENCE_S), asked, time.perf_counter())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def put(store: Path, source: Path, version: int, keep: int = 3) -> None:
    """A copy of ``source`` as a new version, at once; of the older ones ``keep`` stay."""
    staged = store / f".{version}"
    shutil.copytree(source, staged)
    staged.rename(store / str(version))
    shutil.rmtree(store / str(version - keep), ignore_errors=True)


def swap(store: Path, source: Path, first: int, count: int, every_s: float) -> threading.Thread:
    """A thread that puts ``count`` new versions from ``first``, one ``every_s``."""

    def work() -> None:
        started = time.perf_counter()
        for number in range(count):
            put(store, source, first + number)
            time.sleep(max(0.0, started + (number + 1) * every_s - time.perf_counter()))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def resident_mib(process: int) -> float:
    """The memory that a process has in RAM."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of ``values`` are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
