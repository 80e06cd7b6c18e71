"""Warm-up: recorded requests that a version answers before it is called AVAILABLE.

Source: ``servables/tensorflow/saved_model_warmup_util.cc``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from neumo.contract import WARMUP_ASSET
from neumo_serving.engine import faults, inference, tensors
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.inference import Question
from neumo_serving.engine.loader import LoadedModel

MAX_RECORDS = 1000


def run(model: LoadedModel, folder: Path) -> None:
    """Answer every record of the version in ``folder``; raises ``Fault`` where one fails."""
    path = folder / WARMUP_ASSET
    if path.exists():
        for record in _records(path):
            inference.predict(model, _question(record))


def _records(path: Path) -> Iterator[bytes]:
    with faults.as_faults():
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            if number == MAX_RECORDS:
                message = f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}"
                raise faults.invalid(message)
            yield record


def _question(record: bytes) -> Question:
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise faults.invalid(f"Failed to parse warmup record: {error}") from None
    kind = log.WhichOneof("log_type")
    if kind != "predict_log":
        raise Fault(faults.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
    request = log.predict_log.request
    inputs = {name: tensors.decode(one, name) for name, one in request.inputs.items()}
    return Question(request.model_spec.signature_name, inputs, list(request.output_filter))
