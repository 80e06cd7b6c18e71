"""Versions come and go: found by polling, loaded before older ones are let go of.

Source: ``core/aspired_versions_manager.cc`` with ``core/availability_preserving_policy.cc``, and
``sources/storage_path/file_system_storage_path_source.cc``.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from neumo_serving.engine import loader, source, warmup
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.loader import LoadedModel
from neumo_serving.engine.source import ModelConfig
from neumo_serving.engine.versions import State, Versions, not_found

log = logging.getLogger(__name__)

ACTIVE = (State.START, State.LOADING, State.AVAILABLE)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How versions are loaded, by ``tensorflow_model_server``'s flags."""

    poll_wait_s: float = 1.0
    max_retries: int = 5
    retry_interval_s: float = 60.0
    threads: int = 0
    warm_up: bool = True


class Models:
    """Every model that is served, and the thread that looks for new versions."""

    def __init__(self, configs: Sequence[ModelConfig], options: LoadOptions) -> None:
        self._options = options
        self._models: Mapping[str, Versions] = {one.name: Versions(one) for one in configs}
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll_forever, name="poll", daemon=True)
        self._loaders = ThreadPoolExecutor(max(1, options.threads), thread_name_prefix="load")

    def named(self, model: str) -> Versions:
        """The versions of ``model``; raises ``Fault`` NOT_FOUND where it is not served."""
        if model not in self._models:
            raise not_found(model, None)
        return self._models[model]

    def start(self) -> None:
        """Load the first versions of every model, then go on looking for more.

        Returns when every model has an AVAILABLE version, waiting for those that have none in
        their folder. Raises ``Fault`` where all versions of a model failed to load. After
        ``stop`` it returns at once.
        """
        self.poll()
        while not self._stopping.is_set() and (waiting := self._without_version()):
            for versions in waiting:
                self._raise_if_failed(versions)
            if self._options.poll_wait_s == 0:
                raise not_found(waiting[0].config.name, None)
            self._stopping.wait(self._options.poll_wait_s)
            self.poll()
        if self._options.poll_wait_s > 0 and not self._stopping.is_set():
            self._poller.start()

    def stop(self) -> None:
        """Load nothing any more; what is loaded stays until the process ends."""
        self._stopping.set()
        self._loaders.shutdown(wait=False, cancel_futures=True)

    def poll(self) -> None:
        """Look at every model's folder once: load what is wanted, then let go of the rest."""
        loads = [
            self._loaders.submit(self._load, versions, number, path)
            for versions in self._models.values()
            for number, path in self._missing(versions)
        ]
        for load in loads:
            load.result()
        for versions in self._models.values():
            self._release_unwanted(versions)

    def _poll_forever(self) -> None:
        while not self._stopping.wait(self._options.poll_wait_s):
            try:
                self.poll()
            except Exception:
                if not self._stopping.is_set():
                    log.exception("polling failed; it is tried again")

    def _without_version(self) -> list[Versions]:
        return [one for one in self._models.values() if not one.in_state(State.AVAILABLE)]

    def _raise_if_failed(self, versions: Versions) -> None:
        failed = versions.failed()
        if failed and not versions.in_state(*ACTIVE):
            number, fault = max(failed.items())
            raise Fault(fault.code, f"{versions.config.name} version {number}: {fault.message}")

    def _wanted(self, versions: Versions) -> dict[int, Path] | None:
        """The wanted versions; None where the folder cannot be read, which changes nothing."""
        try:
            found = source.versions_in(versions.config.base_path)
        except OSError as error:
            log.warning("%s: %s", versions.config.name, error)
            return None
        return source.wanted(versions.config.policy, found)

    def _missing(self, versions: Versions) -> list[tuple[int, Path]]:
        """What is wanted and neither there nor known to be broken; it becomes START."""
        wanted = self._wanted(versions)
        if wanted is None:
            return []
        for number in versions.failed().keys() - wanted.keys():
            versions.forgive(number)
        known = versions.in_state(*ACTIVE) | versions.failed().keys()
        missing = [(number, path) for number, path in wanted.items() if number not in known]
        for number, _ in missing:
            versions.begin(number, State.START)
        return missing

    def _load(self, versions: Versions, number: int, path: Path) -> None:
        versions.begin(number, State.LOADING)
        name = versions.config.name
        try:
            model = self._with_retries(path)
        except Fault as fault:
            log.error("%s version %d failed to load: %s", name, number, fault.message)  # noqa: TRY400 - the fault's text is the whole story
            versions.fail(number, fault)
        else:
            versions.succeed(number, model)
            log.info("%s version %d is available", name, number)

    def _with_retries(self, path: Path) -> LoadedModel:
        for _ in range(self._options.max_retries):
            try:
                return self._loaded(path)
            except Fault as fault:
                log.warning("%s: %s; it is tried again", path, fault.message)
                if self._stopping.wait(self._options.retry_interval_s):
                    raise
        return self._loaded(path)

    def _loaded(self, path: Path) -> LoadedModel:
        model = loader.load(path)
        if self._options.warm_up:
            warmup.run(model, path)
        return model

    def _release_unwanted(self, versions: Versions) -> None:
        """Let go of what is not wanted, unless that would leave nothing while more is wanted."""
        wanted = self._wanted(versions)
        available = versions.in_state(State.AVAILABLE)
        if wanted is None or (wanted and not available & wanted.keys()):
            return
        for number in available - wanted.keys():
            _in_background(versions, number)


def _in_background(versions: Versions, number: int) -> None:
    """A slow request must not hold up the loading of other versions."""

    def retire() -> None:
        versions.retire(number)
        gc.collect()
        log.info("%s version %d is unloaded", versions.config.name, number)

    _thread(retire).start()


def _thread(target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=target, name="unload", daemon=True)
