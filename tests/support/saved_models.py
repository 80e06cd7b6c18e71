"""Small SavedModels of every kind that a server meets: TensorFlow 1 graphs, modules, Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

VERSION = "00000123"
"""As upstream's own test models number theirs: with leading zeros."""

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
PREDICT = "tensorflow/serving/predict"
LABELS = (b"no", b"yes")


def save_half_plus(folder: Path, offset: float) -> None:
    """Write a TensorFlow 1 graph, y = x / 2 + ``offset``, fed by values or by serialized examples.

    It has an asset and a main operation, as graphs of that time have.
    """
    v1 = tf.compat.v1
    asset = folder / "notes.txt"
    folder.mkdir(parents=True)
    asset.write_text("an asset")
    with v1.Graph().as_default(), v1.Session() as session:
        half, two, three = (v1.Variable(value) for value in (0.5, offset, 3.0))
        examples = v1.placeholder(tf.string, name="tf_example", shape=[None])
        default = {"x2": v1.FixedLenFeature([1], tf.float32, [0.0])}
        parsed = v1.parse_example(examples, {"x": v1.FixedLenFeature([1], tf.float32), **default})
        x, x2 = (tf.identity(parsed[name], name) for name in ("x", "x2"))
        y = tf.identity(half * x + two, "y")
        y2 = tf.identity(half * x + three, "y2")
        y3 = tf.identity(half * x2 + three, "y3")
        path = tf.constant(str(asset))
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, path)
        noted = v1.Variable("", trainable=False, collections=[])
        signatures = {
            "serving_default": _signature({"x": x}, {"y": y}, PREDICT),
            "classify_x_to_y": _signature({"inputs": examples}, {"scores": y}, CLASSIFY),
            "regress_x_to_y": _signature({"inputs": examples}, {"outputs": y}, REGRESS),
            "regress_x_to_y2": _signature({"inputs": examples}, {"outputs": y2}, REGRESS),
            "regress_x2_to_y3": _signature({"inputs": x2}, {"outputs": y3}, REGRESS),
        }
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder / VERSION))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map=signatures,
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=tf.group(noted.assign("noted")),
        )
        builder.save()
    asset.unlink()


def save_judges(folder: Path) -> None:
    """Write a TensorFlow 1 graph whose classifications and regressions are right or wrong."""
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        examples = v1.placeholder(tf.string, name="examples", shape=[None])
        others = v1.placeholder(tf.string, name="others", shape=[None])
        feature = {"x": v1.FixedLenFeature([2], tf.float32, [0.0, 0.0])}
        x = v1.parse_example(examples, feature)["x"]
        rows = tf.shape(x)[0]
        labels = tf.tile(tf.constant([list(LABELS)]), [rows, 1])
        given, fed = {"inputs": examples}, {"inputs": others}
        signatures = {
            "labels_and_scores": _signature(given, {"classes": labels, "scores": x}, CLASSIFY),
            "labels": _signature(given, {"classes": labels}, CLASSIFY),
            "scores": _signature(given, {"scores": x}, CLASSIFY),
            "flat_scores": _signature(given, {"scores": x[:, 0]}, CLASSIFY),
            "whole_scores": _signature(given, {"scores": tf.cast(x, tf.int32)}, CLASSIFY),
            "odd_outputs": _signature(given, {"a": x}, CLASSIFY),
            "odd_input": _signature({"a": examples}, {"scores": x}, CLASSIFY),
            "sum": _signature(given, {"outputs": tf.reduce_sum(x, 1)}, REGRESS),
            "wide": _signature(given, {"outputs": x}, REGRESS),
            "total": _signature(given, {"outputs": tf.reduce_sum(x, keepdims=True)[0]}, REGRESS),
            "odd_regression": _signature({"a": examples}, {"outputs": x[:, 0]}, REGRESS),
            "other_input": _signature(
                fed, {"outputs": tf.cast(v1.strings.length(others), tf.float32)}, REGRESS
            ),
            "serving_default": _signature({"x": x}, {"y": x + 1.0}, PREDICT),
            "unknown_method": _signature({"x": x}, {"y": x + 1.0}, "neumo/unknown"),
        }
        builder = v1.saved_model.Builder(str(folder / VERSION))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()


def save_half_plus_two_module(folder: Path) -> None:
    """Write y = x / 2 + 2 as TensorFlow 2 does, with a classification and a regression."""
    features = {"x": tf.io.FixedLenFeature([1], tf.float32)}
    root = tf.Module()
    root.half, root.two = tf.Variable(0.5), tf.Variable(2.0)

    def of_values(x: Any) -> Any:
        return root.half * x + root.two

    def of_examples(inputs: Any) -> Any:
        return of_values(tf.io.parse_example(inputs, features)["x"])

    examples = tf.TensorSpec([None], tf.string, "inputs")
    signatures = {
        "serving_default": _concrete(
            lambda x: {"y": of_values(x)}, tf.TensorSpec([None, 1], tf.float32, "x")
        ),
        "classify_x_to_y": _concrete(lambda inputs: {"scores": of_examples(inputs)}, examples),
        "regress_x_to_y": _concrete(lambda inputs: {"outputs": of_examples(inputs)}, examples),
    }
    target = folder / VERSION
    tf.saved_model.save(root, str(target), signatures=signatures)
    _rename_methods(target, {"classify_x_to_y": CLASSIFY, "regress_x_to_y": REGRESS})


def save_checkpoint_function(folder: Path) -> None:
    """Write one concrete function of unknown rank as the only signature: y = 6 x."""
    root = tf.train.Checkpoint()
    root.three, root.two = tf.Variable(3.0), tf.Variable(2.0)
    root.f = tf.function(lambda x: {"y": root.three * root.two * x})
    only = root.f.get_concrete_function(tf.TensorSpec(None, tf.float32, "x"))
    tf.saved_model.save(root, str(folder / VERSION), only)


def save_constants(folder: Path) -> None:
    """Write signatures that leave their input unread and answer scalars, and one without input."""
    root = tf.train.Checkpoint()
    spec = [tf.TensorSpec(None, tf.float32, "x")]
    root.f = tf.function(lambda x: {"y": tf.constant(1.0)}, input_signature=spec)
    root.g = tf.function(lambda x: {"y": tf.constant(2.0)}, input_signature=spec)
    root.h = tf.function(lambda: {"y": tf.constant([3.0])}, input_signature=[])
    signatures = {"serving_default": root.f, "custom_signature_key": root.g, "no_input": root.h}
    tf.saved_model.save(root, str(folder / VERSION), signatures=signatures)


def save_keras(folder: Path) -> None:
    """Write a sequential Keras model that answers its input."""
    model = tf.keras.Sequential([tf.keras.layers.Input((1,), name="x")])
    model.add(tf.keras.layers.Activation("linear", name="y"))
    function = _concrete(lambda x: {"y": model(x)}, tf.TensorSpec([None, 1], tf.float32, "x"))
    tf.saved_model.save(model, str(folder / VERSION), signatures={"serving_default": function})


def save_mirrored(folder: Path) -> None:
    """Write a model whose variable is mirrored over two devices."""
    root = tf.Module()
    with tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]).scope():
        root.one = tf.Variable([[1.0]])
    function = _concrete(lambda x: {"y": x @ root.one}, tf.TensorSpec([None, 1], tf.float32, "x"))
    tf.saved_model.save(root, str(folder / VERSION), signatures={"serving_default": function})


def save_kinds(folder: Path) -> None:
    """Write a signature for each dtype, named after it, that answers its input ``x`` as ``y``.

    Beside them one to each of some, such as ``to_half``, of floats; and ``no_rows`` of no float.
    """
    kinds = ["float32", "float64", "half", "bfloat16", "int8", "int16", "int32", "int64"]
    kinds += ["uint8", "uint16", "uint32", "uint64", "bool", "string", "complex64", "complex128"]
    kinds += ["qint8", "quint8", "qint16", "quint16", "qint32"]
    signatures = {
        kind: _concrete(
            lambda x: {"y": tf.identity(x)}, tf.TensorSpec(None, tf.as_dtype(kind), "x")
        )
        for kind in kinds
    }
    floats = tf.TensorSpec([None], tf.float32, "x")
    for kind in ("half", "bfloat16", "uint16", "complex64"):
        signatures[f"to_{kind}"] = _concrete(lambda x, to=kind: {"y": tf.cast(x, to)}, floats)
    signatures["no_rows"] = _concrete(lambda x: {"y": x[:0]}, floats)
    tf.saved_model.save(tf.Module(), str(folder / VERSION), signatures=signatures)


def split_processor() -> None:
    """Make two devices of the processor, before TensorFlow has looked at it."""
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, halves)


def _concrete(function: Any, spec: Any) -> Any:
    return tf.function(function, input_signature=[spec]).get_concrete_function()


def _signature(inputs: dict[str, Any], outputs: dict[str, Any], method: str) -> Any:
    v1 = tf.compat.v1.saved_model
    infos = [
        {name: v1.build_tensor_info(tensor) for name, tensor in tensors.items()}
        for tensors in (inputs, outputs)
    ]
    return v1.build_signature_def(*infos, method)


def _rename_methods(folder: Path, methods: dict[str, str]) -> None:
    """TensorFlow 2 calls every signature's method predict; the file is changed afterwards."""
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for name, method in methods.items():
        model.meta_graphs[0].signature_def[name].method_name = method
    path.write_bytes(model.SerializeToString())
