"""Faults on REST: an ASGI application around the real one, only where faults are asked for."""

from __future__ import annotations

import asyncio
import os

from neumo_serving.asgi.asgi_types import Application, Message, Receive, Scope, Send
from neumo_serving.fault_injection import cut_connection
from neumo_serving.fault_injection.fault_rules import REST, FaultPlan, Kind, Occasion, Rule
from neumo_serving.fault_injection.grpc_faults import DEATH_STATUS, GARBAGE
from neumo_serving.request_faults import Fault
from neumo_serving.rest_api import routes
from neumo_serving.rest_api.rest_app import answer_fault, answer_with, target_of

_METHODS = {
    "predict": "Predict",
    "classify": "Classify",
    "regress": "Regress",
    "status": "GetModelStatus",
    "metadata": "GetModelMetadata",
}
PAGE = b"<html><body><h1>Something went wrong</h1>nginx</body></html>"


def faulty(application: Application, plan: FaultPlan) -> Application:
    """``application`` with the faults of ``plan`` around it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        call = _call(scope["method"], target_of(scope))
        rule = plan.next(call) if call else None
        if rule is None:
            await application(scope, receive, send)
        elif rule.fault is Kind.SLOW:
            await asyncio.sleep(rule.seconds)
            await application(scope, receive, send)
        elif rule.fault is Kind.DRIP:
            await application(scope, receive, _dripping(send, rule.seconds))
        else:
            await _instead(rule, scope, receive, send)

    return answer


def _call(method: str, path: str) -> Occasion | None:
    try:
        route = routes.parse(method, path)
    except Fault:
        # Pages and malformed paths meet no fault.
        return None
    return Occasion(REST, _METHODS[route.verb], route.model, route.version)


async def _instead(rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
    """What is done in place of an answer."""
    if rule.fault is Kind.DEATH:
        os._exit(DEATH_STATUS)
    if rule.fault is Kind.RESET:
        cut_connection.cut(scope["client"][1])
        while (await receive())["type"] != "http.disconnect":
            continue
    elif rule.fault is Kind.ERROR:
        await answer_fault(send, rule.error)
    elif rule.fault is Kind.HTML:
        await answer_with(send, rule.status, PAGE, b"text/html")
    else:
        await answer_with(send, 200, GARBAGE)


def _dripping(send: Send, seconds: float) -> Send:
    """Sends a body byte by byte."""

    async def drip(message: Message) -> None:
        body = message.get("body", b"")
        for place in range(len(body)):
            await asyncio.sleep(seconds)
            more = {"type": "http.response.body", "body": body[place : place + 1]}
            await send(more | {"more_body": True})
        # The last message ends the answer; its body has been sent.
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return drip
