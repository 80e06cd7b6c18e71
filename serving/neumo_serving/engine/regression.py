"""Regress on a loaded version: one number for each example.

Source of the checks and their texts: ``servables/tensorflow/regressor.cc``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow_serving.apis import regression_pb2

from neumo_serving import request_faults
from neumo_serving.engine import tf_examples
from neumo_serving.engine.dtypes import Array, enum_name
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.signature_lookup import REGRESS
from neumo_serving.engine.tf_examples import INPUTS

OUTPUTS = "outputs"


def regress(model: LoadedModel, name: str, message: Any) -> Any:
    """The ``RegressionResult`` of the signature ``name`` for an ``Input``; raises ``Fault``."""
    return tf_examples.answer(model, name, message, check, tensors, result)


def check(model: LoadedModel, signature: Any) -> None:
    """Raise ``Fault`` where ``signature`` regresses nothing."""
    if model.checks_methods and signature.method_name != REGRESS:
        raise request_faults.invalid(
            f"Expected regression signature method_name to be {REGRESS}. "
            f"Was: {signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise request_faults.invalid("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise request_faults.invalid("Expected one output Tensor.")
    for what, alias, known in (
        ("inputs", INPUTS, signature.inputs),
        ("outputs", OUTPUTS, signature.outputs),
    ):
        if alias not in known:
            raise request_faults.invalid(f"No regression {what} found in SignatureDef: {signature}")


def tensors(signature: Any) -> list[str]:
    """The names of the tensors that ``result`` needs."""
    return [signature.outputs[OUTPUTS].name]


def result(signature: Any, rows: int, arrays: Mapping[str, Array]) -> Any:
    """The ``RegressionResult`` in the ``arrays`` by the tensors' names; raises ``Fault``."""
    array = arrays[signature.outputs[OUTPUTS].name]
    if not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)):
        shape = ",".join(map(str, array.shape))
        raise request_faults.invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"[{shape}]"
        )
    if len(array) != rows:
        raise request_faults.invalid(
            f"Input batch size did not match output batch size: {rows} vs. {len(array)}"
        )
    if enum_name(array) != "DT_FLOAT":
        raise request_faults.invalid(
            # Two blanks, as upstream has them.
            f"Expected output Tensor of DT_FLOAT.  Got: {enum_name(array)}"
        )
    message = regression_pb2.RegressionResult()
    for value in array.ravel().tolist():
        message.regressions.add().value = value
    return message
