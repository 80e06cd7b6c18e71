"""MultiInference on a loaded version: several signatures over the same examples, in one run.

Source of the checks and their texts: ``servables/tensorflow/multi_inference.cc``.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from tensorflow_serving.apis import inference_pb2

from neumo_serving import request_faults
from neumo_serving.engine import classification, regression, tf_examples
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.signature_lookup import CLASSIFY, REGRESS, name_of
from neumo_serving.request_faults import Fault

_METHODS: dict[str, tuple[ModuleType, str]] = {
    CLASSIFY: (classification, "classification_result"),
    REGRESS: (regression, "regression_result"),
}
"""What checks and reads each method, and the field of its result."""


def infer(model: LoadedModel, request: Any) -> Any:
    """The ``MultiInferenceResponse`` without its model specifications; raises ``Fault``."""
    _check_tasks(model, request.tasks)
    signatures = [model.signatures[name_of(t.model_spec.signature_name)] for t in request.tasks]
    methods = [_METHODS[task.method_name] for task in request.tasks]
    pairs = list(zip(signatures, methods, strict=True))
    # One run for all tasks: a tensor that two signatures share is fetched once.
    fetches = sorted({name for one, (method, _) in pairs for name in method.tensors(one)})
    array = tf_examples.serialized(request.input)
    feeds = {one.inputs[tf_examples.INPUTS].name: array for one in signatures}
    arrays = dict(zip(fetches, model.run(feeds, fetches), strict=True))
    response = inference_pb2.MultiInferenceResponse()
    for signature, (method, field) in pairs:
        result = method.result(signature, len(array), arrays)
        getattr(response.results.add(), field).CopyFrom(result)
    return response


def _check_tasks(model: LoadedModel, tasks: Iterable[Any]) -> None:
    model_name = ""
    seen: set[str] = set()
    for task in tasks:
        spec = task.model_spec
        if not spec.name:
            raise request_faults.invalid("Found ModelSpec with an empty model name.")
        if model_name not in ("", spec.name):
            raise request_faults.invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        model_name = spec.name
        name = name_of(spec.signature_name)
        if name in seen:
            raise request_faults.invalid(f"Duplicate evaluation of signature: {name}")
        seen.add(name)
        if name not in model.signatures:
            raise request_faults.invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in _METHODS:
            text = f"Unsupported signature method_name: {task.method_name}"
            raise Fault(request_faults.UNIMPLEMENTED, text)
        _METHODS[task.method_name][0].check(model, model.signatures[name])
