"""The versions of one model: their states, and who uses them. Thread-safe, loads nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from neumo_serving import request_faults
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.version_policy import ModelConfig
from neumo_serving.request_faults import Fault


class State(StrEnum):
    """TensorFlow Serving's states (``apis/get_model_status.proto``)."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


ACTIVE = (State.START, State.LOADING, State.AVAILABLE)
"""A version that serves or is on the way to it."""


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """A version's number and state; ``fault`` is why it failed to load."""

    number: int
    state: State
    fault: Fault | None


@dataclass(slots=True)
class _Version:
    state: State = State.START
    fault: Fault | None = None
    model: LoadedModel | None = None
    users: int = 0


@dataclass(slots=True)
class Versions:
    """What is known of one model's versions.

    ``acquire`` hands out an AVAILABLE one, which is not let go of while it is in use.
    """

    config: ModelConfig
    _known: dict[int, _Version] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def acquire(self, version: int | None, label: str | None) -> Iterator[tuple[int, LoadedModel]]:
        """The version ``version``, or the one labelled, or the newest; it stays while in use.

        Raises ``Fault`` with TensorFlow Serving's texts where none is AVAILABLE.
        """
        with self._changed:
            chosen = self._choose(version, label)
            entry = self._known[chosen]
            model = entry.model
            entry.users += 1
        # The lock is not held while the model is used: versions come and go meanwhile.
        assert model is not None  # noqa: S101 - an AVAILABLE version has one
        try:
            yield chosen, model
        finally:
            with self._changed:
                entry.users -= 1
                # For ``let_go``, which waits for the last user.
                self._changed.notify_all()

    def statuses(self) -> list[VersionStatus]:
        """Every version that was ever seen, newest first."""
        with self._changed:
            return [
                VersionStatus(version, entry.state, entry.fault)
                for version, entry in sorted(self._known.items(), reverse=True)
            ]

    def in_state(self, *states: State) -> set[int]:
        """The versions in one of ``states``."""
        with self._changed:
            return {version for version, entry in self._known.items() if entry.state in states}

    def failed(self) -> dict[int, Fault]:
        """The versions that could not be loaded, and why."""
        with self._changed:
            return {n: one.fault for n, one in self._known.items() if one.fault is not None}

    def begin(self, version: int, state: State) -> None:
        """A version is found (START) or about to load (LOADING)."""
        with self._changed:
            self._known[version] = _Version(state)

    def succeed(self, version: int, model: LoadedModel) -> None:
        """A version is loaded: AVAILABLE."""
        with self._changed:
            self._known[version] = _Version(State.AVAILABLE, None, model)

    def fail(self, version: int, fault: Fault) -> None:
        """A version cannot be loaded: END, with the reason."""
        with self._changed:
            self._known[version] = _Version(State.END, fault)

    def forgive(self, version: int) -> None:
        """A version that failed is gone from the folder: if it comes back, it is tried again."""
        with self._changed:
            # It stays END without a reason, as a version that was unloaded: that is what makes it
            # new.
            self._known[version].fault = None

    def reconfigure(self, config: ModelConfig) -> None:
        """Go on as ``config`` says: its labels hold from now on."""
        with self._changed:
            self.config = config

    def retire(self, version: int) -> Callable[[], None]:
        """Give a version to nobody any more: UNLOADING.

        The function returned waits for those who use it still, and lets go of it: END.
        """
        with self._changed:
            entry = self._known[version]
            entry.state = State.UNLOADING

        def let_go() -> None:
            with self._changed:
                self._changed.wait_for(lambda: entry.users == 0)
                model, entry.model = entry.model, None
                entry.state = State.END
            if model is not None:
                # Outside the lock: memory is given back slowly, and other versions are asked for
                # meanwhile.
                model.close()

        return let_go

    def _choose(self, version: int | None, label: str | None) -> int:
        if label is not None:
            version = dict(self.config.labels).get(label)
            if version is None:
                raise unknown_label(label)
        ready = [n for n, one in self._known.items() if one.state is State.AVAILABLE]
        if version is None and ready:
            return max(ready)
        if version is None or version not in ready:
            raise not_found(self.config.name, version)
        return version


def unknown_label(label: str) -> Fault:
    """What a request for a label that no configuration has gets."""
    return request_faults.invalid(f"Unrecognized servable version label: {label}")


def not_found(model: str, version: int | None) -> Fault:
    """What a request for a model or version that is not AVAILABLE gets."""
    asked = f"Latest({model})" if version is None else f"Specific({model}, {version})"
    return Fault(request_faults.NOT_FOUND, f"Servable not found for request: {asked}")
