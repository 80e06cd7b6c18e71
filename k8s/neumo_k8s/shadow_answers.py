"""What the gateways' shadows have seen, added up and judged as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import requests

from neumo.verification import sequential_shares
from neumo_k8s.gateway_pods import Gateway
from neumo_k8s.rollout_actions import Finding, Outcome

_ASK_S = 5.0


def read(
    gateways: Sequence[Gateway],
    reach: Callable[[str, str, int], AbstractContextManager[str]],
    release: int,
    against: int,
) -> Finding:
    """What the shadows of ``gateways`` say of ``release`` beside ``against``, together."""
    if not gateways:
        return Finding(Outcome.CANNOT_TELL, "no gateway runs here: start --without-shadow")
    documents = []
    for gateway in gateways:
        try:
            with reach(gateway.pod, gateway.ip, gateway.port) as at:
                answer = requests.get(f"http://{at}/v1/shadow", timeout=_ASK_S)
        except (requests.RequestException, OSError) as error:
            reason = type(error).__name__
            return Finding(Outcome.CANNOT_TELL, f"gateway {gateway.pod} does not answer: {reason}")
        if answer.status_code != 200:
            how = "run gateways with --shadow, or start --without-shadow"
            return Finding(Outcome.CANNOT_TELL, f"gateway {gateway.pod} has no shadow: {how}")
        documents.append(answer.json())
    return judge(documents, release, against)


def judge(documents: Sequence[Mapping[str, Any]], release: int, against: int) -> Finding:
    """The finding from what each gateway answered."""
    held = [(one, found) for one in documents if (found := _comparison(one, release, against))]
    for _, found in held:
        if found["state"] == "different":
            return Finding(Outcome.BAD, f"shadow: {found['reason']}")
    if not held:
        return Finding(Outcome.CANNOT_TELL, f"no film has reached release {release} yet")
    parts = []
    tests = held[0][1]["tests"]
    # The tests share it, so that the whole errs no more often.
    alpha = float(held[0][0]["alpha"]) / len(tests)
    for test in tests:
        same = [t for _, found in held for t in found["tests"] if t["name"] == test["name"]]
        n, total = sum(t["n"] for t in same), sum(t["total"] for t in same)
        parts.append(sequential_shares.judged(test["name"], n, total, float(test["limit"]), alpha))
    text = _figures([found for _, found in held])
    likeness = sequential_shares.of_all(tuple(parts))
    if likeness is sequential_shares.Likeness.DIFFERENT:
        worst = next(p for p in parts if p.state is likeness)
        return Finding(Outcome.BAD, f"{worst.reason}; {text}")
    if likeness is sequential_shares.Likeness.SAME:
        return Finding(Outcome.GOOD, text)
    open_one = next(p for p in parts if p.state is likeness)
    return Finding(Outcome.CANNOT_TELL, f"{open_one.reason}; {text}")


def _comparison(document: Mapping[str, Any], release: int, against: int) -> Any:  # noqa: ANN401
    for one in document.get("comparisons", ()):
        if one["stable_release"] == against and one["canary_release"] in {release, None}:
            return one
    return None


def _figures(found: Sequence[Mapping[str, Any]]) -> str:
    """n, failures, flips, refusals and the largest change, in words."""
    films = sum(one["films"] for one in found)
    failures = sum(one["failures"]["count"] for one in found)
    flips = sum(one["flips"]["count"] for one in found)
    refused = sum(one["refusals"]["only_canary"] for one in found)
    changes = [one["change"]["largest"] for one in found if one["change"]["largest"] is not None]
    largest = f"{max(changes):.4f}" if changes else "unknown"
    return (
        f"{films} films, {failures} failed, {flips} verdicts flip, {refused} refused by the canary"
        f" alone, largest change of probability {largest}"
    )
