"""Warm-up: recorded requests that a version answers before it is called AVAILABLE.

Source: ``servables/tensorflow/saved_model_warmup{,_util}.cc``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.python.lib.io._pywrap_record_io import RecordIterator
from tensorflow_serving.apis import prediction_log_pb2

from neumo.contract import WARMUP_ASSET
from neumo_serving import request_faults
from neumo_serving.engine import classification, inference, multi_inference, regression
from neumo_serving.engine.inference import Question
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.request_faults import Fault

MAX_RECORDS = 1000
"""Upstream's ``WarmupConsts::kMaxNumRecords``."""


def run(model: LoadedModel, folder: Path, iterations: int = 1) -> None:
    """Answer every record of the version in ``folder`` so many times.

    Raises ``Fault`` where one fails.
    """
    path = folder / WARMUP_ASSET
    if not path.exists():
        return
    for record in _records(path):
        log = _log(record, path)
        for _ in range(iterations):
            _answer(model, log)


def _records(path: Path) -> Iterator[bytes]:
    """The file's records; raises ``Fault`` where it is no TFRecord, or holds too many."""
    records = RecordIterator(str(path), "")
    for count in range(MAX_RECORDS + 1):
        try:
            with request_faults.as_faults():
                record = next(records, None)
        except Fault as fault:
            text = f"{fault.message}. Please verify your warmup data is in TFRecord format."
            raise Fault(fault.code, text) from None
        if record is None:
            return
        if count == MAX_RECORDS:
            message = f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}"
            raise request_faults.invalid(message)
        yield record


def _log(record: bytes, path: Path) -> Any:
    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        # Upstream prints the record, which may hold a film.
        raise request_faults.invalid(
            f"Failed to parse warmup record: {error} from {path}"
        ) from None


def _answer(model: LoadedModel, log: Any) -> None:
    kind = log.WhichOneof("log_type")
    if kind in _ANSWERS:
        _ANSWERS[kind](model, getattr(log, kind).request)
    # A record that holds no log is passed over, as upstream does.
    elif kind is not None:
        field = prediction_log_pb2.PredictionLog.DESCRIPTOR.fields_by_name[kind].number
        raise Fault(request_faults.UNIMPLEMENTED, f"Unsupported log_type for warmup: {field}")


def _predict(model: LoadedModel, request: Any) -> None:
    question = Question(request.model_spec.signature_name, request.inputs, request.output_filter)
    inference.predict(model, question)


def _classify(model: LoadedModel, request: Any) -> None:
    classification.classify(model, request.model_spec.signature_name, request.input)


def _regress(model: LoadedModel, request: Any) -> None:
    regression.regress(model, request.model_spec.signature_name, request.input)


_ANSWERS: dict[str, Callable[[LoadedModel, Any], object]] = {
    "predict_log": _predict,
    "classify_log": _classify,
    "regress_log": _regress,
    "multi_inference_log": multi_inference.infer,
}
