"""Which faults are to be made: a JSON list of rules, and which rule the next call meets.

A rule is an object::

    {"fault": "error", "code": "UNAVAILABLE", "method": "Predict", "model": "m", "count": 3}

``fault`` is one of ``KINDS``. ``model``, ``method`` (gRPC's name, also for REST), ``transport``
("grpc" or "rest") and ``version`` narrow it down; ``skip`` lets that many calls pass first and
``count`` ends it after so many. ``seconds``, ``code``, ``message`` and ``status`` say what is done.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import error_codes_pb2

from neumo.errors import ConfigError
from neumo_serving import request_faults
from neumo_serving.request_faults import Fault


class Kind(StrEnum):
    """What goes wrong."""

    ERROR = "error"
    """The call ends with ``code`` and ``message``."""
    SLOW = "slow"
    """The call is answered, ``seconds`` late."""
    GARBAGE = "garbage"
    """The answer is bytes that mean nothing."""
    RESET = "reset"
    """The connection is cut before the answer."""
    HTML = "html"
    """REST: a proxy's page with HTTP ``status``."""
    DRIP = "drip"
    """REST: the answer comes byte by byte, one every ``seconds``."""
    DEATH = "death"
    """The process ends at once, as by kill -9."""
    SLOW_LOAD = "slow_load"
    """A version takes ``seconds`` longer to load."""
    FAILING_LOAD = "failing_load"
    """A version cannot be loaded: ``code`` and ``message``."""


LOAD_KINDS = frozenset({Kind.SLOW_LOAD, Kind.FAILING_LOAD})
REST_KINDS = frozenset({Kind.HTML, Kind.DRIP})
KINDS = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault: what it is, which calls or loads meet it, and how often."""

    fault: Kind
    model: str | None = None
    method: str | None = None
    transport: str | None = None
    version: int | None = None
    count: int | None = None
    skip: int = 0
    seconds: float = 1.0
    code: str = "UNAVAILABLE"
    message: str = "made by --neumo_faults"
    status: int = 500

    def meets(self, call: Occasion) -> bool:
        """Whether ``call`` is one of those that this rule is for."""
        is_load = self.fault in LOAD_KINDS
        if is_load is not (call.transport == LOAD):
            return False
        wanted = (self.model, self.method, self.transport, self.version)
        named = (call.model, call.method, call.transport, call.version)
        # A proxy's page is no answer on gRPC: such a rule leaves its calls alone.
        if not is_load and self.fault in REST_KINDS and call.transport != REST:
            return False
        return all(want in (None, got) for want, got in zip(wanted, named, strict=True))

    @property
    def error(self) -> Fault:
        """The rule's ``code`` and ``message``."""
        return Fault(self.code, self.message)


GRPC, REST, LOAD = "grpc", "rest", "load"


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request on ``transport`` or a version's load; ``version`` is the one it names."""

    transport: str
    method: str
    model: str
    version: int | None = None


@dataclass(slots=True)
class FaultPlan:
    """The rules of ``source``, JSON or the path of a file with it; thread-safe.

    A file is read again when it changes, and every rule counts anew from then on.
    """

    source: str
    _rules: tuple[Rule, ...] = ()
    _met: list[int] = field(default_factory=list)
    _stamp: tuple[int, ...] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # No path begins so, but for one that nobody would give.
        if self.source.lstrip().startswith("["):
            self._take(parse(self.source))
        else:
            self._read()

    def next(self, call: Occasion) -> Rule | None:
        """The first rule that ``call`` meets and that is not used up, which counts it."""
        with self._lock:
            if self._stamp is not None:
                self._read_if_changed()
            for index, rule in enumerate(self._rules):
                if rule.meets(call) and not self._is_used_up(index):
                    # Skipped calls count as met, so that the count that ends the rule begins after
                    # them.
                    self._met[index] += 1
                    if self._met[index] > rule.skip:
                        return rule
        return None

    def _is_used_up(self, index: int) -> bool:
        rule = self._rules[index]
        return rule.count is not None and self._met[index] >= rule.skip + rule.count

    def _take(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._met = [0] * len(rules)

    def _read(self) -> None:
        path = Path(self.source)
        try:
            self._stamp = _stamp(path)
            self._take(parse(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--neumo_faults={path} cannot be read: {error}") from error

    def _read_if_changed(self) -> None:
        try:
            if _stamp(Path(self.source)) != self._stamp:
                self._read()
        except (OSError, ConfigError) as error:
            # Half written, perhaps: the next call looks again.
            request_faults.log.warning("--neumo_faults: %s; the rules before it stay", error)
            self._stamp = (0,)


def _stamp(path: Path) -> tuple[int, ...]:
    # The inode, too: a file that is renamed into place may have the old one's time and size.
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def parse(text: str) -> tuple[Rule, ...]:
    """The rules in the JSON ``text``; raises ``ConfigError`` for what is none."""
    try:
        rules = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--neumo_faults: no JSON: {error}") from error
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise ConfigError("--neumo_faults: give a JSON list of rules")
    return tuple(_rule(one) for one in rules)


def _rule(given: Any) -> Rule:
    if not isinstance(given, Mapping) or given.get("fault") not in KINDS:
        raise ConfigError(f"--neumo_faults: every rule has a fault, one of {', '.join(KINDS)}")
    known = {one.name for one in fields(Rule)}
    if unknown := sorted(set(given) - known):
        raise ConfigError(f"--neumo_faults: {unknown[0]} is none of {', '.join(sorted(known))}")
    if given.get("code", "UNAVAILABLE") not in error_codes_pb2.Code.keys():  # noqa: SIM118 - no dict
        raise ConfigError(f"--neumo_faults: {given['code']} is no canonical code")
    return Rule(**{**given, "fault": Kind(given["fault"])})
