"""Clients of servers in memory, which the SDK's tests share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import neumo
from neumo import contract
from neumo._wire.calls import Call, Metadata, Predict, Status
from neumo.model_status import ModelStatus, VersionState, VersionStatus
from neumo.release import phantom
from neumo.testing import FakeTransport, answering

TUNED, RESIDUAL = (member.name for member in contract.MEMBERS)
LUNGS = contract.LUNGS.name
FILM = phantom.draw(1, 1)[0]

Answer = Callable[[Call[Any]], Any]
"""What a server in memory is."""


def client(answer: Answer, **options: Any) -> tuple[neumo.Client, FakeTransport]:
    """A client of a server in memory, and its transport."""
    transport = FakeTransport(answer)
    return neumo.Client(transport=transport, **options), transport


def rolling(releases: Mapping[str, tuple[int, Sequence[int]]]) -> Answer:
    """A server in a rollout: ``releases`` maps each member to its newest and its ready releases."""

    def answer(call: Any) -> Any:
        if call.model not in releases:
            raise neumo.ModelNotFound(call.model, "fake://", "Servable not found")
        newest, ready = releases[call.model]
        if isinstance(call, Status):
            states = [VersionStatus(n, VersionState.AVAILABLE, "") for n in ready]
            return ModelStatus(call.model, tuple(states))
        if isinstance(call, Metadata):
            return answering({call.model: 0.5}, release=newest)(call)
        release = call.version or newest
        if release not in ready:
            raise neumo.ModelNotFound(call.model, "fake://", "Servable not found")
        score = 1.0 if call.model == LUNGS else 0.25 * release
        return answering({call.model: score}, release=release)(call)

    return answer


def predicted(transport: FakeTransport) -> list[Predict]:
    """The Predict calls so far, in order."""
    return [call for call in transport.asked if isinstance(call, Predict)]
