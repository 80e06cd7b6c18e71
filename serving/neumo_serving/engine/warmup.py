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
from neumo_serving.engine import faults, inference
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
    """The file's records; raises ``Fault`` where it is no TFRecord, or holds too many."""
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    for number in range(MAX_RECORDS + 1):
        try:
            with faults.as_faults():
                record = next(records, None)
        except Fault as fault:
            text = f"{fault.message}. Please verify your warmup data is in TFRecord format."
            raise Fault(fault.code, text) from None
        if record is None:
            return
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
    return Question(request.model_spec.signature_name, request.inputs, request.output_filter)
