"""REST requests that no well-behaved client makes, and bytes that are no HTTP."""

from __future__ import annotations

import functools
import gzip
import json
from random import Random
from typing import Any

from support.fuzz.attempts import Attempt, Garbage, Maker, Request, mutated, weird_number

PATHS = (
    "/v1/models/toy:predict",
    "/v1/models/toy/versions/1:predict",
    "/v1/models/kinds:predict",
    "/v1/models/half_plus_two:classify",
    "/v1/models/half_plus_two:regress",
    "/v1/models/judges:classify",
)
VALID = (
    b'{"instances": [[1.0, 2.0], [3.0, 4.0]]}',
    b'{"signature_name": "single", "inputs": [[1.0, 2.0]]}',
    b'{"signature_name": "echo", "instances": [{"i": 1, "s": {"b64": "AAAA"}, "b": true}]}',
    b'{"signature_name": "echo", "inputs": {"i": [1], "s": ["a"], "b": [true]}}',
    b'{"signature_name": "float64", "inputs": [1e300, NaN, -Infinity]}',
    b'{"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}], "context": {"x2": [1.0]}}',
    b'{"signature_name": "regress_x_to_y", "examples": [{"x": [2.0]}]}',
)
JSON_TYPE = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
LONG = 1_000_000


def _post(rng: Random, kind: str, body: bytes, headers: dict[str, str] | None = None) -> Request:
    return Request(kind, "POST", rng.choice(PATHS), body, headers or JSON_TYPE)


def mutation(rng: Random) -> Attempt:
    """A valid body with a few bytes changed."""
    return _post(rng, "mutated JSON", mutated(rng, rng.choice(VALID)))


def crossed(rng: Random) -> Attempt:
    """A valid body of one path, sent to another."""
    return _post(rng, "another path's JSON", rng.choice(VALID))


def noise(rng: Random) -> Attempt:
    """Random bytes, UTF-8 or not."""
    return _post(rng, "random bytes", rng.randbytes(rng.randint(0, 300)))


def odd_document(rng: Random) -> Attempt:
    """Any JSON value under the keys that a request has."""
    keys = ("instances", "inputs", "examples", "context", "signature_name", "x", "")
    document = {key: _value(rng, 0) for key in rng.sample(keys, rng.randint(1, 4))}
    if rng.random() < 0.5:
        document["signature_name"] = rng.choice(("echo", "single", "int8", "string", "uneven"))
    return _post(rng, "odd JSON document", json.dumps(document).encode())


def nesting(rng: Random) -> Attempt:
    """Lists in lists, or objects in objects."""
    depth = rng.choice((20, 70, 500, 5000, 100_000))
    start, end = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"x":', b"}]")))
    closed = end * depth if rng.random() < 0.5 else b""
    key = rng.choice((b"instances", b"inputs", b"examples"))
    return _post(rng, "nested JSON", b'{"' + key + b'": ' + start * depth + b"1" + closed + b"}")


def odd_text(rng: Random) -> Attempt:
    """Text that is no UTF-8, huge numbers, keys twice."""
    body = rng.choice(
        (
            b'{"instances": [["\xff\xfe", 1]]}',
            b'{"instances": ["\\ud800"]}',
            b'{"instances": [1' + b"0" * rng.choice((400, 5000, LONG)) + b"]}",
            b'{"instances": [1e' + b"9" * rng.choice((3, 30, 5000)) + b"]}",
            b'{"instances": [[1, 2]], "instances": [[1]]}',
            b'{"signature_name": "' + b"s" * LONG + b'", "instances": [1]}',
            b'{"instances": ["' + b"a" * LONG + b'"]}',
            b"\xef\xbb\xbf{}",
            '{"instances": [[1, 2]]}'.encode("utf-16"),
            b'{"instances": [[1, 2]]}\x00\x00',
        )
    )
    return _post(rng, "odd JSON text", body)


@functools.cache
def _bomb(mebibytes: int) -> bytes:
    return gzip.compress(b'{"instances": [' + b" " * (mebibytes * 2**20))


def bomb(rng: Random) -> Attempt:
    """Megabytes of blanks, in kilobytes of gzip."""
    return _post(rng, "gzip bomb", _bomb(rng.choice((8, 64, 600))), GZIP)


def odd_gzip(rng: Random) -> Attempt:
    """Gzip that breaks off, is broken, is twice, or is none."""
    packed = gzip.compress(rng.choice(VALID))
    body = rng.choice(
        (
            packed[: rng.randrange(len(packed))],
            mutated(rng, packed),
            gzip.compress(packed),
            packed + b"more",
            packed + packed,
            rng.choice(VALID),
            b"",
        )
    )
    encoding = rng.choice(("gzip", "gzip", "deflate", "br", "gzip, gzip", "x"))
    return _post(rng, "odd gzip", body, {"Content-Encoding": encoding})


def odd_path(rng: Random) -> Attempt:
    """Any method on any path."""
    model = rng.choice(("toy", "m", "%00", "%ff", "..", "%2e%2e%2f", "a" * 5000, "t%6Fy", "%zz"))
    version = rng.choice(("", "/versions/1", "/versions/-1", "/versions/" + "9" * 400, "/labels/x"))
    verb = rng.choice((":predict", ":classify", ":PREDICT", "/metadata", "", "/x", ":predict?"))
    root = rng.choice(("/v1/models/", "/v1/models/", "/v2/", "/", "/monitoring/prometheus/"))
    method = rng.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"))
    return Request("odd path", method, root + model + version + verb, rng.choice(VALID))


def garbage(rng: Random) -> Attempt:
    """Bytes that are no HTTP, or that break its rules."""
    head = b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: a\r\n"
    data = rng.choice(
        (
            rng.randbytes(rng.randint(1, 400)),
            head + b"Content-Length: 1000\r\n\r\n{",
            head + b"Content-Length: -5\r\n\r\n{}",
            head + b"Content-Length: x\r\n\r\n{}",
            head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            head + b"Content-Length: 99999999999999999999\r\n\r\n{}",
            head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
            head + b"A: " + b"a" * 100_000 + b"\r\n\r\n",
            head + b"A: b\r\n" * 5000 + b"\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
            b"GET /v1/models/toy HTTP/9.9\r\n\r\n",
            b"GET /v1/models/toy\r\n\r\n",
            b"GET /v1/models/\x00\xff HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(64),
            b"BREW /v1/models/toy HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            mutated(rng, head + b"Content-Length: 2\r\n\r\n{}"),
        )
    )
    return Garbage("no HTTP", data)


def _value(rng: Random, depth: int) -> Any:
    if depth < 4 and rng.random() < 0.4:
        return [_value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if depth < 4 and rng.random() < 0.25:
        keys = ("x", "i", "s", "b", "b64", "", "y")
        return {key: _value(rng, depth + 1) for key in rng.sample(keys, rng.randint(0, 3))}
    return rng.choice((None, True, False, "", "text", "A=", weird_number(rng), float("nan")))


MAKERS: tuple[tuple[Maker, int], ...] = (
    (mutation, 250),
    (odd_document, 250),
    (crossed, 40),
    (noise, 40),
    (nesting, 40),
    (odd_text, 40),
    (odd_gzip, 60),
    (odd_path, 100),
    (garbage, 60),
    (bomb, 4),
)
"""What is sent how often."""
