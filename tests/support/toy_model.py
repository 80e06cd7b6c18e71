"""A small model of many signatures, and what asks a server about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from neumo.testing import EmbeddedServer
from support.patience import patience

MODEL = "toy"
CONFIG = """model_config_list {{
  config {{
    name: "{model}" base_path: "{base_path}" model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 2 }} }}
    version_labels {{ key: "stable" value: 1 }}
  }}
}}
"""


def save_toy(folder: Path, version: int, *, warmup: bytes | None = None) -> Path:
    """Write version ``version`` of the toy: its default signature multiplies by it."""
    import tensorflow as tf

    class Toy(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(float(version))

        def times(self, x: Any) -> dict[str, Any]:
            rows = tf.shape(x)[0]
            return {
                "y": x * self.factor,
                "version": tf.fill([rows], tf.constant(version, tf.int64)),
            }

        def single(self, x: Any) -> dict[str, Any]:
            return {"y": x * self.factor}

        def echo(self, i: Any, s: Any, b: Any) -> dict[str, Any]:
            return {"i": i, "s": s, "b": b, "raw_bytes": s}

        def uneven(self, x: Any) -> dict[str, Any]:
            return {"whole": x, "total": tf.reduce_sum(x), "twice": tf.concat([x, x], 0)}

        def ragged(self, x: Any) -> dict[str, Any]:
            return {"whole": x, "twice": tf.concat([x, x], 0)}

        def slow(self, steps: Any) -> dict[str, Any]:
            square = tf.eye(200)
            done = tf.while_loop(
                lambda i, _: i < steps[0], lambda i, m: (i + 1, m @ square), (0, tf.eye(200))
            )
            trace = tf.linalg.trace(done[1])  # what is not used would be optimised away
            return {"steps": tf.reshape(done[0], [1]), "trace": tf.reshape(trace, [1])}

    toy = Toy()
    x = tf.TensorSpec([None, 2], tf.float32, "x")
    inputs = {
        "times": [x],
        "single": [x],
        "uneven": [x],
        "ragged": [x],
        "slow": [tf.TensorSpec([1], tf.int32, "steps")],
        "echo": [
            tf.TensorSpec([None], tf.int32, "i"),
            tf.TensorSpec([None], tf.string, "s"),
            tf.TensorSpec([None], tf.bool, "b"),
        ],
    }
    functions = {
        name: tf.function(getattr(toy, name), input_signature=specs).get_concrete_function()
        for name, specs in inputs.items()
    }
    functions["serving_default"] = functions.pop("times")
    staged = folder / f".{version}"
    tf.saved_model.save(toy, str(staged), signatures=functions)
    if warmup is not None:
        assets = staged / "assets.extra"
        assets.mkdir()
        with tf.io.TFRecordWriter(str(assets / "tf_serving_warmup_requests")) as file:
            file.write(warmup)
    return staged.rename(folder / str(version))


def write_config(path: Path, store: Path, model: str = MODEL) -> Path:
    """A configuration that serves the two newest versions of the toy, version 1 as stable."""
    path.write_text(CONFIG.format(model=model, base_path=store))
    return path


@dataclass(frozen=True)
class Running:
    """A server under test, and stubs to ask it."""

    server: EmbeddedServer
    channel: grpc.Channel

    @property
    def rest(self) -> str:
        """The URL of its REST API."""
        return self.server.http_url

    @property
    def prediction(self) -> Any:
        """The official stub of PredictionService."""
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    @property
    def model(self) -> Any:
        """The official stub of ModelService."""
        from tensorflow_serving.apis import model_service_pb2_grpc

        return model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, inputs: dict[str, Any], **options: Any) -> Any:
        """Send Predict and return the response; see ``predict_request``."""
        return self.prediction.Predict(predict_request(inputs, **options), timeout=patience(60))


def predict_request(
    inputs: dict[str, Any],
    *,
    model: str = MODEL,
    signature: str = "",
    version: int | None = None,
    label: str | None = None,
    outputs: tuple[str, ...] = (),
) -> Any:
    """An official ``PredictRequest``; arrays become tensors."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for name, value in inputs.items():
        is_proto = hasattr(value, "tensor_shape")
        request.inputs[name].CopyFrom(value if is_proto else tf.make_tensor_proto(value))
    request.output_filter.extend(outputs)
    return request


def connected(server: EmbeddedServer) -> Running:
    """``server`` with an open channel."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    target = server.grpc_url.removeprefix("grpc://")
    return Running(server, grpc.insecure_channel(target, options=options))
