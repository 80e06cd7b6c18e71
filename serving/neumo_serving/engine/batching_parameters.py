"""The batching parameters file, read into plain data.

Source: ``servables/tensorflow/session_bundle_config.proto`` with ``bundle_factory_util.{h,cc}``.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from neumo.errors import ConfigError
from neumo_serving._proto import by_upstreams_names, server_config_pb2

PER_MODEL_FILE = "batching_params.pbtxt"
"""In a version's folder, with ``--enable_per_model_batching_parameters``."""

_WRAPPED = (
    "max_batch_size",
    "batch_timeout_micros",
    "max_enqueued_batches",
    "num_batch_threads",
    "thread_pool_name",
    "enable_large_batch_splitting",
    "max_execution_batch_size",
)
"""Fields in one of protobuf's wrappers: 0 is a value, and a field that is not given has none."""


@dataclass(frozen=True, slots=True)
class BatchingParameters:
    """How requests are put together; the defaults are upstream's.

    A batch is run when it has ``max_batch_size`` rows or its first has waited
    ``batch_timeout_micros``. ``allowed_batch_sizes``, where there are any, are the sizes that
    batches are padded to. A request of more rows than ``max_batch_size`` is refused; with
    ``enable_large_batch_splitting`` one of more than ``max_execution_batch_size`` is split.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    thread_pool_name: str = "model_server_batch_threads"
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0

    @property
    def largest_batch(self) -> int:
        """The most rows that are run at once."""
        if self.enable_large_batch_splitting:
            return self.max_execution_batch_size or self.max_batch_size
        return self.max_batch_size


def read(path: Path) -> BatchingParameters:
    """The parameters in the file at ``path``; raises ``ConfigError``."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the batching parameters cannot be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> BatchingParameters:
    """The parameters in ``text``; ``name`` is what an error calls it."""
    message = server_config_pb2.BatchingParameters()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        text = f"Invalid protobuf file: '{name}' is no BatchingParameters: {error}"
        raise ConfigError(by_upstreams_names(text)) from error
    given: dict[str, Any] = {
        field: getattr(message, field).value for field in _WRAPPED if message.HasField(field)
    }
    parameters = BatchingParameters(
        allowed_batch_sizes=tuple(message.allowed_batch_sizes),
        pad_variable_length_inputs=message.pad_variable_length_inputs,
        **given,
    )
    for fault in _faults(parameters):
        raise ConfigError(f"{name}: {fault}")
    return parameters


def _faults(parameters: BatchingParameters) -> list[str]:
    faults = [
        f"{field} must be positive; was {getattr(parameters, field)}"
        for field in ("num_batch_threads", "max_batch_size", "max_enqueued_batches")
        if getattr(parameters, field) < 1
    ]
    if parameters.batch_timeout_micros < 0:
        text = "batch_timeout_micros must be non-negative; was "
        faults.append(f"{text}{parameters.batch_timeout_micros}")
    return faults + _size_faults(parameters, parameters.allowed_batch_sizes)


def _size_faults(parameters: BatchingParameters, sizes: Sequence[int]) -> list[str]:
    faults = []
    if any(size >= following for size, following in itertools.pairwise(sizes)):
        faults.append("allowed_batch_sizes entries must be monotonically increasing")
    if sizes and sizes[-1] != parameters.max_batch_size:
        faults.append(
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was "
            f"{sizes[-1]}; expected {parameters.max_batch_size}"
        )
    if parameters.largest_batch > parameters.max_batch_size:
        faults.append(
            "max_batch_size must be greater than or equal to max_execution_batch_size; was "
            f"{parameters.max_batch_size} and {parameters.largest_batch}"
        )
    return faults
