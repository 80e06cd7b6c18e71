"""What REST refuses: requests that are no predict request, by status and text."""

from __future__ import annotations

import re
from typing import Any

from support.conformance.rows import RestRow, Text
from support.toy_model import MODEL

JSON_TENSOR = "util/json_tensor.cc"
HANDLER = "model_servers/http_rest_api_handler.cc"
UTIL = "model_servers/http_rest_api_util.cc"
SERVER = "model_servers/http_server.cc"
MANAGER = "core/basic_manager.cc"
SERVER_CORE = "model_servers/server_core.cc"
TOY = f"/v1/models/{MODEL}"
PREDICT = f"{TOY}:predict"
ROW = '"instances": [[1.0, 2.0]]'
EMPTY = "JSON Parse error: The document is empty"


def _has(text: str) -> re.Pattern[str]:
    """A pattern for a part of what is said: the original repeats the request around it."""
    return re.compile(re.escape(text))


def _refused(
    id_: str,
    body: Any,
    error: Text,
    source: str = JSON_TENSOR,
    path: str = PREDICT,
    status: int = 400,
) -> RestRow:
    return RestRow(id_, path, source, body, status=status, error=error)


def _malformed(id_: str, path: str, body: Any = f"{{{ROW}}}", method: str = "") -> RestRow:
    sent = method or ("GET" if body is None else "POST")
    text = f"Malformed request: {sent} {path}"
    return RestRow(id_, path, UTIL, body, method=method, status=400, error=text)


DOCUMENTS = [
    _refused("an empty body is an empty document", "", EMPTY),
    _refused(
        "text that is no JSON is an invalid value",
        "instances = [1, 2]",
        re.compile(r"^JSON Parse error: Invalid value\. at offset: \d+$"),
    ),
    _refused(
        "an object that breaks off misses a name",
        "{",
        re.compile(r"^JSON Parse error: Missing a name for object member\. at offset: \d+$"),
    ),
    _refused(
        "a list that breaks off misses a comma or a bracket",
        '{"instances": [1',
        re.compile(
            r"^JSON Parse error: Missing a comma or \] after an array element\. at offset: \d+$"
        ),
    ),
    _refused(
        "blanks are an empty document, too",
        "  ",
        re.compile(r"^JSON Parse error: The document is empty\. at offset: \d+$"),
    ),
    _refused(
        "a number beyond a double is refused",
        '{"instances": [[1e400, 2.0]]}',
        re.compile(r"^JSON Parse error: Number too big to be stored in double\. at offset: \d+$"),
    ),
    *(
        _refused(
            f"a number of {digits} digits is beyond a double",
            f'{{"instances": [[{"9" * digits}, 2.0]]}}',
            re.compile(
                r"JSON Parse error: Number too big to be stored in double\. at offset: \d+$"
            ),
        )
        for digits in (400, 5000)
    ),
    _refused(
        "text that is no UTF-8 is refused",
        b'{"instances": ["\xff"]}',
        re.compile(r"^JSON Parse error: Invalid encoding in string\. at offset: \d+$"),
        "ours: the original passes such bytes on",
    ),
    _refused("a document that is no object is refused", "[1]", _has("Is not object")),
    _refused(
        "an empty body is told before an unknown model", "", EMPTY, path="/v1/models/m:predict"
    ),
    _refused(
        "an unknown model is told before a missing key",
        "{}",
        "Servable not found for request: Latest(m)",
        MANAGER,
        "/v1/models/m:predict",
        404,
    ),
    _refused(
        "deep nesting is refused",
        '{"instances": ' + "[" * 100_000,
        _has("JSON Parse error"),
        "ours: the parser's limit",
    ),
    *(
        _refused(
            f"{depth} lists in each other are refused",
            '{"instances": ' + "[" * depth + "1" + "]" * depth + "}",
            _has("Encountered list at unexpected level"),
            "ours: numpy has 64 dimensions, upstream's tensors 254",
        )
        for depth in (65, 900)
    ),
]
KEYS = [
    _refused(
        "neither instances nor inputs is refused",
        "{}",
        "Missing 'inputs' or 'instances' key",
    ),
    _refused(
        "both instances and inputs are refused",
        f'{{{ROW}, "inputs": [[1.0, 2.0]]}}',
        _has("expecting only one of 'inputs' or 'instances' keys to exist"),
    ),
    _refused(
        "instances must be a list",
        '{"instances": 1}',
        _has("Excepting 'instances' to be an list/array"),
    ),
    _refused(
        "instances must not be empty", '{"instances": []}', _has("No values in 'instances' array")
    ),
    _refused(
        "signature_name must be text",
        f'{{"signature_name": 1, {ROW}}}',
        _has("'signature_name' key must be a string value."),
    ),
    _refused(
        "an unknown signature is refused",
        f'{{"signature_name": "x", {ROW}}}',
        'Serving signature name: "x" not found in signature def',
        HANDLER,
    ),
    _refused(
        "an unknown signature is told before a missing key",
        '{"signature_name": "x"}',
        'Serving signature name: "x" not found in signature def',
        HANDLER,
    ),
    _refused(
        "a signature without inputs cannot be asked",
        f'{{"signature_name": "no_input", {ROW}}}',
        "Failed to get input map for signature: no_input",
        path="/v1/models/constants:predict",
    ),
]
MODELS = [
    _refused(
        "an unknown model is 404",
        f"{{{ROW}}}",
        "Servable not found for request: Latest(m)",
        MANAGER,
        "/v1/models/m:predict",
        404,
    ),
    _refused(
        "an unknown version is 404",
        f"{{{ROW}}}",
        f"Servable not found for request: Specific({MODEL}, 7)",
        MANAGER,
        f"{TOY}/versions/7:predict",
        404,
    ),
    _refused(
        "an unknown label is 400",
        f"{{{ROW}}}",
        "Unrecognized servable version label: x",
        SERVER_CORE,
        f"{TOY}/labels/x:predict",
    ),
    RestRow(
        "a version beyond 64 bits is refused",
        f"{TOY}/versions/99999999999999999999:predict",
        UTIL,
        f"{{{ROW}}}",
        status=400,
    ),
    _refused(
        "a version beyond 64 bits is told to be no number",
        f"{{{ROW}}}",
        "Failed to convert version: 99999999999999999999 to numeric.",
        "ours: the original forgets to send its text",
        f"{TOY}/versions/99999999999999999999:predict",
    ),
]
PATHS = [
    _malformed("another verb is malformed", f"{TOY}:train"),
    _malformed("a verb in capitals is malformed", f"{TOY}:PREDICT"),
    _malformed("a verb that is asked by GET is malformed", PREDICT, None),
    _malformed("a status that is asked by POST is malformed", TOY),
    _malformed("metadata that are asked by POST are malformed", f"{TOY}/metadata"),
    _malformed("the list of models that is asked by POST is malformed", "/v1/models"),
    _malformed("version in the singular is malformed", f"{TOY}/version/1:predict"),
    _malformed("label in the singular is malformed", f"{TOY}/label/stable:predict"),
    _malformed("a version that is no number is malformed", f"{TOY}/versions/one:predict"),
    _malformed(
        "a version and a label together are malformed",
        f"{TOY}/versions/1/labels/stable:predict",
    ),
    _malformed("a model's name with a slash is malformed", "/v1/models/a/b", None),
    _malformed("a path beside models is malformed", "/v1/modules", None),
    _malformed("a PUT is malformed", PREDICT, method="PUT"),
    RestRow(
        "a list of all models misses a name",
        "/v1/models",
        HANDLER,
        status=400,
        error="Missing model name in request.",
    ),
    RestRow(
        "a model may be called metadata",
        "/v1/models/metadata",
        UTIL,
        status=404,
        error="Could not find any versions of model metadata",
    ),
    RestRow("a path outside the API is 404", "/v2/m", SERVER, "{}", status=404),
    RestRow("the root is 404", "/", SERVER, status=404),
    RestRow(
        "a path outside the API is told what is served",
        "/v2/m",
        "ours: the original answers a page of HTML",
        "{}",
        status=404,
        error=_has("/v2/m"),
    ),
]
ROWS = [*DOCUMENTS, *KEYS, *MODELS, *PATHS]
