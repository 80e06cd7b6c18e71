"""Requests as the official messages, made short enough to stand in a row."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)

METHODS = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}


def tensor(shape: list[int], dtype: str = "float32", **fields: Any) -> Any:
    """A ``TensorProto`` that may contradict itself."""
    proto = tensor_pb2.TensorProto(dtype=tf.as_dtype(dtype).as_datatype_enum, **fields)
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    return proto


def spec(
    request: Any,
    model: str,
    *,
    signature: str = "",
    version: int | None = None,
    label: str | None = None,
) -> Any:
    """``request`` with its ``model_spec`` filled in."""
    request.model_spec.name = model
    if signature:
        request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    return request


def classify(model: str, *examples: Any, context: Any = None, **chosen: Any) -> Any:
    """A ``ClassificationRequest`` of ``examples``."""
    request = spec(classification_pb2.ClassificationRequest(), model, **chosen)
    _fill(request.input, examples, context)
    return request


def regress(model: str, *examples: Any, context: Any = None, **chosen: Any) -> Any:
    """A ``RegressionRequest`` of ``examples``."""
    request = spec(regression_pb2.RegressionRequest(), model, **chosen)
    _fill(request.input, examples, context)
    return request


def infer(*tasks: tuple[str, str, str], examples: tuple[Any, ...]) -> Any:
    """A ``MultiInferenceRequest``; a task is a model, a signature and a method."""
    request = inference_pb2.MultiInferenceRequest()
    for model, signature, method in tasks:
        task = spec(request.tasks.add(), model, signature=signature)
        task.method_name = METHODS.get(method, method)
    _fill(request.input, examples, None)
    return request


def example(**features: Any) -> Any:
    """An ``Example``; floats, whole numbers or bytes by name."""
    made = example_pb2.Example()
    for name, values in features.items():
        feature = made.features.feature[name]
        kinds = {float: feature.float_list, int: feature.int64_list, bytes: feature.bytes_list}
        kinds[type(values[0])].value.extend(values)
    return made


def status(model: str, **chosen: Any) -> Any:
    """A ``GetModelStatusRequest``."""
    return spec(get_model_status_pb2.GetModelStatusRequest(), model, **chosen)


def metadata(model: str, *fields: str, **chosen: Any) -> Any:
    """A ``GetModelMetadataRequest``."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    return spec(request, model, **chosen)


def reload(*models: Any) -> Any:
    """A ``ReloadConfigRequest``; a model is its ``ModelConfig`` fields."""
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    for fields in models:
        request.config.model_config_list.config.add(**fields)
    return request


def _fill(input_: Any, examples: tuple[Any, ...], context: Any) -> None:
    if context is not None:
        input_.example_list_with_context.context.CopyFrom(context)
        input_.example_list_with_context.examples.extend(examples)
    elif examples:
        input_.example_list.examples.extend(examples)
