"""Versions come and go: found by polling, loaded before older ones are let go of.

Source: ``core/aspired_versions_manager.cc`` with ``core/availability_preserving_policy.cc``,
``core/load_servables_fast.cc``, and ``sources/storage_path/file_system_storage_path_source.cc``.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from neumo_serving.engine import loader, source, warmup
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.loader import LoadedModel, LoaderOptions
from neumo_serving.engine.source import ModelConfig
from neumo_serving.engine.versions import State, Versions, not_found

log = logging.getLogger(__name__)

ACTIVE = (State.START, State.LOADING, State.AVAILABLE)
FIRST_THREADS = 4 * (os.cpu_count() or 1)
"""Upstream loads the first versions side by side, whatever ``num_load_threads`` says."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How versions are loaded, by ``tensorflow_model_server``'s flags."""

    poll_wait_s: float = 1.0
    max_retries: int = 5
    retry_interval_s: float = 60.0
    threads: int = 0
    warm_up: bool = True
    warm_up_iterations: int = 1
    loader: LoaderOptions = field(default_factory=LoaderOptions)


class Models:
    """Every model that is served, and the thread that looks for new versions."""

    def __init__(self, configs: Sequence[ModelConfig], options: LoadOptions) -> None:
        self._options = options
        self._models: Mapping[str, Versions] = {one.name: Versions(one) for one in configs}
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll_forever, name="poll", daemon=True)
        self._loaders = ThreadPoolExecutor(FIRST_THREADS, "load")
        self._said: dict[str, str] = {}

    def __contains__(self, model: str) -> bool:
        return model in self._models

    def named(self, model: str) -> Versions:
        """The versions of ``model``; raises ``Fault`` NOT_FOUND where it is not served."""
        if model not in self._models:
            raise not_found(model, None)
        return self._models[model]

    def start(self) -> None:
        """Load the first versions of every model, then go on looking for more.

        Returns when every model has an AVAILABLE version, waiting for those that have none in
        their folder. Raises ``Fault`` where all versions of a model failed to load. After
        ``stop`` it returns as soon as what is being loaded has been.
        """
        loads = self._begin_loads()
        while not self._stopping.is_set() and (waiting := self._without_version()):
            for versions in waiting:
                self._raise_if_hopeless(versions)
            self._wait_for_one(loads)
            loads = {one for one in loads if not one.done()} | self._begin_loads()
        if self._options.poll_wait_s > 0 and not self._stopping.is_set():
            self._loaders.shutdown(wait=False)
            self._loaders = ThreadPoolExecutor(max(1, self._options.threads), "load")
            self._poller.start()

    def stop(self) -> None:
        """Load nothing any more; what is loaded stays until the process ends."""
        self._stopping.set()

    def _poll_forever(self) -> None:
        while not self._stopping.wait(self._options.poll_wait_s):
            try:
                self._poll()
            except Exception as error:  # noqa: BLE001 - the next look may succeed
                log.error("looking for versions ended in %s", type(error).__name__)  # noqa: TRY400 - one line

    def _poll(self) -> None:
        self._unload_unwanted()
        loads = self._begin_loads()
        if self._options.threads == 0:
            # Upstream's manager, too, looks at nothing else until these are loaded.
            wait(loads)
        self._unload_unwanted()

    def _wait_for_one(self, loads: set[Future[None]]) -> None:
        """Until one of ``loads`` has ended, or the folders are worth another look."""
        interval_s = self._options.poll_wait_s
        if loads:
            wait(loads, interval_s or None, FIRST_COMPLETED)
        else:
            self._stopping.wait(interval_s)

    def _without_version(self) -> list[Versions]:
        return [one for one in self._models.values() if not one.in_state(State.AVAILABLE)]

    def _raise_if_hopeless(self, versions: Versions) -> None:
        if versions.in_state(*ACTIVE):
            return
        if failed := versions.failed():
            number, fault = max(failed.items())
            raise Fault(fault.code, f"{versions.config.name} version {number}: {fault.message}")
        if self._options.poll_wait_s == 0:
            raise not_found(versions.config.name, None)

    def _begin_loads(self) -> set[Future[None]]:
        """Start loading what is wanted and neither there nor known to be broken."""
        return {
            self._loaders.submit(self._load, versions, number, path)
            for versions in self._models.values()
            for number, path in self._missing(versions)
        }

    def _missing(self, versions: Versions) -> list[tuple[int, Path]]:
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

    def _wanted(self, versions: Versions) -> dict[int, Path] | None:
        """The wanted versions; None where the folder cannot be read, which changes nothing."""
        config = versions.config
        try:
            found = source.versions_in(config.base_path)
        except OSError as error:
            self._say_once(config.name, f"cannot read {config.base_path}: {error.strerror}")
            return None
        wanted = source.wanted(config.policy, found)
        advice = f"waiting for one in a folder named by its number, {config.base_path}/1"
        self._say_once(config.name, "" if wanted else f"no version to serve; {advice}")
        return wanted

    def _say_once(self, model: str, remark: str) -> None:
        if remark != self._said.get(model, ""):
            self._said[model] = remark
            if remark:
                log.warning("%s: %s", model, remark)

    def _load(self, versions: Versions, number: int, path: Path) -> None:
        if self._stopping.is_set():
            return
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
        model = loader.load(path, self._options.loader)
        if self._options.warm_up:
            try:
                warmup.run(model, path, self._options.warm_up_iterations)
            except Fault:
                model.close()
                raise
        return model

    def _unload_unwanted(self) -> None:
        for versions in self._models.values():
            wanted = self._wanted(versions)
            if wanted is not None:
                available = versions.in_state(State.AVAILABLE)
                for number in source.to_unload(wanted.keys(), available):
                    _unload(versions, number)


def _unload(versions: Versions, number: int) -> None:
    """On a thread: a slow request must not hold up the loading of other versions."""
    let_go = versions.retire(number)

    def unload() -> None:
        let_go()
        gc.collect()
        log.info("%s version %d is unloaded", versions.config.name, number)

    threading.Thread(target=unload, name="unload", daemon=True).start()
