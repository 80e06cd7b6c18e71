"""Classify on a loaded version: labels and scores of examples.

Source of the checks and their texts: ``servables/tensorflow/classifier.cc``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow_serving.apis import classification_pb2

from neumo_serving import request_faults
from neumo_serving.engine import tf_examples
from neumo_serving.engine.dtypes import Array, enum_name
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.signature_lookup import CLASSIFY
from neumo_serving.engine.tf_examples import INPUTS

CLASSES = "classes"
SCORES = "scores"


def classify(model: LoadedModel, name: str, message: Any) -> Any:
    """The ``ClassificationResult`` of the signature ``name`` for an ``Input``; raises ``Fault``."""
    return tf_examples.answer(model, name, message, check, tensors, result)


def check(model: LoadedModel, signature: Any) -> None:
    """Raise ``Fault`` where ``signature`` classifies nothing."""
    if model.checks_methods and signature.method_name != CLASSIFY:
        raise request_faults.invalid(
            f"Expected classification signature method_name to be {CLASSIFY}. "
            f"Was: {signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise request_faults.invalid("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        outputs = len(signature.outputs)
        raise request_faults.invalid(f"Expected one or two output Tensors, found {outputs}")
    if INPUTS not in signature.inputs:
        raise request_faults.invalid(f"No classification inputs found in SignatureDef: {signature}")
    if not tensors(signature):
        raise request_faults.invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {signature}'
        )


def tensors(signature: Any) -> list[str]:
    """The names of the tensors that ``result`` needs."""
    known = [alias for alias in (CLASSES, SCORES) if alias in signature.outputs]
    return [signature.outputs[alias].name for alias in known]


def result(signature: Any, rows: int, arrays: Mapping[str, Array]) -> Any:
    """The ``ClassificationResult`` in the ``arrays`` by the tensors' names; raises ``Fault``."""
    classes = _matrix(signature, CLASSES, "DT_STRING", rows, arrays)
    scores = _matrix(signature, SCORES, "DT_FLOAT", rows, arrays)
    if classes is not None and scores is not None and classes.shape[1] != scores.shape[1]:
        raise request_faults.invalid(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    message = classification_pb2.ClassificationResult()
    for row in range(rows):
        _fill(
            message.classifications.add(),
            None if classes is None else classes[row].tolist(),
            None if scores is None else scores[row].tolist(),
        )
    return message


def _fill(message: Any, labels: list[bytes] | None, scores: list[float] | None) -> None:
    # Either may be missing; where both are there they are of one length.
    for place in range(len(labels if labels is not None else scores or ())):
        row = message.classes.add()
        if labels is not None:
            row.label = text(labels[place])
        if scores is not None:
            row.score = scores[place]


def text(label: bytes) -> str:
    """A label as a message can hold it: upstream sends any bytes, Python only UTF-8."""
    return label.decode("utf-8", "replace")


def _matrix(
    signature: Any, alias: str, dtype: str, rows: int, arrays: Mapping[str, Array]
) -> Array | None:
    if alias not in signature.outputs:
        return None
    array = arrays[signature.outputs[alias].name]
    if array.ndim != 2:
        shape = ",".join(map(str, array.shape))
        raise request_faults.invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got [{shape}]"
        )
    if enum_name(array) != dtype:
        raise request_faults.invalid(f"Expected {alias} Tensor of {dtype}. Got: {enum_name(array)}")
    if len(array) != rows:
        raise request_faults.invalid(
            f"Expected {alias} output batch size of {rows}. Got: {len(array)}"
        )
    return array
