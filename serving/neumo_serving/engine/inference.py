"""Predict on a loaded version: what is asked is checked as TensorFlow Serving checks it.

Source of the checks and their texts: ``servables/tensorflow/predict_util.cc``, and TensorFlow's
``cc/saved_model/util.cc``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumo_serving import request_faults
from neumo_serving.engine import tensor_conversion
from neumo_serving.engine.dtypes import Array, cpp_name, dtype_name, numpy_dtype
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.signature_lookup import CLASSIFY, PREDICT, REGRESS, joined, name_of
from neumo_serving.request_faults import Fault

METHODS = (PREDICT, CLASSIFY, REGRESS)


@dataclass(frozen=True, slots=True)
class Question:
    """What Predict is asked.

    ``signature`` is its name, '' for the default; ``inputs`` are arrays or ``TensorProto``, which
    are read when their names are known to be right; ``output_filter`` is empty for all outputs.
    """

    signature: str
    inputs: Mapping[str, Any]
    output_filter: Sequence[str] = ()


def predict(model: LoadedModel, question: Question) -> dict[str, Array]:
    """The outputs by name; raises ``Fault`` for a question that the signature does not allow."""
    name = name_of(question.signature)
    signature = model.signatures.get(name)
    if signature is None:
        raise Fault(
            request_faults.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    if model.checks_methods and signature.method_name not in METHODS:
        raise Fault(
            request_faults.INTERNAL,
            "Expected prediction signature method_name to be one of "
            f"{{{', '.join(METHODS)}}}. Was: {signature.method_name}",
        )
    # Inputs before outputs: a request that is wrong in both is told of its inputs, as upstream's.
    feeds = _feeds(signature, question.inputs)
    outputs = _outputs(signature, question.output_filter)
    fetches = [signature.outputs[alias].name for alias in outputs]
    return dict(zip(outputs, model.run(feeds, fetches), strict=True))


def _feeds(signature: Any, inputs: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays by the names of their tensors, in whose order TensorFlow counts arguments."""
    _check_number(signature, inputs)
    arrays = {alias: _array(signature, inputs, alias) for alias in sorted(signature.inputs)}
    if strange := inputs.keys() - arrays.keys():
        used = joined(inputs.keys() - strange)
        raise request_faults.invalid(
            f"Inputs contains invalid name. Used request inputs: {used}, request input: "
            f"{joined(inputs)}"
        )
    named = sorted((signature.inputs[alias].name, alias) for alias in arrays)
    for position, (_, alias) in enumerate(named):
        _check_dtype(position, arrays[alias], signature.inputs[alias].dtype)
    return {tensor: arrays[alias] for tensor, alias in named}


def _check_number(signature: Any, inputs: Mapping[str, Any]) -> None:
    sent, expected = set(inputs), set(signature.inputs)
    # With defaults fewer may be right; which are missing is then looked at one by one.
    too_few = len(sent) < len(expected) and not signature.defaults
    if too_few or len(sent) > len(expected):
        raise request_faults.invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({{{joined(sent)}}}) != len({{{joined(expected)}}}). "
            f"Sent extra: {{{joined(sent - expected)}}}. "
            f"Missing but required: {{{joined(expected - sent)}}}."
        )


def _array(signature: Any, inputs: Mapping[str, Any], alias: str) -> Array:
    if alias in inputs:
        value = inputs[alias]
        return value if isinstance(value, np.ndarray) else tensor_conversion.decode(value, alias)
    if alias in signature.defaults:
        return tensor_conversion.decode(signature.defaults[alias], alias)
    raise request_faults.invalid(
        f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found in "
        "request and no default value provided. Inputs expected to be in the request "
        f"{{{joined(inputs)}}}, or default input alias set: {joined(signature.defaults)}"
    )


def _check_dtype(position: int, array: Array, expected: int) -> None:
    """With the text of TensorFlow's session; its callables would only name a node."""
    dtype = numpy_dtype(expected)
    # numpy's own texts (kinds S and U) may stand for TensorFlow's strings, which are objects.
    if array.dtype != dtype and not (array.dtype.kind in "SU" and dtype.kind == "O"):
        name = "string" if array.dtype.kind in "OSU" else array.dtype.name
        raise request_faults.invalid(
            f"Expects arg[{position}] to be {cpp_name(dtype_name(expected))} but "
            f"{cpp_name(name)} is provided"
        )


def _outputs(signature: Any, output_filter: Sequence[str]) -> list[str]:
    for position, name in enumerate(output_filter):
        if name not in signature.outputs:
            raise request_faults.invalid(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{joined(signature.outputs)}}}."
            )
        if name in output_filter[:position]:
            raise request_faults.invalid(f"duplicate output tensor alias: {name}")
    # Protobuf's maps have no order of their own; the answers' should be the same each time.
    return sorted(output_filter) or sorted(signature.outputs)
