"""SavedModels as TensorFlow 1 wrote them, with signatures that parse ``tf.Example``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HALF = 0.5


def save_half_plus(folder: Path, version: int, *, method_names: bool = True) -> Path:
    """Write upstream's ``half_plus_two`` and some more: x / 2 + 2, x / 2 + 3, and labels.

    Signatures: ``serving_default`` and ``regress_x_to_y`` (two), ``regress_x_to_y2`` (three),
    ``regress_x2_to_y3`` (three, of another feature), ``classify_x_to_y`` and
    ``classify_x_to_labels``; some that are wrong; and ``asset``, the contents of a file that the
    model's initialisation reads. Without ``method_names`` every method is ``mine``.
    """
    import tensorflow as tf

    v1 = tf.compat.v1
    staged = folder / f".{version}"
    asset = folder / f"{version}.txt"
    asset.write_text("asset contents")
    builder = v1.saved_model.Builder(str(staged))
    with v1.Session(graph=tf.Graph()) as session:
        half = v1.Variable(HALF, name="half", use_resource=False)
        serialized = v1.placeholder(tf.string, name="tf_example")
        features = {
            "x": tf.io.FixedLenFeature([1], tf.float32),
            "x2": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]),
        }
        parsed = v1.parse_example(serialized, features)
        x, x2 = (tf.identity(parsed[name], name=name) for name in ("x", "x2"))
        y = tf.identity(half * x + 2.0, name="y")
        path = v1.Variable(str(asset), name="asset", trainable=False, collections=[])
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, path.initial_value)
        contents = v1.Variable("", name="contents", use_resource=True, collections=[])
        reading = contents.assign(tf.io.read_file(path.initial_value))
        tensors = {
            "serialized": serialized,
            "x": x,
            "y": y,
            "y2": tf.identity(half * x + 3.0, name="y2"),
            "y3": tf.identity(half * x2 + 3.0, name="y3"),
            "labels": tf.where(y > 3.0, tf.fill(tf.shape(y), "high"), tf.fill(tf.shape(y), "low")),
            "pair": tf.concat([y, y], 1, name="pair"),
            "asset": contents.read_value(),
        }
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map=_signatures(tensors, method_names),
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=reading.op,
            strip_default_attrs=True,
        )
    builder.save()
    return staged.rename(folder / str(version))


def _signatures(tensors: dict[str, Any], method_names: bool) -> dict[str, Any]:
    import tensorflow as tf

    build = tf.compat.v1.saved_model.build_tensor_info
    infos = {name: build(tensor) for name, tensor in tensors.items()}

    def signature(inputs: str, outputs: dict[str, str], method: str, alias: str = "inputs") -> Any:
        method = f"tensorflow/serving/{method}" if method_names else "mine"
        return tf.compat.v1.saved_model.build_signature_def(
            {alias: infos[inputs]},
            {name: infos[tensor] for name, tensor in outputs.items()},
            method,
        )

    return {
        "serving_default": signature("x", {"y": "y"}, "predict", "x"),
        "regress_x_to_y": signature("serialized", {"outputs": "y"}, "regress"),
        "regress_x_to_y2": signature("serialized", {"outputs": "y2"}, "regress"),
        "regress_x2_to_y3": signature("serialized", {"outputs": "y3"}, "regress"),
        "classify_x_to_y": signature("serialized", {"scores": "y"}, "classify"),
        "classify_x_to_labels": signature(
            "serialized", {"classes": "labels", "scores": "y"}, "classify"
        ),
        "regress_wrong": signature("serialized", {"outputs": "pair"}, "regress"),
        "classify_without_scores": signature("serialized", {"other": "y"}, "classify"),
        "classify_other_input": signature("serialized", {"scores": "y"}, "classify", "x"),
        "asset": signature("x", {"contents": "asset"}, "predict", "x"),
    }
