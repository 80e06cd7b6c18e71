"""What REST takes for JSON, for base64 and for a target, branch by branch.

The branches of RapidJSON 1.1 and of absl's decoder were tried against those libraries themselves.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from support.conformance.rows import RestRow, Text
from support.conformance.rows_rest_refusals import JSON_TENSOR, PREDICT, ROW, TOY

HTTP = "util/net_http/server/internal/evhttp_request.cc"
KINDS = "/v1/models/kinds:predict"
ANSWER = [[2.0, 4.0]]
FILM = bytes(range(256))
PADDED = base64.b64encode(FILM).decode()


def _taken(id_: str, body: str | bytes, path: str = PREDICT, **wanted: Any) -> RestRow:
    """Answered as the row without any of it."""
    wanted = wanted or {"fields": {"predictions[0].y": ANSWER[0]}}
    return RestRow(id_, path, JSON_TENSOR, body, **wanted)


def _refused(id_: str, body: str | bytes, error: Text, source: str = JSON_TENSOR) -> RestRow:
    return RestRow(id_, PREDICT, source, body, status=400, error=error)


def _unparsed(id_: str, body: str | bytes, words: str) -> RestRow:
    text = re.compile(rf"^JSON Parse error: {re.escape(words)} at offset: \d+$")
    return _refused(id_, body, text)


def _bytes(id_: str, text: str, film: bytes = FILM) -> RestRow:
    """The echo's ``raw_bytes`` come back in base64."""
    inputs = {"i": [1], "s": [{"b64": text}], "b": [True]}
    body = json.dumps({"signature_name": "echo", "inputs": inputs})
    wanted = {"outputs.raw_bytes[0]": {"b64": base64.b64encode(film).decode()}}
    return RestRow(id_, PREDICT, JSON_TENSOR, body, fields=wanted)


def _no_bytes(id_: str, text: str) -> RestRow:
    inputs = {"i": [1], "s": [{"b64": text}], "b": [True]}
    body = json.dumps({"signature_name": "echo", "inputs": inputs})
    return _refused(id_, body, "Unable to base64 decode")


BASE64 = [
    _bytes("base64 may be in lines, as MIME has it", base64.encodebytes(FILM).decode()),
    _bytes("base64 may end its lines as on Windows", PADDED[:40] + "\r\n" + PADDED[40:] + "\r\n"),
    _bytes("base64 may hold blanks of every kind", " \t\v\f".join([PADDED[:7], PADDED[7:]])),
    _bytes("base64 may lack its padding", PADDED.rstrip("=")),
    _bytes("base64 of two letters is a byte", "/w", b"\xff"),
    _bytes("base64 of three letters is two bytes", "//8", b"\xff\xff"),
    _bytes("base64 may be padded by dots", "/w..", b"\xff"),
    _bytes("base64 may be padded by both", "/w.=", b"\xff"),
    _bytes("blanks within base64's padding are passed over", "/w = =", b"\xff"),
    _bytes("bits beyond base64's last byte are lost", "/x==", b"\xff"),
    _bytes("base64 of nothing is nothing", "", b""),
    _bytes("base64 of blanks is nothing", " \n", b""),
    _no_bytes("base64 of one letter is none", "A"),
    _no_bytes("base64 of one letter and padding is none", "A==="),
    _no_bytes("base64 with too little padding is none", "/w="),
    _no_bytes("base64 with padding that it does not need is none", "AAAA="),
    _no_bytes("base64's padding alone is none", "=="),
    _no_bytes("base64 behind padding is none", "/w==AA"),
    _no_bytes("base64 of the alphabet for URLs is none", "-_-_"),
    _no_bytes("base64 with a NUL is none", "AA\0A"),
    _no_bytes("base64 with a letter beyond ASCII is none", "AAÄ="),
]
DOCUMENTS = [
    _taken("text after the document is not looked at", f"{{{ROW}}} x"),
    _taken("a second document is not looked at", f"{{{ROW}}}{{}}"),
    _taken("a line feed and a NUL may follow the document", f"{{{ROW}}}\n\0"),
    _taken("what follows the document may be no UTF-8", f"{{{ROW}}}".encode() + b"\xff\xfe"),
    _taken("a byte order mark may precede the document", b"\xef\xbb\xbf" + f"{{{ROW}}}".encode()),
    _taken("blanks may precede the document", f" \t\r\n{{{ROW}}}"),
    _taken(
        "254 lists in each other may stand beside what is read",
        f'{{{ROW}, "more": {"[" * 253 + "]" * 253}}}',
    ),
    _unparsed("a form feed is no blank", f"\f{{{ROW}}}", "Invalid value."),
    _unparsed("a comment is none", f"/* */{{{ROW}}}", "Invalid value."),
    _unparsed(
        "a name without quotes is none", "{instances: 1}", "Missing a name for object member."
    ),
    _unparsed(
        "a comma before the end of an object misses a name",
        f"{{{ROW},}}",
        "Missing a name for object member.",
    ),
    _unparsed("a comma before the end of a list misses a value", '{"a": [1,]}', "Invalid value."),
    _unparsed(
        "a name without a colon misses it",
        '{"a" 1}',
        "Missing a colon after a name of object member.",
    ),
    _unparsed("a member without a value misses it", '{"a": }', "Invalid value."),
    _unparsed(
        "a text that breaks off misses its quotation mark",
        '{"a": "b',
        "Missing a closing quotation mark in string.",
    ),
    _unparsed(
        "a text with a NUL misses its quotation mark",
        '{"a": "b\0c"}',
        "Missing a closing quotation mark in string.",
    ),
    _unparsed(
        "a text with a line feed has an invalid escape",
        '{"a": "b\nc"}',
        "Invalid escape character in string.",
    ),
    _unparsed(
        "an unknown escape is invalid", r'{"a": "\x"}', "Invalid escape character in string."
    ),
    _unparsed(
        "a text that breaks off in an escape has an invalid one",
        '{"a": "\\',
        "Invalid escape character in string.",
    ),
    _unparsed(
        "an escape of letters that are no hex digits is incorrect",
        r'{"a": "\u12g4"}',
        r"Incorrect hex digit after \u escape in string.",
    ),
    _unparsed(
        "the first half of a surrogate pair wants the second",
        r'{"a": "\ud83d"}',
        "The surrogate pair in string is invalid.",
    ),
    _unparsed(
        "the first half of a surrogate pair wants a second, no other letter",
        r'{"a": "\ud83d\u0041"}',
        "The surrogate pair in string is invalid.",
    ),
    _taken("the second half of a surrogate pair may stand alone", f'{{{ROW}, "a": "\\ude00"}}'),
    _taken("a backslash before ud83d is no surrogate", f'{{{ROW}, "a": "\\\\ud83d"}}'),
]
NUMBERS = [
    RestRow(
        "Inf is a number, with and without a sign, and so is -NaN",
        KINDS,
        JSON_TENSOR,
        '{"signature_name": "float32", "inputs": [Inf, -Inf, Infinity, NaN, -NaN]}',
        numerals={"outputs": ["Infinity", "-Infinity", "Infinity", "NaN", "NaN"]},
    ),
    _taken("Inf in a text is a text", f'{{{ROW}, "a": "Inf -NaN \\" Inf"}}'),
    _unparsed("inf in small letters is no value", '{"a": inf}', "Invalid value."),
    _unparsed("nan in small letters is no value", '{"a": nan}', "Invalid value."),
    _unparsed(
        "a number without its fraction misses it", '{"a": 1.}', "Miss fraction part in number."
    ),
    _unparsed("a number without its exponent misses it", '{"a": 1.5e}', "Miss exponent in number."),
    _unparsed("a sign alone is no value", '{"a": -}', "Invalid value."),
    _unparsed("a plus is no value", '{"a": +1}', "Invalid value."),
    _unparsed("a point without a digit before it is no value", '{"a": .5}', "Invalid value."),
    _unparsed(
        "a number ends at its leading zero",
        '{"a": [01]}',
        "Missing a comma or ] after an array element.",
    ),
    _taken("a number too small for a double is 0", f'{{{ROW}, "a": 1e-400}}'),
    RestRow(
        "0.1e309 is within a double",
        KINDS,
        JSON_TENSOR,
        '{"signature_name": "float64", "inputs": [0.1e309]}',
        numerals={"outputs": ["1e+308"]},
    ),
    RestRow(
        "a whole number that a double cannot hold loses precision",
        KINDS,
        JSON_TENSOR,
        '{"signature_name": "float64", "inputs": [9007199254740993]}',
        status=400,
        error="Cannot convert JSON value: 9007199254740993 to double without loss of precision.",
    ),
    RestRow(
        "a negative number is no unsigned one",
        KINDS,
        JSON_TENSOR,
        '{"signature_name": "uint64", "inputs": [-1]}',
        status=400,
        error="JSON Value: -1 Type: Number is not of expected type: uint64",
    ),
    RestRow(
        "a number beyond 64 bits is no integer",
        KINDS,
        JSON_TENSOR,
        '{"signature_name": "int64", "inputs": [9223372036854775808]}',
        status=400,
        error=re.compile("Type: Number is not of expected type: int64"),
    ),
]
KEYS = [
    _taken("of two equal keys the first counts", f'{{{ROW}, "instances": [[9.0, 9.0]]}}'),
    _taken(
        "of two equal keys the first counts, also where the second could not be",
        f'{{{ROW}, "instances": 1}}',
    ),
    _taken(
        "of two signatures the first counts",
        f'{{"signature_name": "single", "signature_name": "x", {ROW}}}',
        answer={"predictions": ANSWER},
    ),
    _taken(
        "of two equal inputs the first counts",
        '{"inputs": {"x": [[1.0, 2.0]], "x": [[9.0, 9.0]]}}',
        fields={"outputs.y": ANSWER},
    ),
    _refused(
        "b64 twice is no base64",
        '{"signature_name": "echo", "inputs": {"i": [1], "s": [{"b64": "", "b64": ""}], '
        '"b": [true]}}',
        re.compile("not formatted correctly for base64 data"),
    ),
    RestRow(
        "of two equal features the last counts",
        "/v1/models/half_plus_two:regress",
        JSON_TENSOR,
        '{"signature_name": "regress_x_to_y", "examples": [{"x": 9.0, "x": 2.0}]}',
        answer={"results": [3.0]},
    ),
]


def _whole(id_: str, path: str, **wanted: Any) -> RestRow:
    return RestRow(id_, path, HTTP, is_whole_url=True, **wanted)


TARGETS = [
    _whole(
        "a whole URL may be the target, as a proxy passes it on",
        PREDICT,
        body=f"{{{ROW}}}",
        fields={"predictions[0].y": ANSWER[0]},
    ),
    _whole("a whole URL may be asked for a status", TOY),
    _whole(
        "the metrics may be asked by a whole URL", "/monitoring/prometheus/metrics", raw="# TYPE"
    ),
    _whole("a whole URL outside the API is 404", "/v2/m", status=404),
    _whole("a whole URL without a path is 404", "", status=404),
    _whole(
        "a query is a part of the target in a whole URL, too",
        f"{TOY}?x=1",
        status=404,
        error="Could not find any versions of model toy?x=1",
    ),
]
ROWS = [*BASE64, *DOCUMENTS, *NUMBERS, *KEYS, *TARGETS]
