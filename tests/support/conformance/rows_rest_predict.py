"""What REST answers to predict: rows and columns, bytes, numbers, encodings."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

from support.conformance.rows import RestRow
from support.conformance.rows_rest_refusals import HANDLER, JSON_TENSOR, PREDICT, TOY, UTIL

KINDS = "/v1/models/kinds:predict"
FILM = base64.b64encode(b"\xff\xd8").decode()
HTTP = "util/net_http/server/internal/evhttp_request.cc"
SERVER = "model_servers/http_server.cc"
JSON_TYPE = {"Content-Type": "application/json"}


def _row(
    id_: str, document: Any, source: str = JSON_TENSOR, path: str = PREDICT, **wanted: Any
) -> RestRow:
    body = document if isinstance(document, str | bytes) else json.dumps(document)
    return RestRow(id_, path, source, body, **wanted)


def _kind(kind: str, sent: Any, written: Any) -> RestRow:
    """Values of a dtype, as they are sent and as they are written in the answer."""
    return _row(
        f"a {kind} is written as {written[0]}",
        f'{{"signature_name": "{kind}", "inputs": {sent}}}',
        path=KINDS,
        numerals={"outputs": written},
    )


FORMATS = [
    _row(
        "the row format gives an object for each row, and does not tell the version",
        {"instances": [[1, 2.5], [3, 4]]},
        answer={"predictions": [{"y": [2.0, 5.0], "version": 2}, {"y": [6.0, 8.0], "version": 2}]},
        answer_headers=JSON_TYPE,
    ),
    _row(
        "rows may name their inputs",
        {"instances": [{"x": [1, 2]}]},
        answer={"predictions": [{"y": [2.0, 4.0], "version": 2}]},
    ),
    _row(
        "a single output drops its name in rows",
        {"signature_name": "single", "instances": [[1, 2]]},
        answer={"predictions": [[2.0, 4.0]]},
    ),
    _row(
        "a single output drops its name in columns",
        {"signature_name": "single", "inputs": [[1, 2]]},
        answer={"outputs": [[2.0, 4.0]]},
    ),
    _row(
        "the column format gives each output its own shape",
        {"signature_name": "uneven", "inputs": {"x": [[1, 2]]}},
        answer={
            "outputs": {"whole": [[1.0, 2.0]], "total": 3.0, "twice": [[1.0, 2.0], [1.0, 2.0]]}
        },
    ),
    _row(
        "the column format passes over a name that the signature lacks",
        {"signature_name": "single", "inputs": {"x": [[1, 2]], "z": 1}},
        answer={"outputs": [[2.0, 4.0]]},
    ),
    _row(
        "a scalar cannot be cut into rows",
        {"signature_name": "uneven", "instances": [[1, 2]]},
        status=400,
        error=re.compile("^Tensor name: (total has no shape information |.* inconsistent batch)"),
    ),
    _row(
        "outputs of unequal rows cannot be cut into rows",
        {"signature_name": "ragged", "instances": [[1, 2]]},
        status=400,
        error=re.compile(
            "^Tensor name: (twice has inconsistent batch size: 2 expecting: 1"
            "|whole has inconsistent batch size: 1 expecting: 2)$"
        ),
    ),
    _row(
        "an output without rows cannot be cut into rows",
        {"signature_name": "no_rows", "instances": [1.0]},
        path=KINDS,
        status=400,
        error="Tensor name: y has invalid batch size: 0",
    ),
    _row(
        "an output without rows is an empty column",
        {"signature_name": "no_rows", "inputs": [1.0]},
        path=KINDS,
        answer={"outputs": []},
    ),
    _row(
        "an unknown key beside instances is passed over",
        {"instances": [[1, 2]], "comment": "x"},
        fields={"predictions[0].version": 2},
    ),
    _row(
        "an empty signature_name is the default signature",
        {"signature_name": "", "instances": [[1, 2]]},
        fields={"predictions[0].version": 2},
    ),
    _row(
        "serving_default may be named",
        {"signature_name": "serving_default", "instances": [[1, 2]]},
        fields={"predictions[0].version": 2},
    ),
]
BYTES = [
    _row(
        "b64 stands for bytes, and outputs named *_bytes come back so",
        {
            "signature_name": "echo",
            "instances": [
                {"i": 1, "s": {"b64": FILM}, "b": True},
                {"i": 2, "s": "text", "b": False},
            ],
        },
        fields={
            "predictions[0].raw_bytes": {"b64": FILM},
            "predictions[0].i": 1,
            "predictions[0].b": True,
            "predictions[1].s": "text",
            "predictions[1].raw_bytes": {"b64": base64.b64encode(b"text").decode()},
        },
    ),
    _row(
        "b64 may be the whole input",
        {"signature_name": "string", "inputs": {"b64": base64.b64encode(b"film").decode()}},
        path=KINDS,
        answer={"outputs": "film"},
    ),
    _row(
        "b64 may be an instance",
        {"signature_name": "string", "instances": [{"b64": base64.b64encode(b"film").decode()}]},
        path=KINDS,
        answer={"predictions": ["film"]},
    ),
    _row(
        "text may have any letters",
        {"signature_name": "string", "inputs": ['Röntgen \U0001fa7b " \\ \n']},
        path=KINDS,
        answer={"outputs": ['Röntgen \U0001fa7b " \\ \n']},
    ),
]
NUMBERS = [
    _kind("float32", "[0.1, 1e-7]", ["0.1", "1e-07"]),
    _kind("float32", "[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
    _kind("float32", "[1, 3]", ["1.0", "3.0"]),
    _kind("float64", "[0.1, 0.30000000000000004]", ["0.1", "0.30000000000000004"]),
    _kind("int32", "[-2147483648, 7]", ["-2147483648", "7"]),
    _kind("int64", "[9223372036854775807]", ["9223372036854775807"]),
    _kind("uint64", "[18446744073709551615]", ["18446744073709551615"]),
    _kind("uint32", "[4294967295]", ["4294967295"]),
    _kind("uint8", "[255, 0]", ["255", "0"]),
    _row(
        "whole numbers may stand for floats",
        {"instances": [[1, 2]]},
        fields={"predictions[0].y": [2.0, 4.0]},
    ),
    _row(
        "a whole number beyond 64 bits stands for a float",
        '{"signature_name": "float32", "inputs": [100000000000000000000]}',
        path=KINDS,
        numerals={"outputs": ["1e+20"]},
    ),
    _row(
        "special floats are bare words",
        '{"signature_name": "single", "inputs": [[NaN, -Infinity]]}',
        numerals={"outputs": [["NaN", "-Infinity"]]},
    ),
    *(
        _row(
            f"a {kind} is not read from JSON",
            {"signature_name": kind, "inputs": [1]},
            path=KINDS,
            status=501,
            error=f"Conversion of JSON Value: 1 to type: {kind}",
        )
        for kind in ("complex64", "half", "bfloat16", "uint16")
    ),
    *(
        _row(
            f"a {kind} is not written as JSON in {'rows' if key == 'instances' else 'columns'}",
            {"signature_name": f"to_{kind}", key: [1.0]},
            path=KINDS,
            status=400,
            error=f"Failed to write JSON value for tensor type: {kind}",
        )
        for kind in ("complex64", "half", "bfloat16", "uint16")
        for key in ("instances", "inputs")
    ),
]
PATHS = [
    *(
        _row(
            f"{choice} in the path pins what answers",
            {"instances": [[1, 2]]},
            HANDLER,
            f"{TOY}/{choice}:predict",
            answer={"predictions": [{"y": [1.0, 2.0], "version": 1}]},
        )
        for choice in ("versions/1", "versions/00001", "labels/stable")
    ),
    _row(
        "a model's name may be percent-encoded",
        {"instances": [[1, 2]]},
        UTIL,
        "/v1/models/%74oy:predict",
        fields={"predictions[0].version": 2},
    ),
    _row(
        "a label may be percent-encoded",
        {"instances": [[1, 2]]},
        UTIL,
        f"{TOY}/labels/%73table:predict",
        answer={"predictions": [{"y": [1.0, 2.0], "version": 1}]},
    ),
    _row(
        "a name is decoded after the path was cut",
        {"instances": [[1, 2]]},
        UTIL,
        "/v1/models/toy%3Apredict:predict",
        status=404,
        error="Servable not found for request: Latest(toy:predict)",
    ),
    _row(
        "a percent sign without two hex digits stands for itself",
        {"instances": [[1, 2]]},
        UTIL,
        "/v1/models/%toy%4:predict",
        status=404,
        error="Servable not found for request: Latest(%toy%4)",
    ),
    _row(
        "a name in the path is UTF-8",
        {"instances": [[1, 2]]},
        UTIL,
        "/v1/models/t%C3%B6y:predict",
        status=404,
        error="Servable not found for request: Latest(töy)",
    ),
    _row(
        "a verb that is percent-encoded is malformed",
        {"instances": [[1, 2]]},
        UTIL,
        f"{TOY}:%70redict",
        status=400,
        error=f"Malformed request: POST {TOY}:%70redict",
    ),
    _row(
        "a query in the path is malformed",
        {"instances": [[1, 2]]},
        HTTP,
        f"{PREDICT}?a=b",
        status=400,
        error=f"Malformed request: POST {PREDICT}?a=b",
    ),
    _row(
        "the API's words may be in capitals",
        {"instances": [[1, 2]]},
        UTIL,
        "/V1/MODELS/toy:predict",
        fields={"predictions[0].version": 2},
    ),
]
ENCODINGS = [
    _row(
        "a gzip body is unpacked",
        gzip.compress(b'{"instances": [[1, 2]]}'),
        HTTP,
        headers={"Content-Encoding": "gzip"},
        fields={"predictions[0].version": 2},
    ),
    _row(
        "any content type is read as JSON",
        '{"instances": [[1, 2]]}',
        SERVER,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        fields={"predictions[0].version": 2},
    ),
    _row(
        "without its flag there are no CORS headers",
        '{"instances": [[1, 2]]}',
        SERVER,
        headers={"Origin": "http://example.org"},
        answer_headers={"Access-Control-Allow-Origin": None},
    ),
    _row(
        "with its flag every answer has CORS headers",
        '{"instances": [[1, 2]]}',
        UTIL,
        headers={"Origin": "http://example.org"},
        answer_headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "POST, GET",
            "Access-Control-Allow-Headers": "Content-Type",
        },
        server="content",
    ),
    RestRow(
        "with its flag a preflight is answered",
        PREDICT,
        SERVER,
        method="OPTIONS",
        headers={"Origin": "http://example.org", "Access-Control-Request-Method": "POST"},
        answer_headers={"Access-Control-Allow-Origin": "*"},
        server="content",
    ),
    _row(
        "outputs sent as tensor_content are readable over REST all the same",
        '{"instances": [[1, 2]]}',
        "model_servers/http_rest_api_handler.cc",
        answer={"predictions": [{"y": [2.0, 4.0], "version": 2}]},
        server="content",
    ),
]
ROWS = [*FORMATS, *BYTES, *NUMBERS, *PATHS, *ENCODINGS]
