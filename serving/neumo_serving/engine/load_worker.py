"""One version loaded, tried again or let go of: the work of a thread.

Source: ``core/loader_harness.cc``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from neumo_serving.engine import memory, saved_model, warmup_replay
from neumo_serving.engine.saved_model import LoadedModel, LoaderOptions
from neumo_serving.engine.versions import State, Versions
from neumo_serving.monitoring import model_metrics
from neumo_serving.request_faults import Fault

log = logging.getLogger(__name__)


def nothing(model: str, version: int) -> None:
    """Nothing happens before a load."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How versions are found and loaded, by ``tensorflow_model_server``'s flags.

    ``before`` is called ahead of each load with the model's name and the version, and may raise
    ``Fault``.
    """

    poll_wait_s: float = 1.0
    max_retries: int = 5
    retry_interval_s: float = 60.0
    threads: int = 0
    unload_threads: int = 0
    warm_up: bool = True
    warm_up_iterations: int = 1
    loader: LoaderOptions = field(default_factory=LoaderOptions)
    before: Callable[[str, int], None] = nothing


def load(
    versions: Versions, version: int, path: Path, options: LoadOptions, stopping: threading.Event
) -> None:
    """Load a version: AVAILABLE, or END with the reason."""
    if stopping.is_set():
        return
    versions.begin(version, State.LOADING)
    name = versions.config.name
    began = time.monotonic()
    try:
        model = _with_retries(name, version, path, options, stopping)
    except Fault as fault:
        log.error("%s version %d failed to load: %s", name, version, fault.message)  # noqa: TRY400 - the fault's text is the whole story
        versions.fail(version, fault)
    else:
        versions.succeed(version, model)
        log.info(
            "%s version %d is available, after %.1f s", name, version, time.monotonic() - began
        )


def _with_retries(
    name: str, version: int, path: Path, options: LoadOptions, stopping: threading.Event
) -> LoadedModel:
    for _ in range(options.max_retries):
        try:
            return _loaded(name, version, path, options)
        except Fault as fault:
            # Gone meanwhile, or never there: trying again cannot help.
            if not path.is_dir():
                raise
            log.warning("%s: %s; it is tried again", path, fault.message)
            # The server ends: Kubernetes waits 30 s, upstream's interval is 60.
            if stopping.wait(options.retry_interval_s):
                raise
    return _loaded(name, version, path, options)


def _loaded(name: str, version: int, path: Path, options: LoadOptions) -> LoadedModel:
    options.before(name, version)
    with model_metrics.load(str(path)):
        model = saved_model.load(path, options.loader)
    # Before the version is AVAILABLE: its first request would take several times as long.
    if options.warm_up:
        try:
            with model_metrics.warmup(str(path)):
                warmup_replay.run(model, path, options.warm_up_iterations)
        except Fault:
            # A model that fails its own recorded requests does not serve; its memory goes at once.
            model.close()
            raise
    return model


def unload(versions: Versions, version: int, let_go: Callable[[], None]) -> None:
    """Let go of a retired version as soon as nobody uses it, and of its memory."""
    let_go()
    # Python and malloc would keep the pages for the next model of this size.
    memory.give_back()
    log.info("%s version %d is unloaded", versions.config.name, version)
