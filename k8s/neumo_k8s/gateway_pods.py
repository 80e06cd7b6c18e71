"""Where a gateway's operators' port is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's pod, and the port that is for operators."""

    pod: str
    ip: str
    port: int
