"""What TensorFlow Serving answers over REST, row by row, with the upstream file that says so."""

from __future__ import annotations

import base64
import json
import socket

import numpy as np
import pytest
import requests

from neumo_serving.engine import inference, loader
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.inference import Question
from neumo_serving.rest import answers
from toys import MODEL

JSON_TENSOR = "util/json_tensor.cc"
HANDLER = "model_servers/http_rest_api_handler.cc"
MANAGER = "core/basic_manager.cc"
PREDICT = f"/v1/models/{MODEL}:predict"
ROW = '"instances": [[1.0, 2.0]]'


def ask(running, body, path=PREDICT):
    """POST ``body``, a string or a JSON value."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return requests.post(running.rest + path, data=data, timeout=60)


REFUSALS = [
    ("empty body", JSON_TENSOR, PREDICT, "", 400, "JSON Parse error: The document is empty"),
    ("broken JSON", JSON_TENSOR, PREDICT, "{", 400, "JSON Parse error: "),
    ("no object", JSON_TENSOR, PREDICT, "[1]", 400, "Is not object"),
    (
        "an empty body for an unknown model",
        HANDLER,
        "/v1/models/m:predict",
        "",
        400,
        "JSON Parse error: The document is empty",
    ),
    (
        "neither key, of an unknown model",
        HANDLER,
        "/v1/models/m:predict",
        "{}",
        404,
        "Servable not found for request: Latest(m)",
    ),
    (
        "neither key, for an unknown signature",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "x"}',
        400,
        'Serving signature name: "x" not found in signature def',
    ),
    (
        "neither key",
        JSON_TENSOR,
        PREDICT,
        "{}",
        400,
        "Missing 'inputs' or 'instances' key",
    ),
    (
        "both keys",
        JSON_TENSOR,
        PREDICT,
        f'{{{ROW}, "inputs": [[1.0, 2.0]]}}',
        400,
        "expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    (
        "instances that are no list",
        JSON_TENSOR,
        PREDICT,
        '{"instances": 1}',
        400,
        "Excepting 'instances' to be an list/array",
    ),
    (
        "no instances",
        JSON_TENSOR,
        PREDICT,
        '{"instances": []}',
        400,
        "No values in 'instances' array",
    ),
    (
        "signature_name that is no text",
        JSON_TENSOR,
        PREDICT,
        f'{{"signature_name": 1, {ROW}}}',
        400,
        "'signature_name' key must be a string value.",
    ),
    (
        "unknown signature",
        HANDLER,
        PREDICT,
        f'{{"signature_name": "x", {ROW}}}',
        400,
        'Serving signature name: "x" not found in signature def',
    ),
    (
        "unknown model",
        MANAGER,
        "/v1/models/m:predict",
        f"{{{ROW}}}",
        404,
        "Servable not found for request: Latest(m)",
    ),
    (
        "unknown version",
        MANAGER,
        f"/v1/models/{MODEL}/versions/7:predict",
        f"{{{ROW}}}",
        404,
        f"Servable not found for request: Specific({MODEL}, 7)",
    ),
    (
        "unknown label",
        "model_servers/server_core.cc",
        f"/v1/models/{MODEL}/labels/x:predict",
        f"{{{ROW}}}",
        400,
        "Unrecognized servable version label: x",
    ),
    (
        "a version beyond 64 bits",
        HANDLER,
        f"/v1/models/{MODEL}/versions/99999999999999999999:predict",
        f"{{{ROW}}}",
        400,
        "Failed to convert version: 99999999999999999999 to numeric.",
    ),
    (
        "a path outside the grammar",
        HANDLER,
        f"/v1/models/{MODEL}:train",
        f"{{{ROW}}}",
        400,
        f"Malformed request: POST /v1/models/{MODEL}:train",
    ),
    (
        "a verb in capitals",
        HANDLER,
        f"/v1/models/{MODEL}:PREDICT",
        f"{{{ROW}}}",
        400,
        f"Malformed request: POST /v1/models/{MODEL}:PREDICT",
    ),
    ("a path of another API", "model_servers/http_server.cc", "/v2/m", "{}", 404, "/v2/m"),
    (
        "a bool among numbers",
        JSON_TENSOR,
        PREDICT,
        '{"instances": [[true, 2.0]]}',
        400,
        "JSON Value: true Type: True is not of expected type: float",
    ),
    (
        "a number for a bool",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "instances": [{"i": 1, "s": "a", "b": 1}]}',
        400,
        "JSON Value: 1 Type: Number is not of expected type: bool",
    ),
    (
        "text for a number",
        JSON_TENSOR,
        PREDICT,
        '{"instances": [["a", 2.0]]}',
        400,
        'JSON Value: "a" Type: String is not of expected type: float',
    ),
    (
        "a number that a float cannot hold",
        JSON_TENSOR,
        PREDICT,
        '{"instances": [[16777217, 2.5]]}',
        400,
        "Cannot convert JSON value: 16777217 to float without loss of precision.",
    ),
    (
        "a float that is too large",
        JSON_TENSOR,
        PREDICT,
        '{"instances": [[1e39, 2.0]]}',
        400,
        "Cannot convert JSON value: 1e+39 to float without loss of precision.",
    ),
    (
        "a fraction for an integer",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "instances": [{"i": 1.5, "s": "a", "b": true}]}',
        400,
        "JSON Value: 1.5 Type: Number is not of expected type: int32",
    ),
    (
        "rows of unequal length",
        JSON_TENSOR,
        PREDICT,
        '{"instances": [[1.0, 2.0], [1.0]]}',
        400,
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Expecting tensor size: 2 but got: 1",
    ),
    (
        "columns of unequal length",
        JSON_TENSOR,
        PREDICT,
        '{"inputs": [[1.0, 2.0], [1.0]]}',
        400,
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    (
        "a number among lists",
        JSON_TENSOR,
        PREDICT,
        '{"inputs": [[1.0, 2.0], 3.0]}',
        400,
        "JSON Value: 3.0 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
    ),
    (
        "a named input that is not there",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "inputs": {"i": [1]}}',
        400,
        "Missing named input: ",
    ),
    (
        "a row without all names",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "instances": [{"i": 1}]}',
        400,
        "keys must be equal to: b,i,s",
    ),
    (
        "a row with another name",
        JSON_TENSOR,
        PREDICT,
        '{"instances": [{"x": [1, 2], "z": 3}]}',
        400,
        "Failed to process element: 0 key: z of 'instances' list. Error: INVALID_ARGUMENT: JSON "
        "object: does not have named input: z",
    ),
    (
        "bytes for several inputs",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "instances": [{"b64": "AAAA"}]}',
        400,
        "Type: Object is not of expected type: bool",
    ),
    (
        "a plain list for several inputs",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "instances": [1]}',
        400,
        "instances is a plain list, but expecting list of objects",
    ),
    (
        "b64 beside another key",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "inputs": {"i": [1], "s": [{"b64": "", "x": 1}], "b": [true]}}',
        400,
        "not formatted correctly for base64 data",
    ),
    (
        "b64 that is none",
        JSON_TENSOR,
        PREDICT,
        '{"signature_name": "echo", "inputs": {"i": [1], "s": [{"b64": "?"}], "b": [true]}}',
        400,
        "Unable to base64 decode",
    ),
    (
        "deep nesting",
        "ours: the parser's limit",
        PREDICT,
        '{"instances": ' + "[" * 100_000,
        400,
        "JSON Parse error",
    ),
    *(
        (
            f"{depth} lists in each other",
            "ours: no tensor has so many dimensions",
            PREDICT,
            '{"instances": ' + "[" * depth + "1" + "]" * depth + "}",
            400,
            "Encountered list at unexpected level",
        )
        for depth in (65, 900)
    ),
]


@pytest.mark.parametrize(
    ("source", "path", "body", "status", "text"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_requests_are_judged_in_tensorflow_servings_words(
    running, source, path, body, status, text
):
    """Status and message are upstream's, as ``{"error": …}``."""
    response = ask(running, body, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    assert text in response.json()["error"]


def test_the_row_format_gives_one_object_per_row(running):
    """Several outputs are named in each row; the version is not told (json_tensor.cc)."""
    answer = ask(running, {"instances": [[1, 2.5], [3, 4]]}).json()
    assert answer == {
        "predictions": [{"y": [2.0, 5.0], "version": 2}, {"y": [6.0, 8.0], "version": 2}]
    }


def test_a_single_output_drops_its_name(running):
    """In rows and in columns alike (json_tensor.cc)."""
    rows = ask(running, {"signature_name": "single", "instances": [[1, 2]]}).json()
    assert rows == {"predictions": [[2.0, 4.0]]}
    columns = ask(running, {"signature_name": "single", "inputs": [[1, 2]]}).json()
    assert columns == {"outputs": [[2.0, 4.0]]}


def test_the_column_format_gives_one_list_per_output(running):
    """Outputs keep their own first dimensions, scalars too (json_tensor.cc)."""
    answer = ask(running, {"signature_name": "uneven", "inputs": {"x": [[1, 2]]}}).json()
    assert answer == {
        "outputs": {"whole": [[1.0, 2.0]], "total": 3.0, "twice": [[1.0, 2.0], [1.0, 2.0]]}
    }


def test_scalars_cannot_be_cut_into_rows(running):
    """The row format refuses what the column format can tell (json_tensor.cc)."""
    response = ask(running, {"signature_name": "uneven", "instances": [[1, 2]]})
    assert response.status_code == 400
    assert response.json() == {"error": "Tensor name: total has no shape information "}


def test_rows_need_one_common_first_dimension():
    """The first output that has another number of rows is named (json_tensor.cc)."""
    with pytest.raises(Fault, match=r"Tensor name: b has inconsistent batch size: 3 expecting: 2"):
        answers.answer({"a": np.zeros([2, 4]), "b": np.zeros([3, 4])}, True)


def test_named_inputs_and_bytes(running):
    """``{"b64": …}`` stands for bytes; outputs named ``*_bytes`` come back so (json_tensor.cc)."""
    film = base64.b64encode(b"\xff\xd8").decode()
    row = {"i": 1, "s": {"b64": film}, "b": True}
    body = {"signature_name": "echo", "instances": [row, {"i": 2, "s": "text", "b": False}]}
    first, second = ask(running, body).json()["predictions"]
    assert first["raw_bytes"] == {"b64": film}
    assert (second["i"], second["s"], second["b"]) == (2, "text", False)


def test_special_floats_are_bare(running):
    """NaN and Infinity go in and out as JavaScript writes them (json_tensor.cc)."""
    text = ask(running, '{"instances": [[NaN, -Infinity]]}').text
    assert "NaN" in text
    assert "-Infinity" in text


def test_floats_are_written_in_their_shortest_form(running):
    """A 32-bit 0.1 is 0.1, not 0.10000000149 (json_tensor.cc)."""
    body = '{"signature_name": "uneven", "inputs": [[0.1, 1e-7]]}'
    assert '"whole": [[0.1, 1e-07]]' in ask(running, body).text


@pytest.mark.parametrize("choice", ["versions/1", "labels/stable"])
def test_a_version_or_a_label_in_the_path_pins_what_answers(running, choice):
    """Both are in the path's grammar (http_rest_api_handler.cc)."""
    path = f"/v1/models/{MODEL}/{choice}:predict"
    answer = ask(running, {"instances": [[1, 2]]}, path).json()
    assert answer["predictions"][0]["version"] == 1


def test_both_transports_give_the_numbers_of_the_saved_model(running, store):
    """To the last bit of a 32-bit float."""
    x = np.random.RandomState(0).normal(size=(16, 2)).astype(np.float32)
    model = loader.load(store / "2")
    in_process = inference.predict(model, Question("", {"x": x}))["y"]
    over_grpc = running.predict({"x": x}).outputs["y"].float_val[:]
    over_rest = ask(running, {"inputs": x.tolist()}).json()["outputs"]["y"]
    np.testing.assert_array_equal(np.float32(over_grpc), in_process.ravel())
    np.testing.assert_array_equal(np.float32(over_rest), in_process)


def test_the_status_lists_versions_as_text_newest_first(running):
    """64-bit numbers are strings in protobuf's JSON (get_model_status_impl.cc)."""
    found = requests.get(f"{running.rest}/v1/models/{MODEL}", timeout=60).json()
    fine = {"error_code": "OK", "error_message": ""}
    assert found["model_version_status"] == [
        {"version": "2", "state": "AVAILABLE", "status": fine},
        {"version": "1", "state": "AVAILABLE", "status": fine},
    ]


def test_a_label_in_the_status_path_is_ignored(running):
    """Every version is listed all the same (http_rest_api_handler.cc)."""
    found = requests.get(f"{running.rest}/v1/models/{MODEL}/labels/stable", timeout=60).json()
    assert len(found["model_version_status"]) == 2


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v1/models/m", 404, "Could not find any versions of model m"),
        (f"/v1/models/{MODEL}/versions/9", 404, f"Could not find version 9 of model {MODEL}"),
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/modules", 400, "Malformed request: GET /v1/modules"),
    ],
)
def test_the_status_of_what_is_not_there_is_refused(running, path, status, text):
    """In upstream's words (http_rest_api_handler.cc)."""
    response = requests.get(running.rest + path, timeout=60)
    assert (response.status_code, response.json()) == (status, {"error": text})


def test_the_metadata_is_the_signature_definition_in_json(running):
    """With the version resolved (http_rest_api_handler.cc)."""
    found = requests.get(f"{running.rest}/v1/models/{MODEL}/metadata", timeout=60).json()
    assert found["model_spec"] == {"name": MODEL, "signature_name": "", "version": "2"}
    signature = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["x"]["dtype"] == "DT_FLOAT"
    sizes = [dim["size"] for dim in signature["inputs"]["x"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "2"]


def test_a_request_that_breaks_off_harms_nobody(running):
    """A client that goes away in mid-body leaves the server as it was."""
    port = int(running.rest.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert ask(running, {"instances": [[1, 2]]}).status_code == 200
