"""Ask a server what a row sends, and compare the answer with what the row wants."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import grpc

from support.conformance.rows import CrowdRow, GrpcRow, RestRow, Row, is_met, reached
from support.conformance.servers import Endpoint
from support.patience import patience

TIMEOUT_S = patience(60.0)


def judge(row: Row, server: Endpoint) -> None:
    """Raise ``AssertionError`` where ``server`` does not do what ``row`` says."""
    if isinstance(row, GrpcRow):
        judge_grpc(row, server)
    elif isinstance(row, CrowdRow):
        judge_crowd(row, server)
    else:
        judge_rest(row, server)


def judge_grpc(row: GrpcRow, server: Endpoint) -> None:
    """Code and message of a refusal, or the fields of an answer."""
    try:
        answer = server.call(row.method, row.request)
    except grpc.RpcError as error:
        found = (error.code().name, error.details())
        assert row.code != "OK", f"refused: {found}"
        assert found[0] == row.code, found
        assert is_met(row.text, found[1]), f"{found[1]!r} is not {row.text!r}"
        return
    assert row.code == "OK", f"answered: {str(answer)[:500]}"
    for path, wanted in row.fields.items():
        found = reached(answer, path)
        assert found == wanted, f"{path} is {found!r}, not {wanted!r}"


def judge_crowd(row: CrowdRow, server: Endpoint) -> None:
    """How many of the calls are answered, and what the others are told."""
    calls = [server.begin(row.method, row.request) for _ in range(row.count)]
    # All of them are over when the last one is looked at; none is looked at before it is sent.
    errors = [error for call in calls if (error := call.exception()) is not None]
    assert {error.code().name for error in errors} <= {row.code}, errors
    assert all(is_met(row.text, error.details()) for error in errors), errors
    assert row.count - len(errors) == row.answered


def judge_rest(row: RestRow, server: Endpoint) -> None:
    """Status, headers and JSON of an answer."""
    method = row.method or ("GET" if row.body is None else "POST")
    body = row.body.encode() if isinstance(row.body, str) else row.body
    url = server.rest + row.path if row.is_whole_url else row.path
    status, headers, text = _answered(method, server.rest, url, body, row.headers)
    assert status == row.status, f"{status}: {text[:500]}"
    for name, wanted in row.answer_headers.items():
        assert headers.get(name) == wanted, dict(headers)
    if row.raw is not None:
        assert row.raw in text if isinstance(row.raw, str) else row.raw.search(text), text[:2000]
    if row.error is not None:
        _judge_error(row.error, text)
    _judge_document(row, text)


def _answered(
    method: str, address: str, target: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, Message, str]:
    """Status, headers and text; ``target`` is sent as it is, which ``requests`` would not do."""
    with closing(
        http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_S)
    ) as connection:
        connection.request(method, target, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


def _judge_error(wanted: Any, text: str) -> None:
    document = json.loads(text)
    assert list(document) == ["error"], text[:500]
    assert is_met(wanted, document["error"]), f"{document['error']!r} is not {wanted!r}"


def _judge_document(row: RestRow, text: str) -> None:
    if row.answer is not None:
        assert json.loads(text) == row.answer
    if row.numerals is not None:
        written = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        assert written == row.numerals
    for path, wanted in row.fields.items():
        found = reached(json.loads(text), path)
        assert found == wanted, f"{path} is {found!r}, not {wanted!r}"
