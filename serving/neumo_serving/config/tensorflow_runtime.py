"""TensorFlow's runtime, as flags set it: once, before anything runs.

Upstream: ``model_servers/server.cc``.
"""

from __future__ import annotations

from typing import Any

from tensorflow.core.protobuf import config_pb2
from tensorflow.python.eager import context

from neumo_serving.config import textproto
from neumo_serving.config.flags import PARALLELISM, Options


def session_config(options: Options) -> Any:
    """The ``ConfigProto`` that the ``tensorflow_…`` and GPU flags make; raises ``ConfigError``."""
    config: Any = config_pb2.ConfigProto()
    textproto.read_flag(options, "tensorflow_session_config_file", config)
    fraction = options["per_process_gpu_memory_fraction"]
    if fraction:
        config.gpu_options.per_process_gpu_memory_fraction = fraction
    # --tensorflow_session_parallelism stands for the other two where neither is given.
    both, intra, inter = (options[name] for name in PARALLELISM)
    if not intra and not inter:
        intra = inter = both
    # A flag that is not given leaves what the file says.
    if intra:
        config.intra_op_parallelism_threads = intra
    if inter:
        config.inter_op_parallelism_threads = inter
    return config


def configure(config: Any) -> None:
    """Run everything by ``config`` from now on; nothing may have run yet."""
    # TensorFlow 2 has no public way to give all of it; it is read when the runtime starts.
    context.context()._config = config
