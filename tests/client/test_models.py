"""Models of any kind, asked without TensorFlow: upstream's own test models, on the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

import neumo
from neumo._wire.answer_types import Outputs, TensorSpec
from neumo._wire.any_model_calls import PredictAny
from neumo._wire.calls import Metadata
from neumo._wire.input_arrays import array_of
from neumo.testing import EmbeddedServer, FakeTransport
from support.patience import patience

STORE = Path(__file__).parents[1] / "store.py"
HALF = "half_plus_two"
"""y = x / 2 + 2, upstream's own test model, version 123."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The embedded server with the conformance rows' models."""
    pytest.importorskip("tensorflow_serving", reason="the SDK alone is installed")
    folder = tmp_path_factory.mktemp("store")
    subprocess.run([sys.executable, STORE, folder], capture_output=True, check=True)
    with EmbeddedServer((folder / "server.flags").read_text().split()) as running:
        yield running


class _Awaited:
    """``AsyncModels`` behind ``Models``' methods, each on an event loop of its own."""

    def __init__(self, url):
        self._url = url

    def __getattr__(self, name):
        async def ask(*arguments, **options):
            async with neumo.AsyncModels(self._url, timeout=patience(30)) as models:
                return await getattr(models, name)(*arguments, **options)

        return lambda *arguments, **options: asyncio.run(ask(*arguments, **options))


@pytest.fixture(params=["grpc", "grpc, awaited", "rest", "rest, awaited"])
def models(request, server):
    """A client of each kind, over each transport."""
    url = server.http_url if "rest" in request.param else server.grpc_url
    if "awaited" in request.param:
        yield _Awaited(url)
    else:
        with neumo.Models(url, timeout=patience(30)) as client:
            yield client


@pytest.fixture
def over_grpc(server):
    """A client that blocks, over gRPC."""
    with neumo.Models(server.grpc_url, timeout=patience(30)) as client:
        yield client


@pytest.fixture
def over_rest(server):
    """A client that blocks, over REST."""
    with neumo.Models(server.http_url, timeout=patience(30)) as client:
        yield client


@pytest.mark.parametrize("x", [[1.0, 2.0, 5.0], [1, 2, 5], np.array([1, 2, 5]), (1, 2.0, 5)])
def test_lists_and_arrays_become_what_the_signature_takes(models, x):
    """Whole numbers for floats are fine, as in TensorFlow Serving's JSON."""
    outputs = models.predict(HALF, {"x": x})
    assert list(outputs) == ["y"]
    assert outputs["y"].dtype == np.float32
    assert outputs["y"].tolist() == [2.5, 3.0, 4.5]


def test_the_answer_says_which_version_it_is_of(over_grpc, over_rest):
    """The model and, where the transport tells it, the version."""
    answers = [one.predict(HALF, {"x": [1.0]}) for one in (over_grpc, over_rest)]
    assert [(a.model, a.version) for a in answers] == [(HALF, 123), (HALF, None)]


def test_scalars_go_in_and_come_out(models):
    """A tensor without dimensions is one, both ways."""
    outputs = models.predict(HALF, {"x": 2.0})
    assert outputs["y"].shape == ()
    assert outputs["y"] == 3.0


@pytest.mark.parametrize(
    ("model", "x", "y"),
    [
        ("half_plus_three", [2.0], [4.0]),
        ("half_plus_two_tf2", [[2.0]], [[3.0]]),
        ("keras", [[2.0]], [[2.0]]),
        ("mirrored", [[2.0]], [[2.0]]),
    ],
)
def test_upstream_s_test_models_answer(models, model, x, y):
    """TensorFlow 1 and 2, Keras, and a model of two devices."""
    assert models.predict(model, {"x": x})["y"].tolist() == y


def test_a_signature_is_asked_by_its_name(models):
    """``serving_default`` is the default."""
    assert models.predict("constants", {"x": 1.0})["y"] == 1.0
    assert models.predict("constants", {"x": 1.0}, signature="custom_signature_key")["y"] == 2.0


@pytest.mark.parametrize(
    ("pin", "factor"), [({"version": 1}, 1), ({"label": "stable"}, 1), ({}, 2)]
)
def test_a_version_or_a_label_pins_what_answers(models, pin, factor):
    """The newest version answers without one."""
    outputs = models.predict("toy", {"x": [[1.0, 2.0]]}, **pin)
    assert outputs["version"].tolist() == [factor]
    assert outputs["version"].dtype == np.int64
    assert outputs["y"].tolist() == [[factor, 2.0 * factor]]


def test_only_the_outputs_that_are_wanted_come_back(models):
    """Filtered by the server over gRPC, and when the answer is read over REST."""
    assert list(models.predict("toy", {"x": [[1.0, 2.0]]}, outputs=["y"])) == ["y"]


def test_several_inputs_of_several_kinds(models):
    """Text goes in as UTF-8; outputs may differ in their first dimension."""
    outputs = models.predict(
        "toy", {"i": [1, 2], "s": ["ä", b"\xff\0"], "b": [True, False]}, signature="echo"
    )
    assert outputs["i"].tolist() == [1, 2]
    assert outputs["b"].tolist() == [True, False]
    assert outputs["raw_bytes"].tolist() == ["ä".encode(), b"\xff\0"]
    uneven = models.predict("toy", {"x": [[1.0, 2.0]]}, signature="uneven")
    assert {name: array.shape for name, array in uneven.items()} == {
        "whole": (1, 2),
        "total": (),
        "twice": (2, 2),
    }


EDGES = {
    "float32": np.array([0.1, np.nan, np.inf, -np.inf, 3e38], np.float32),
    "float64": np.array([[0.1], [1e300]]),
    "int8": np.array([-128, 127], np.int8),
    "int16": np.array([-(2**15), 2**15 - 1], np.int16),
    "int32": np.array([-(2**31), 2**31 - 1], np.int32),
    "int64": np.array([-(2**63), 2**63 - 1], np.int64),
    "uint8": np.arange(256, dtype=np.uint8).reshape(16, 16),
    "uint32": np.array([0, 2**32 - 1], np.uint32),
    "uint64": np.array([0, 2**64 - 1], np.uint64),
    "bool": np.array([True, False]),
    "string": np.array([b"film", b""], object),
}
GRPC_ONLY = {
    "half": np.array([0.1, 65504.0, -np.inf], np.float16),
    "uint16": np.array([0, 2**16 - 1], np.uint16),
    "bfloat16": np.array([0.5, 1.0078125, np.nan, np.inf], np.float32),
    "complex64": np.array([1 + 2j, np.inf], np.complex64),
    "complex128": np.array([[1e300 + 0.1j]]),
    "qint8": np.array([-128, 127], np.int8),
    "quint8": np.array([0, 255], np.uint8),
    "qint16": np.array([-(2**15), 2**15 - 1], np.int16),
    "quint16": np.array([0, 2**16 - 1], np.uint16),
    "qint32": np.array([-(2**31), 2**31 - 1], np.int32),
}


def _is_echoed(models, kind, sent, given=None):
    found = models.predict("kinds", {"x": sent if given is None else given}, signature=kind)["y"]
    assert found.dtype == sent.dtype
    np.testing.assert_array_equal(found, sent)


@pytest.mark.parametrize("kind", EDGES)
def test_every_dtype_comes_back_as_it_was_sent(models, kind):
    """The least and the greatest number, NaN and infinity, from arrays and from lists."""
    _is_echoed(models, kind, EDGES[kind])
    _is_echoed(models, kind, EDGES[kind], EDGES[kind].tolist())


@pytest.mark.parametrize("kind", GRPC_ONLY)
def test_dtypes_without_a_form_in_json_travel_over_grpc(over_grpc, over_rest, kind):
    """Over REST the error names the tensor and the way out."""
    _is_echoed(over_grpc, kind, GRPC_ONLY[kind])
    with pytest.raises(neumo.ConfigError, match=rf"x is DT_{kind.upper()}.*grpc://"):
        over_rest.predict("kinds", {"x": GRPC_ONLY[kind]}, signature=kind)


def test_arrays_of_ml_dtypes_and_of_tensorflow_are_taken(over_grpc):
    """bfloat16 as JAX has it, and a quantised number as TensorFlow has it in numpy."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    import tensorflow as tf

    brain = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    _is_echoed(over_grpc, "bfloat16", brain.astype(np.float32), brain)
    quantised = np.array([(3,), (-4,)], tf.qint8.as_numpy_dtype)
    _is_echoed(over_grpc, "qint8", np.array([3, -4], np.int8), quantised)


def test_empty_arrays_keep_their_shape(over_grpc, over_rest):
    """JSON cannot say the sizes within an empty list, so that no wrong shape is sent."""
    nothing = np.zeros((0, 3), np.float32)
    _is_echoed(over_grpc, "float32", nothing)
    _is_echoed(over_rest, "float32", np.zeros((2, 0), np.float32))
    with pytest.raises(neumo.ConfigError, match=r"x has the shape \[0, 3\].*grpc://"):
        over_rest.predict("kinds", {"x": nothing}, signature="float32")


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("int32", [1.5], "takes DT_INT32, and float64 were given"),
        ("uint8", [300], "does not fit into uint8"),
        ("uint64", [-1, 2**64 - 1], "takes DT_UINT64"),
        ("float32", [1e39], "too large for float32"),
        ("float32", [None], "takes DT_FLOAT, and objects were given"),
        ("float32", ["1"], "takes DT_FLOAT"),
        ("bool", [1], "takes DT_BOOL"),
        ("string", [3], "takes DT_STRING, and int were given"),
        ("int32", [[1], [2, 3]], "is no array"),
    ],
)
def test_a_value_that_the_signature_does_not_take_says_so(models, kind, value, says):
    """Before it is sent, with the same words over both transports."""
    with pytest.raises(neumo.ConfigError, match=says):
        models.predict("kinds", {"x": value}, signature=kind)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"inputs": {"q": [1.0]}}, "no input is called 'q': there are x"),
        ({"inputs": {"x": [1.0]}, "outputs": ["z"]}, "no output is called 'z': there are y"),
        ({"inputs": {"x": [1.0]}, "outputs": "y"}, "give a list"),
        ({"inputs": {"x": [1.0]}, "signature": "q"}, "no signature 'q': it has .*serving_default"),
        ({"inputs": [1.0]}, "inputs is a mapping"),
        ({"inputs": {}, "version": 1, "label": "a"}, "give one of them"),
        ({"inputs": {}, "version": -1}, "whole number"),
        ({"inputs": {}, "timeout": 0}, "timeout is 0"),
    ],
)
def test_a_name_that_there_is_not_says_which_there_are(models, question, says):
    """Names of tensors and signatures, and what is no question at all."""
    with pytest.raises(neumo.ConfigError, match=says):
        models.predict(HALF, **question)


def test_what_the_server_refuses_is_an_invalid_request(models):
    """An input that is missing may have a default: the server decides."""
    with pytest.raises(neumo.InvalidRequest, match="x"):
        models.predict(HALF, {})


def test_a_model_or_version_that_is_not_served_is_told_apart(models):
    """As ``Client`` tells them."""
    with pytest.raises(neumo.ModelNotFound, match="nobody"):
        models.predict("nobody", {"x": [1.0]})
    with pytest.raises(neumo.VersionUnavailable, match="version 9 is not served: version 123"):
        models.predict(HALF, {"x": [1.0]}, version=9)
    with pytest.raises(neumo.VersionUnavailable, match="no version has the label 'gold'"):
        models.predict("toy", {"x": [[1.0, 2.0]]}, label="gold")
    with pytest.raises(neumo.ModelNotFound, match="nobody"):
        models.status("nobody")


def test_a_deadline_ends_a_slow_call(models):
    """``timeout`` takes the place of the client's."""
    with pytest.raises(neumo.DeadlineExceeded):
        models.predict("toy", {"steps": [5000]}, signature="slow", timeout=0.5)


def test_no_server_is_unavailable():
    """The same error as of a film."""
    with (
        neumo.Models("grpc://127.0.0.1:9", retries=0) as models,
        pytest.raises(neumo.Unavailable),
    ):
        models.status(HALF)


def test_the_status_and_the_metadata_are_told(models):
    """Versions newest first; signatures with their methods, dtypes and shapes."""
    status = models.status("toy")
    assert [(v.version, v.ready) for v in status.versions] == [(2, True), (1, True)]
    metadata = models.metadata(HALF)
    assert (metadata.model, metadata.version) == (HALF, 123)
    spec = metadata.signatures["serving_default"]
    assert spec.inputs == {"x": TensorSpec("DT_FLOAT", (None, 1))}
    methods = {name: one.method for name, one in metadata.signatures.items()}
    assert methods["classify_x_to_y"] == "tensorflow/serving/classify"


def test_examples_are_classified(models):
    """Every class of every example, with labels where the model names them."""
    found = models.classify(HALF, [{"x": 2.0}, {"x": [4.0]}], signature="classify_x_to_y")
    assert [[one.score for one in row] for row in found.examples] == [[3.0], [4.0]]
    labelled = models.classify("judges", [{"x": [2.0, 1.0]}], signature="labels_and_scores")
    assert labelled.examples == ((neumo.ScoredClass("no", 2.0), neumo.ScoredClass("yes", 1.0)),)


def test_examples_are_regressed(models):
    """A number for each; a context is shared."""
    assert models.regress(
        HALF, [{"x": 2.0}, {"x": 4.0}], signature="regress_x_to_y"
    ).values.tolist() == [3.0, 4.0]
    shared = models.regress("judges", [{}, {}], context={"x": [2.0, 1.5]}, signature="sum")
    assert shared.values.tolist() == [3.5, 3.5]
    assert shared.values.dtype == np.float32


@pytest.mark.parametrize(
    ("examples", "says"),
    [
        ([], "examples is empty"),
        ({"x": 1.0}, "give a list"),
        ([1.0], "an example is a mapping"),
        ([{"x": [1.0, "a"]}], "x has float, str"),
        ([{"x": None}], "x has NoneType"),
        ([{"x": 2**63}], "beyond 64 bits"),
        ([{"x": 1e39}], "beyond 32-bit floats"),
    ],
)
def test_what_is_no_example_says_so(models, examples, says):
    """Before it is sent."""
    with pytest.raises(neumo.ConfigError, match=says):
        models.regress(HALF, examples, signature="regress_x_to_y")


class _Changing(FakeTransport):
    """A model whose only input was DT_INT32 in version 1, and is DT_FLOAT in version 2."""

    def __init__(self):
        self.version = 1
        super().__init__(self._say)

    def _say(self, call):
        dtype = {1: "DT_INT32", 2: "DT_FLOAT"}[self.version]
        spec = neumo.SignatureSpec({"x": TensorSpec(dtype, None)}, {"y": TensorSpec(dtype, None)})
        if isinstance(call, Metadata):
            return neumo.ModelMetadata(call.model, self.version, {"serving_default": spec})
        if call.spec != spec:
            raise neumo.InvalidRequest(call.model, self.target, "of another version")
        return Outputs(call.model, self.version, {"y": call.inputs["x"]})


def test_the_signature_is_read_once_and_again_where_it_has_changed():
    """A new version with other tensors is met by a client that knew the old ones."""
    fake = _Changing()
    with neumo.Models(transport=fake) as models:
        assert models.predict("m", {"x": 1})["y"].dtype == np.int32
        models.predict("m", {"x": 1})
        assert [type(one) for one in fake.asked] == [Metadata, PredictAny, PredictAny]
        fake.version = 2
        assert models.predict("m", {"x": 1})["y"].dtype == np.float32
        fake.asked.clear()
        with pytest.raises(neumo.ConfigError, match="no input is called 'z'"):
            models.predict("m", {"z": 1})
        assert [type(one) for one in fake.asked] == [Metadata]


def test_a_server_that_is_away_is_asked_again():
    """Retries are ``Client``'s."""

    class Away(_Changing):
        def start(self, call, timeout_s):
            if len(self.asked) == 1:
                self.asked.append(call)
                failed = Future()
                failed.set_exception(neumo.Unavailable(call.model, self.target, "away"))
                return failed
            return super().start(call, timeout_s)

    with neumo.Models(transport=Away()) as models:
        assert models.predict("m", {"x": [7]})["y"].tolist() == [7]


def test_a_dtype_that_the_client_does_not_know_is_named():
    """What TensorFlow has and numpy has not."""
    for dtype in ("DT_FLOAT8_E5M2", "DT_RESOURCE", "dtype 99"):
        with pytest.raises(neumo.ConfigError, match=f"x cannot be sent: .*{dtype}"):
            array_of("x", [1.0], TensorSpec(dtype, None))
