"""SavedModels in the engine: how they are found, initialised, run and let go of."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from neumo_serving.engine import dtypes, inference, saved_model, tensor_conversion, warmup_replay
from neumo_serving.engine.inference import Question
from neumo_serving.engine.saved_model import LoaderOptions
from neumo_serving.request_faults import Fault
from support.toy_model import save_toy
from support.toy_models_v1 import save_half_plus

X = np.array([2.0, 10.0], np.float32)


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """The folder of a version that TensorFlow 1 wrote."""
    return save_half_plus(tmp_path_factory.mktemp("half"), 1)


@pytest.fixture(scope="module")
def model(half):
    """It, loaded."""
    loaded = saved_model.load(half)
    yield loaded
    loaded.close()


def fault(action):
    """The code and the text of the fault that ``action`` raises."""
    with pytest.raises(Fault) as raised:
        action()
    return raised.value.code, raised.value.message


def test_a_model_of_tensorflow_1_is_run(model):
    """Its variables are restored, and an input need not be a placeholder."""
    outputs = inference.predict(model, Question("", {"x": X}))
    np.testing.assert_array_equal(outputs["y"], [3.0, 7.0])


def test_a_model_reads_its_files(model):
    """The initialisation gets the paths of the version's assets (cc/saved_model/loader.cc)."""
    outputs = inference.predict(model, Question("asset", {"x": X}))
    assert outputs["contents"].tolist() == b"asset contents"


def test_a_saved_model_may_be_text(half, tmp_path):
    """``saved_model.pbtxt`` is read where there is no ``saved_model.pb`` (reader.cc)."""
    saved = saved_model_pb2.SavedModel.FromString((half / saved_model.FILE).read_bytes())
    (tmp_path / saved_model.TEXT_FILE).write_text(text_format.MessageToString(saved))
    (tmp_path / "variables").symlink_to(half / "variables")
    (tmp_path / "assets").symlink_to(half / "assets")
    loaded = saved_model.load(tmp_path)
    assert inference.predict(loaded, Question("", {"x": X}))["y"].tolist() == [3.0, 7.0]


def test_a_folder_without_a_saved_model_is_not_found(tmp_path):
    """In upstream's words (reader.cc)."""
    assert fault(lambda: saved_model.load(tmp_path)) == (
        "NOT_FOUND",
        "Could not find SavedModel .pb or .pbtxt at supplied export directory path: "
        f"{tmp_path}. Check that the directory exists and that you have the right permissions for "
        "accessing it.",
    )


def test_the_tags_must_be_those_of_a_graph(half):
    """All of them, and no others (reader.cc)."""
    options = LoaderOptions(tags=frozenset({"serve", "gpu"}))
    code, text = fault(lambda: saved_model.load(half, options))
    assert code == "NOT_FOUND"
    assert text.startswith(
        "Could not find meta graph def matching supplied tags: { gpu serve }. To inspect available"
    )


def test_a_file_that_is_no_saved_model_is_refused(tmp_path):
    """With the path, and no traceback."""
    (tmp_path / saved_model.FILE).write_bytes(b"nothing")
    code, text = fault(lambda: saved_model.load(tmp_path))
    assert code == "INVALID_ARGUMENT"
    assert str(tmp_path) in text


def test_a_model_of_an_unknown_operation_is_refused(half, tmp_path):
    """With TensorFlow's own code and text."""
    saved = saved_model_pb2.SavedModel.FromString((half / saved_model.FILE).read_bytes())
    saved.meta_graphs[0].graph_def.node.add(name="strange", op="Strange")
    (tmp_path / saved_model.FILE).write_bytes(saved.SerializeToString())
    code, text = fault(lambda: saved_model.load(tmp_path))
    assert code == "NOT_FOUND"
    assert "Op type not registered 'Strange'" in text


def test_missing_variables_fail_the_load(half, tmp_path):
    """The index is there and the data is not: TensorFlow says which file."""
    (tmp_path / saved_model.FILE).write_bytes((half / saved_model.FILE).read_bytes())
    (tmp_path / "variables").mkdir()
    index = (half / "variables" / "variables.index").read_bytes()
    (tmp_path / "variables" / "variables.index").write_bytes(index)
    code, text = fault(lambda: saved_model.load(tmp_path))
    assert code in ("DATA_LOSS", "NOT_FOUND")
    assert "variables" in text


def test_a_signature_that_names_no_tensor_is_told_so(half, tmp_path):
    """The load succeeds, as upstream's does; the request gets TensorFlow's text."""
    saved = saved_model_pb2.SavedModel.FromString((half / saved_model.FILE).read_bytes())
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    signature.outputs["y"].name = "nowhere:0"
    (tmp_path / saved_model.FILE).write_bytes(saved.SerializeToString())
    (tmp_path / "variables").symlink_to(half / "variables")
    (tmp_path / "assets").symlink_to(half / "assets")
    loaded = saved_model.load(tmp_path)
    code, text = fault(lambda: inference.predict(loaded, Question("", {"x": X})))
    assert code == "INVALID_ARGUMENT"
    assert "nowhere:0" in text


def test_a_default_stands_for_an_input_that_is_left_out(half, tmp_path):
    """As the signature's ``defaults`` say (cc/saved_model/util.cc)."""
    saved = saved_model_pb2.SavedModel.FromString((half / saved_model.FILE).read_bytes())
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    signature.defaults["x"].CopyFrom(tf.make_tensor_proto(X))
    (tmp_path / saved_model.FILE).write_bytes(saved.SerializeToString())
    (tmp_path / "variables").symlink_to(half / "variables")
    (tmp_path / "assets").symlink_to(half / "assets")
    loaded = saved_model.load(tmp_path)
    assert inference.predict(loaded, Question("", {}))["y"].tolist() == [3.0, 7.0]
    assert fault(lambda: inference.predict(loaded, Question("", {"z": X}))) == (
        "INVALID_ARGUMENT",
        "Inputs contains invalid name. Used request inputs: , request input: z",
    )


def test_outputs_may_be_asked_for_in_any_combination(tmp_path):
    """Each set is compiled once; the oldest is forgotten when there are many."""
    loaded = saved_model.load(save_toy(tmp_path, 2))
    x = X.reshape(1, 2)
    for outputs in (("y",), ("version",), ("version", "y"), ("y", "version")) * 2:
        found = inference.predict(loaded, Question("", {"x": x}, outputs))
        assert sorted(found) == sorted(outputs)
    loaded.close()


DTYPES = [
    *("half", "bfloat16", "float", "double", "bool", "complex64", "complex128"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("qint8", "qint16", "qint32", "quint8", "quint16"),
]


@pytest.mark.parametrize("as_content", [False, True])
@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_goes_through_a_tensor_proto(name, as_content):
    """As values and as content, as TensorFlow itself writes and reads them (tensor.cc)."""
    number = tf.dtypes.as_dtype(name).as_datatype_enum
    dtype = dtypes.numpy_dtype(number)
    plain = np.array([[0, 1, 2], [3, 100, 1]])
    array = plain.astype(dtype[0]).view(dtype) if dtype.names else plain.astype(dtype)
    proto = tensor_conversion.encode(array, as_content)
    assert proto.dtype == number
    assert bool(proto.tensor_content) is as_content
    found = tensor_conversion.decode(proto, "x")
    assert found.dtype == array.dtype
    assert found.tolist() == array.tolist()
    if not array.dtype.names:
        np.testing.assert_array_equal(tf.make_ndarray(proto).reshape(2, 3), array)


ONE_BY_ONE = [
    ("bool", "bool_val", [False, True]),
    ("uint8", "int_val", [0, 127]),
    ("uint8", "int_val", [0, 128]),
    ("int8", "int_val", [-1, 1]),
    ("float32", "float_val", [0.5, -0.0]),
    ("float64", "double_val", [0.1, -3.0]),
]


@pytest.mark.parametrize(("dtype", "field", "values"), ONE_BY_ONE)
@pytest.mark.parametrize("count", [0, 1, 200])
def test_many_values_are_sent_as_if_one_by_one(dtype, field, values, count):
    """However the server writes them, the message is the same."""
    array = np.resize(np.array(values, dtype), count)
    found = tensor_conversion.encode(array, as_content=False)
    one_by_one = tensor_pb2.TensorProto(dtype=found.dtype, tensor_shape=found.tensor_shape)
    getattr(one_by_one, field).extend(array.tolist())
    assert found.SerializeToString() == one_by_one.SerializeToString()


@pytest.mark.parametrize("as_content", [False, True])
def test_strings_go_through_a_tensor_proto(as_content):
    """Of any length and any bytes; as content their lengths come first (tensor_coding.cc)."""
    array = np.array([[b"", b"\xff\x00"], [b"a" * 300, b"b"]], object)
    proto = tensor_conversion.encode(array, as_content)
    assert tensor_conversion.decode(proto, "x").tolist() == array.tolist()


REPEATED = [
    ("fewer values repeat the last", "DT_FLOAT", {"float_val": [1.0, 5.0]}, [1, 5, 5]),
    ("no value is zero", "DT_INT32", {}, [0, 0, 0]),
    ("more values than fit are dropped", "DT_INT64", {"int64_val": [1, 2, 3, 4]}, [1, 2, 3]),
    ("values beyond the dtype are cut", "DT_UINT8", {"int_val": [300, -1, 2]}, [44, 255, 2]),
    ("half of a complex number is none", "DT_COMPLEX64", {"scomplex_val": [1, 2, 3]}, [1 + 2j] * 3),
    ("strings repeat too", "DT_STRING", {"string_val": [b"a"]}, [b"a", b"a", b"a"]),
    ("no string is empty", "DT_STRING", {}, [b"", b"", b""]),
]


@pytest.mark.parametrize(("dtype", "fields", "values"), [row[1:] for row in REPEATED])
def test_a_tensor_proto_is_filled_as_tensorflow_fills_it(dtype, fields, values):
    """Too few values, too many, or none (tensor.cc)."""
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DataType.Value(dtype), **fields)
    proto.tensor_shape.dim.add().size = 3
    assert tensor_conversion.decode(proto, "x").tolist() == values


WRONG = [
    ("content of another size", {"dtype": 1, "tensor_content": b"123"}),
    ("strings that do not end", {"dtype": 7, "tensor_content": b"\x05\x01\x01ab"}),
    ("a length that does not end", {"dtype": 7, "tensor_content": b"\xff" * 9}),
    ("a resource", {"dtype": 20}),
    ("no dtype", {"dtype": 0}),
    ("a dtype that nobody knows", {"dtype": 99}),
    ("a reference", {"dtype": 101, "float_val": [1.0]}),
]


@pytest.mark.parametrize("fields", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_tensor_proto_that_makes_no_sense_is_refused(fields):
    """INVALID_ARGUMENT, in upstream's words (cc/saved_model/util.cc)."""
    proto = tensor_pb2.TensorProto(**fields)
    proto.tensor_shape.dim.add().size = 3
    expected = ("INVALID_ARGUMENT", "tensor parsing error: x")
    assert fault(lambda: tensor_conversion.decode(proto, "x")) == expected


def test_names_of_dtypes_are_tensorflows():
    """As C++ writes them in messages."""
    for name in ("float32", "float64", "float16", "int32", "bool"):
        array = np.zeros(1, name)
        expected = types_pb2.DataType.Name(tf.dtypes.as_dtype(name).as_datatype_enum)
        assert dtypes.enum_name(array) == expected


def records(folder, logs):
    """Write the version's warm-up file."""
    (folder / "assets.extra").mkdir(exist_ok=True)
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(path)) as file:
        for log in logs:
            file.write(log.SerializeToString())


def log(kind, signature):
    """A record of one request, whose example has x = 2."""
    made = prediction_log_pb2.PredictionLog()
    request = getattr(made, f"{kind}_log").request
    if kind == "multi_inference":
        task = request.tasks.add(method_name="tensorflow/serving/regress")
        task.model_spec.name = "half"
        task.model_spec.signature_name = signature
    else:
        request.model_spec.signature_name = signature
    if kind == "predict":
        request.inputs["x"].CopyFrom(tf.make_tensor_proto(X))
    else:
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(2.0)
    return made


KINDS = {
    "predict": "serving_default",
    "classify": "classify_x_to_y",
    "regress": "regress_x_to_y",
    "multi_inference": "regress_x_to_y",
}


class Counting:
    """A session that counts its runs."""

    def __init__(self, inner):
        self.inner, self.count = inner, 0

    def run(self, feeds, fetches):
        """Count, and run."""
        self.count += 1
        return self.inner.run(feeds, fetches)

    def close(self):
        """Nothing to do: the other one is closed by its owner."""


def test_warm_up_answers_every_kind_of_request_as_often_as_told(model, tmp_path):
    """Each record once for each iteration (saved_model_warmup.cc)."""
    records(tmp_path, [log(kind, signature) for kind, signature in KINDS.items()])
    counting = Counting(model.session)
    warmup_replay.run(saved_model.LoadedModel(model.signatures, counting), tmp_path, 3)
    assert counting.count == 3 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_warm_up_record_that_fails_fails_the_load(model, tmp_path, kind):
    """With the record's own fault (saved_model_warmup_util.cc)."""
    records(tmp_path, [log(kind, "nope")])
    assert "nope" in fault(lambda: warmup_replay.run(model, tmp_path))[1]


def test_a_warm_up_record_of_a_session_is_refused(model, tmp_path):
    """UNIMPLEMENTED, with the number of its kind (saved_model_warmup.cc)."""
    made = prediction_log_pb2.PredictionLog()
    made.session_run_log.SetInParent()
    records(tmp_path, [made])
    expected = ("UNIMPLEMENTED", "Unsupported log_type for warmup: 5")
    assert fault(lambda: warmup_replay.run(model, tmp_path)) == expected
