"""The whole server: models loaded, then both ports opened; drained when told to stop."""

from __future__ import annotations

import gc
import logging
import os
import queue
import signal
import socket
import threading
from pathlib import Path

import tensorflow as tf
import uvicorn

from neumo.errors import ConfigError
from neumo_serving import config, shipped
from neumo_serving.engine import batching_parameters
from neumo_serving.engine.batching_parameters import BatchingParameters
from neumo_serving.engine.lifecycle import LoadOptions, Models
from neumo_serving.engine.loader import LoaderOptions
from neumo_serving.engine.source import ModelConfig
from neumo_serving.flags import PARALLELISM, Options
from neumo_serving.rest.app import App
from neumo_serving.rpc import server as rpc

log = logging.getLogger(__name__)

HOST = "0.0.0.0"  # noqa: S104 - TensorFlow Serving listens on every interface too
BACKLOG = 1024
DRAIN_S = 25.0
"""For requests under way at the end; Kubernetes kills 30 s after its SIGTERM."""


def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered.

    Raises ``ConfigError`` where the configuration cannot be served, and ``Fault`` where a model
    cannot be loaded.
    """
    # TensorFlow's modules are a million objects: walking them in each full collection stops
    # every request for 0.2 s. What is loaded later is still collected, but not for every JSON
    # body, which makes 65,000 objects of one film.
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    _check_port_is_free(options["port"])
    http_socket = _bound(options["rest_api_port"]) if options["rest_api_port"] else None
    models = Models(_configs(options), _load_options(options))
    stopping = _stop_on_signal(models)
    _set_parallelism(options)
    models.start()
    if not stopping.is_set():
        _serve(models, options, http_socket, stopping)


def _stop_on_signal(models: Models) -> threading.Event:
    """SIGTERM or SIGINT sets the event and ends loading; a second one ends the process."""
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    stopping = threading.Event()

    def watch() -> None:
        signals.get()
        stopping.set()
        models.stop()
        os._exit(128 + signals.get())

    threading.Thread(target=watch, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        # A handler may interrupt any lock's holder, so it takes none: SimpleQueue's put is safe.
        signal.signal(number, lambda received, _frame: signals.put(received))
    return stopping


def _serve(
    models: Models,
    options: Options,
    http_socket: socket.socket | None,
    stopping: threading.Event,
) -> None:
    address = f"{HOST}:{options['port']}"
    as_content = options["enable_serialization_as_tensor_content"]
    grpc = rpc.make(models, address, options["grpc_max_threads"], as_content)
    http = _Http(models, options, http_socket) if http_socket else None
    grpc.start()
    if http:
        http.start()
    rest = f", REST on port {options['rest_api_port']}" if http else ""
    log.info("ready: gRPC on port %d%s", options["port"], rest)
    stopping.wait()
    log.info("stopping: answering what is under way")
    grpc_stopped = grpc.stop(DRAIN_S)
    if http:
        http.stop()
    grpc_stopped.wait(DRAIN_S)


class _Http:
    """uvicorn on a thread of its own."""

    def __init__(self, models: Models, options: Options, bound: socket.socket) -> None:
        app = App(models, options["rest_api_num_threads"], options["rest_api_timeout_in_ms"] / 1000)
        self._socket = bound
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=int(DRAIN_S),
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="http", daemon=True
        )

    def start(self) -> None:
        """Accept connections."""
        self._socket.listen(BACKLOG)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, and wait for the answers under way."""
        self._server.should_exit = True
        self._thread.join(DRAIN_S)


def _check_port_is_free(port: int) -> None:
    """Before minutes are spent on loading: gRPC cannot bind early without accepting, too."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise rpc.port_taken(port) from error


def _bound(port: int) -> socket.socket:
    """A socket that holds ``port`` but does not listen: connections are refused until it does."""
    # Without the protocol asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except OSError as error:
        made.close()
        raise ConfigError(
            f"port {port} is taken ({error.strerror}): stop what listens there, or give another "
            "--rest_api_port"
        ) from error
    return made


def _configs(options: Options) -> tuple[ModelConfig, ...]:
    if not options.names_models:
        return shipped.models()
    if options.model_config_file is not None:
        configs = config.read(options.model_config_file)
    else:
        configs = (config.single(options["model_name"], options["model_base_path"]),)
    if not options["allow_version_labels_for_unavailable_models"]:
        config.refuse_labels(configs)
    return configs


def _load_options(options: Options) -> LoadOptions:
    return LoadOptions(
        poll_wait_s=float(options["file_system_poll_wait_seconds"]),
        max_retries=options["max_num_load_retries"],
        retry_interval_s=options["load_retry_interval_micros"] / 1e6,
        threads=options["num_load_threads"],
        warm_up=options["enable_model_warmup"],
        warm_up_iterations=options["num_request_iterations_for_warmup"],
        loader=_loader_options(options),
    )


def _loader_options(options: Options) -> LoaderOptions:
    return LoaderOptions(
        checks_methods=options["enable_signature_method_name_check"],
        batching=_batching(options),
        batches_per_model=options["enable_per_model_batching_parameters"],
    )


def _batching(options: Options) -> BatchingParameters | None:
    if not options["enable_batching"]:
        return None
    if file := options["batching_parameters_file"]:
        return batching_parameters.read(Path(file))
    return BatchingParameters()


def _set_parallelism(options: Options) -> None:
    both, intra, inter = (options[name] for name in PARALLELISM)
    if not intra and not inter:
        intra = inter = both
    tf.config.threading.set_intra_op_parallelism_threads(intra)
    tf.config.threading.set_inter_op_parallelism_threads(inter)
