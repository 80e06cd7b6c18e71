"""Versions come and go: found by polling, loaded before older ones are let go of.

Source: ``core/aspired_versions_manager.cc`` with ``core/availability_preserving_policy.cc``,
``core/load_servables_fast.cc``, and ``sources/storage_path/file_system_storage_path_source.cc``.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from pathlib import Path

from neumo_serving.engine import label_checks, load_worker, version_policy
from neumo_serving.engine.load_worker import LoadOptions
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.version_policy import ModelConfig
from neumo_serving.engine.versions import ACTIVE, State, Versions, not_found, unknown_label
from neumo_serving.request_faults import Fault

log = logging.getLogger(__name__)

FIRST_THREADS = 4 * (os.cpu_count() or 1)
"""Upstream loads the first versions side by side, whatever ``num_load_threads`` says."""
_LOOK_S = 0.02
"""Between looks whether the new models of a reload are there."""


class Models:
    """Every model that is served, and the thread that looks for new versions."""

    def __init__(self, configs: Sequence[ModelConfig], options: LoadOptions) -> None:
        self._options = options
        self._models: Mapping[str, Versions] = {one.name: Versions(one) for one in configs}
        self._served = frozenset(self._models)
        self._reloading = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._poller = threading.Thread(target=self._poll_forever, name="poll", daemon=True)
        self._loaders = ThreadPoolExecutor(FIRST_THREADS, "load")
        self._unloaders = ThreadPoolExecutor(max(1, options.unload_threads), "unload")
        self._said: dict[str, str] = {}

    def __contains__(self, model: str) -> bool:
        return model in self._models

    @property
    def served(self) -> frozenset[str]:
        """The names of the models that are configured now."""
        return self._served

    def named(self, model: str) -> Versions:
        """The versions of ``model``; raises ``Fault`` NOT_FOUND where it was never served."""
        if model not in self._models:
            raise not_found(model, None)
        return self._models[model]

    def acquire(
        self, model: str, version: int | None, label: str | None
    ) -> AbstractContextManager[tuple[int, LoadedModel]]:
        """A version of ``model`` to be used; see ``Versions.acquire``."""
        if model not in self._models:
            # Upstream looks labels up before models.
            raise not_found(model, version) if label is None else unknown_label(label)
        return self._models[model].acquire(version, label)

    def start(self) -> None:
        """Load the first versions of every model, then go on looking for more.

        Returns when every model has an AVAILABLE version, waiting for those that have none in
        their folder. Raises ``Fault`` where all versions of a model failed to load. After
        ``stop`` it returns as soon as what is being loaded has been.
        """
        # As upstream: where nobody looks nothing is found, and the ports stay shut.
        if self._options.poll_wait_s < 0 and self._models:
            log.warning("--file_system_poll_wait_seconds is below 0: no version is looked for")
            self._stopping.wait()
        loads = self._begin_loads()
        while not self._stopping.is_set() and (waiting := self._without_version()):
            for versions in waiting:
                self._raise_if_hopeless(versions)
            self._wait_for_one(loads)
            loads = {one for one in loads if not one.done()} | self._begin_loads()
        if not self._stopping.is_set():
            # From here on loads compete with requests, so they get as many threads as was asked.
            self._loaders.shutdown(wait=False)
            self._loaders = ThreadPoolExecutor(max(1, self._options.threads), "load")
            self._poller.start()

    def stop(self) -> None:
        """Load nothing any more; what is loaded stays until the process ends."""
        self._stopping.set()
        self._wake.set()

    def reload(
        self,
        configs: Sequence[ModelConfig],
        allow_unavailable_labels: bool,
        is_waiting: Callable[[], bool] = lambda: True,
    ) -> None:
        """Serve ``configs`` and nothing else from now on, labels included.

        Returns when every model that is new has an AVAILABLE version, or when ``is_waiting`` says
        that nobody waits for that. Raises ``Fault``: FAILED_PRECONDITION for labels of versions
        that are not AVAILABLE, which changes nothing, and UNKNOWN where a new model cannot be
        loaded.
        """
        with self._reloading:
            label_checks.check_labels(configs, self._models, allow_unavailable_labels)
            # In this order: a model is known before it counts as served, which the poller looks at.
            new = [self._take(one) for one in configs if one.name not in self._served]
            for one in configs:
                self._models[one.name].reconfigure(one)
            self._served = frozenset(one.name for one in configs)
            self._wake.set()
            while not label_checks.are_available(new) and is_waiting():
                if self._stopping.wait(_LOOK_S):
                    return

    def _take(self, config: ModelConfig) -> Versions:
        """The versions of a model that is new, or was dropped and comes back."""
        versions = self._models.get(config.name) or Versions(config)
        for version in versions.failed():
            versions.forgive(version)
        # A new mapping, not the old one changed: other threads iterate over that without a lock.
        self._models = {**self._models, config.name: versions}
        return versions

    def _poll_forever(self) -> None:
        interval_s = self._options.poll_wait_s
        while not self._stopping.is_set():
            # 0 looked once, at the start; but a reload wakes this thread all the same.
            self._wake.wait(interval_s if interval_s > 0 else None)
            self._wake.clear()
            try:
                self._poll()
            except Exception as error:  # noqa: BLE001 - the next look may succeed
                log.error("looking for versions ended in %s", type(error).__name__)  # noqa: TRY400 - one line

    def _poll(self) -> None:
        # Before the loads, which may want the memory, and after them, for what they replace.
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
            # Not all of them: a version that hangs must not keep the others from being seen.
            wait(loads, interval_s or None, FIRST_COMPLETED)
        else:
            self._stopping.wait(interval_s)

    def _without_version(self) -> list[Versions]:
        return [one for one in self._models.values() if not one.in_state(State.AVAILABLE)]

    def _raise_if_hopeless(self, versions: Versions) -> None:
        if versions.in_state(*ACTIVE):
            return
        if failed := versions.failed():
            # Of several the newest, which is the one that somebody has just put there.
            version, fault = max(failed.items())
            raise Fault(fault.code, f"{versions.config.name} version {version}: {fault.message}")
        if self._options.poll_wait_s == 0:
            raise not_found(versions.config.name, None)

    def _begin_loads(self) -> set[Future[None]]:
        """Start loading what is wanted and neither there nor known to be broken."""
        return {
            self._loaders.submit(
                load_worker.load, versions, version, path, self._options, self._stopping
            )
            for versions in self._models.values()
            for version, path in self._missing(versions)
        }

    def _missing(self, versions: Versions) -> list[tuple[int, Path]]:
        wanted = self._wanted(versions)
        if wanted is None:
            return []
        # Gone from its folder: if it comes back it is another, and worth a try.
        for version in versions.failed().keys() - wanted.keys():
            versions.forgive(version)
        known = versions.in_state(*ACTIVE) | versions.failed().keys()
        missing = [(version, path) for version, path in wanted.items() if version not in known]
        for version, _ in missing:
            versions.begin(version, State.START)
        return missing

    def _wanted(self, versions: Versions) -> dict[int, Path] | None:
        """The wanted versions; None where the folder cannot be read, which changes nothing."""
        config = versions.config
        if config.name not in self._served:
            # No longer configured: nothing is wanted, so everything may go.
            return {}
        try:
            present = version_policy.versions_in(config.base_path)
        except OSError as error:
            self._say_once(config.name, f"cannot read {config.base_path}: {error.strerror}")
            return None
        wanted = version_policy.wanted(config.policy, present)
        advice = f"waiting for one in a folder named by its number, {config.base_path}/1"
        self._say_once(config.name, "" if wanted else f"no version to serve; {advice}")
        return wanted

    def _say_once(self, model: str, remark: str) -> None:
        # At every look the same would be said, each second.
        if remark != self._said.get(model, ""):
            self._said[model] = remark
            if remark:
                log.warning("%s: %s", model, remark)

    def _unload_unwanted(self) -> None:
        for versions in self._models.values():
            wanted = self._wanted(versions)
            if wanted is not None:
                available = versions.in_state(State.AVAILABLE)
                for version in version_policy.to_unload(wanted.keys(), available):
                    # A slow request must not hold up the loading of other versions.
                    let_go = versions.retire(version)
                    self._unloaders.submit(load_worker.unload, versions, version, let_go)
