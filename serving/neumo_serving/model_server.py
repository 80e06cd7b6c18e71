"""The whole server: models loaded, then both ports opened; drained when told to stop."""

from __future__ import annotations

import functools
import logging
import os
import queue
import signal
import socket
import threading
from pathlib import Path

from neumo.errors import ConfigError
from neumo_serving.asgi.asgi_types import Application
from neumo_serving.config import (
    models_config,
    models_config_watcher,
    shipped_release,
    tensorflow_runtime,
)
from neumo_serving.config.flags import Options
from neumo_serving.config.monitoring_config import page_path
from neumo_serving.engine import batching_parameters, label_checks, memory
from neumo_serving.engine.batching_parameters import BatchingParameters
from neumo_serving.engine.door import Door
from neumo_serving.engine.graph_session import IN_CALLERS_THREAD, SHARED_POOL
from neumo_serving.engine.load_worker import LoadOptions, nothing
from neumo_serving.engine.model_manager import Models
from neumo_serving.engine.saved_model import LoaderOptions
from neumo_serving.engine.version_policy import ModelConfig
from neumo_serving.fault_injection import load_faults, rest_faults
from neumo_serving.fault_injection.fault_rules import FaultPlan
from neumo_serving.fault_injection.grpc_faults import Interceptor
from neumo_serving.grpc_api import channel_arguments, grpc_server
from neumo_serving.grpc_api.grpc_server import Rpc, RpcOptions
from neumo_serving.monitoring import model_metrics
from neumo_serving.request_faults import Fault
from neumo_serving.rest_api import rest_server
from neumo_serving.rest_api.rest_app import App, RestOptions
from neumo_serving.rest_api.rest_server import HttpServer
from neumo_serving.stages import Stages

log = logging.getLogger(__name__)

DRAIN_S = 25.0
"""For requests under way at the end; Kubernetes kills 30 s after its SIGTERM."""


def run(options: Options, stages: Stages | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered.

    ``stages`` tell how long the start takes.
    Raises ``ConfigError`` where the configuration cannot be served, and ``Fault`` where a model
    cannot be loaded.
    """
    stages = stages or Stages()
    # Before any thread: malloc gives heaps to threads as they come.
    memory.prepare()
    plan = _fault_plan(options)
    rpc_options, rest_options = _rpc_options(options, plan), _rest_options(options)
    # What can be refused is refused before minutes are spent on loading.
    _check_port_is_free(options["port"])
    port = options["rest_api_port"]
    http_socket = rest_server.bound(port) if port else None
    # REST's port is held from here on, and refuses until the first models are there, as upstream's.
    models = Models(_configs(options), _load_options(options, plan))
    stopping = _stop_on_signal(models)
    # Before the first session: TensorFlow reads its configuration once.
    tensorflow_runtime.configure(tensorflow_runtime.session_config(options))
    models.start()
    if stopping.is_set():
        return
    stages.done("models, loaded and warmed up side by side")
    # Only now: at the start a file that cannot be served is fatal, later it is logged.
    models_config_watcher.follow(options, models, stopping)
    http, door = None, Door()
    if http_socket:
        http = HttpServer(_application(models, door, rest_options, plan), http_socket, DRAIN_S)
    _serve(grpc_server.make(models, door, rpc_options), http, stopping, stages, _where(options))


def _stop_on_signal(models: Models) -> threading.Event:
    """SIGTERM or SIGINT sets the event and ends loading; a second one ends the process."""
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    stopping = threading.Event()

    def watch() -> None:
        signals.get()
        stopping.set()
        models.stop()
        # Whoever signals twice does not want to wait; 128 + N is how a shell tells of signal N.
        os._exit(128 + signals.get())

    threading.Thread(target=watch, name="signals", daemon=True).start()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        # A handler may interrupt any lock's holder, so it takes none: SimpleQueue's put is safe.
        signal.signal(signal_number, lambda received, _frame: signals.put(received))
    return stopping


def _serve(
    grpc: Rpc, http: HttpServer | None, stopping: threading.Event, stages: Stages, where: str
) -> None:
    grpc.server.start()
    if http:
        http.start()
    stages.done("ports")
    log.info("ready: %s, after %.1f s", where, stages.total_s())
    stopping.wait()
    log.info("stopping: answering what is under way")
    # gRPC's stop returns at once, so both ports drain side by side.
    grpc_stopped = grpc.stop(DRAIN_S)
    if http:
        http.stop()
    grpc_stopped.wait(DRAIN_S)


def _where(options: Options) -> str:
    places = (
        ("gRPC on port", options["port"]),
        ("gRPC on", options["grpc_socket_path"]),
        ("REST on port", options["rest_api_port"]),
    )
    return ", ".join(f"{what} {place}" for what, place in places if place)


def _check_port_is_free(port: int) -> None:
    """Before minutes are spent on loading: gRPC cannot bind early without accepting, too."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((grpc_server.HOST, port))
        except OSError as error:
            raise grpc_server.port_taken(port) from error


def _configs(options: Options) -> tuple[ModelConfig, ...]:
    if not options.names_models:
        return shipped_release.models()
    if options.model_config_file is None:
        return (models_config.single(options["model_name"], options["model_base_path"]),)
    configs = models_config.read(options.model_config_file)
    try:
        # No version is AVAILABLE yet, so that every label of the file is one in advance.
        label_checks.check_labels(
            configs, {}, options["allow_version_labels_for_unavailable_models"]
        )
    except Fault as fault:
        raise ConfigError(
            f"{fault.message}: at the start no version is; add "
            "--allow_version_labels_for_unavailable_models"
        ) from fault
    return configs


def _fault_plan(options: Options) -> FaultPlan | None:
    if not options["neumo_faults"]:
        return None
    log.warning("--neumo_faults: THIS SERVER MAKES FAULTS ON PURPOSE; use it for tests only")
    return FaultPlan(options["neumo_faults"])


def _load_options(options: Options, plan: FaultPlan | None) -> LoadOptions:
    before = nothing if plan is None else functools.partial(load_faults.before_load, plan)
    return LoadOptions(
        poll_wait_s=float(options["file_system_poll_wait_seconds"]),
        max_retries=options["max_num_load_retries"],
        retry_interval_s=options["load_retry_interval_micros"] / 1e6,
        threads=options["num_load_threads"],
        unload_threads=options["num_unload_threads"],
        warm_up=options["enable_model_warmup"],
        # Upstream's 0 is once, too.
        warm_up_iterations=max(1, options["num_request_iterations_for_warmup"]),
        loader=_loader_options(options),
        before=before,
    )


def _loader_options(options: Options) -> LoaderOptions:
    batching = _batching(options)
    pool = batching.thread_pool_name if batching else ""
    session_config = tensorflow_runtime.session_config(options)
    return LoaderOptions(
        # A set: upstream compares the tags in any order.
        tags=frozenset(options["saved_model_tags"].split(",")),
        session_config=session_config,
        pool=SHARED_POOL if session_config.inter_op_parallelism_threads else IN_CALLERS_THREAD,
        checks_methods=options["enable_signature_method_name_check"],
        batching=batching,
        batches_per_model=options["enable_per_model_batching_parameters"],
        on_batch=lambda batch: model_metrics.batch(pool, batch.waited_s),
    )


def _batching(options: Options) -> BatchingParameters | None:
    if not options["enable_batching"]:
        return None
    if file := options["batching_parameters_file"]:
        return batching_parameters.read(Path(file))
    return BatchingParameters()


def _rpc_options(options: Options, plan: FaultPlan | None) -> RpcOptions:
    return RpcOptions(
        port=options["port"],
        socket_path=options["grpc_socket_path"],
        threads=options["grpc_max_threads"],
        arguments=channel_arguments.parse(options["grpc_channel_arguments"]),
        credentials=channel_arguments.credentials(options),
        interceptors=() if plan is None else (Interceptor(plan),),
        answers_health=options["enable_grpc_healthcheck_service"],
        as_content=options["enable_serialization_as_tensor_content"],
        allow_unavailable_labels=options["allow_version_labels_for_unavailable_models"],
    )


def _rest_options(options: Options) -> RestOptions:
    return RestOptions(
        threads=options["rest_api_num_threads"],
        timeout_s=options["rest_api_timeout_in_ms"] / 1000,
        cors=options["rest_api_enable_cors_support"],
        metrics_path=page_path(options),
    )


def _application(
    models: Models, door: Door, options: RestOptions, plan: FaultPlan | None
) -> Application:
    app = App(models, door, options)
    return app if plan is None else rest_faults.faulty(app, plan)
