"""The shadow: a canary is asked what users have been told; only differences are kept."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from dataclasses import replace

import pytest

import neumo
from neumo import contract
from neumo._wire.calls import Predict
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import shadow as shadow_module
from neumo_serving.gateway.gateway_settings import Limits, ShadowRules
from neumo_serving.gateway.shadow_comparison import Comparison, Failed, Refused, Times
from support import films
from support.gateway_process import (
    UNHURRIED,
    answering_from,
    ask,
    form,
    gateway,
    request,
    write_nothing,
)
from support.stuck_transport import Stuck

FILM = films.file("PNG")
ALL = ShadowRules("grpc://canary:8500", share=1.0)
SHADOWED = replace(UNHURRIED, limits=Limits(rate=0, films_at_once=8), shadow=ALL)
CHEST = {"lungs": 0.9}


def scores(probability, **more):
    """Both members' answer."""
    return {**{member.name: probability for member in contract.MEMBERS}, **more}


STABLE = answering(scores(0.4), release=1)


def asked_in_the_shadow(canary, *sent, settings=SHADOWED, stable=STABLE, ended=1):
    """The answers to some requests, and what is told once ``ended`` films were dealt with."""

    async def talk():
        async with answering_from(FakeTransport(stable), settings, canary) as running:
            answers = [await ask(running.port, one) for one in sent]
            while True:
                told = (await ask(running.operators_port, request("/v1/shadow", verb="GET"))).json
                done = sum(one["films"] for one in told["comparisons"])
                if done + sum(told["dropped"].values()) >= ended:
                    page = await ask(running.operators_port, request("/metrics", verb="GET"))
                    return answers, told, page.body.decode()
                await asyncio.sleep(0.01)

    return asyncio.run(talk())


def test_the_canary_is_asked_the_same_film_and_only_differences_are_kept():
    """The largest and the mean change, a verdict that flips, and both latencies."""
    canary = FakeTransport(answering(scores(0.7), release=2))
    (answer,), told, page = asked_in_the_shadow(canary, request("/v1/predictions", FILM))
    assert answer.json["results"][0]["prediction"]["label"] == "NORMAL"
    (found,) = told["comparisons"]
    assert (found["stable_release"], found["canary_release"]) == (1, 2)
    assert (found["films"], found["pairs"], found["failures"]["count"]) == (1, 1, 0)
    assert found["flips"] == {"count": 1, "to_pneumonia": 1, "to_normal": 0}
    assert found["change"]["mean"] == pytest.approx(0.3, abs=1e-6)
    assert found["change"]["largest"] == pytest.approx(0.3, abs=1e-6)
    assert found["latency"]["canary"]["p99"] > 0
    assert [one["name"] for one in found["tests"]] == [
        *("failures", "refusals", "flips", "change", "slow")
    ]
    assert found["state"] == "undecided"
    assert 'neumo_web_shadow_films_total{outcome="flip"} 1.0' in page
    assert 'neumo_web_shadow_state{canary="2",stable="1",state="undecided"} 1.0' in page


def test_what_only_one_of_the_two_refuses_is_counted():
    """A film that users are told is no chest is the canary's to judge, too; one unread is not."""
    stable = answering(scores(0.4, lungs=0.1), release=1)
    canary = FakeTransport(answering(scores(0.4, lungs=0.9), release=2))
    sent = request("/v1/predictions", FILM), request("/v1/predictions", b"no film")
    answers, told, page = asked_in_the_shadow(canary, *sent, stable=stable)
    assert [answer.status for answer in answers] == [422, 422]
    (found,) = told["comparisons"]
    assert found["refusals"] == {"stable": 1, "canary": 0, "only_stable": 1, "only_canary": 0}
    assert (found["films"], told["offered"]) == (1, 1)
    assert 'neumo_web_shadow_films_total{outcome="refusal"} 1.0' in page


def test_of_an_explanation_the_canary_is_asked_for_one():
    """So that both took their time over the same."""
    canary = FakeTransport(answering(scores(0.4, **CHEST), release=2))
    stable = answering(scores(0.4, **CHEST), release=1)
    sent = request("/v1/explanations", FILM)
    _, told, _ = asked_in_the_shadow(canary, sent, stable=stable)
    assert told["comparisons"][0]["pairs"] == 1
    signatures = {call.signature.name for call in canary.asked if isinstance(call, Predict)}
    assert "explain" in signatures


def test_every_film_of_a_form_is_offered():
    """But those without an answer."""
    canary = FakeTransport(answering(scores(0.4), release=2))
    sent = request("/v1/predictions", *form(FILM, b"no film", FILM))
    _, told, _ = asked_in_the_shadow(canary, sent, ended=2)
    assert told["comparisons"][0]["pairs"] == 2


def test_a_share_of_the_films_is_offered():
    """None of them where it is none."""
    none = replace(SHADOWED, shadow=replace(ALL, share=0.0))
    canary = FakeTransport(answering(scores(0.4), release=2))
    _, told, _ = asked_in_the_shadow(
        canary, request("/v1/predictions", FILM), settings=none, ended=0
    )
    assert (told["offered"], canary.asked) == (0, [])


def test_a_dead_canary_fails_and_no_user_notices():
    """What it is that fails is told by the error's name."""

    def dead(call):
        raise neumo.Unavailable(call.model, "grpc://secret", "secret words")

    canary = FakeTransport(dead)
    answers, told, _ = asked_in_the_shadow(canary, *[request("/v1/predictions", FILM)] * 3, ended=3)
    assert [answer.status for answer in answers] == [200, 200, 200]
    (found,) = told["comparisons"]
    assert found["failures"] == {"count": 3, "types": {"Unavailable": 3}}
    assert found["canary_release"] is None
    assert "secret" not in json.dumps(told)


def test_a_canary_that_never_answers_delays_no_user_and_keeps_no_more_films_than_it_may(
    monkeypatch,
):
    """Beyond the bound they are dropped, and told."""
    monkeypatch.setattr(shadow_module, "WAITING", 2)
    sent = [request("/v1/predictions", FILM)] * 6
    answers, told, _ = asked_in_the_shadow(Stuck(scores(0.4)), *sent, ended=3)
    assert [answer.status for answer in answers] == [200] * 6
    assert told["offered"] == 6
    assert told["dropped"]["full"] == 3
    assert told["queue"]["films"] == 2
    assert told["queue"]["bytes"] == 2 * len(FILM)


def test_under_load_the_shadow_is_dropped_first():
    """Where users take half of the places, the canary is not asked."""
    stable = Stuck(scores(0.4))
    canary = FakeTransport(answering(scores(0.4), release=2))
    settings = replace(SHADOWED, limits=Limits(rate=0, films_at_once=2))

    async def talk():
        async with answering_from(stable, settings, canary) as running:
            several = [
                asyncio.create_task(ask(running.port, request("/v1/predictions", FILM)))
                for _ in range(2)
            ]
            await stable.holds(4)
            stable.release(2)
            await asyncio.wait(several, return_when=asyncio.FIRST_COMPLETED)
            while True:
                told = (await ask(running.operators_port, request("/v1/shadow", verb="GET"))).json
                if told["offered"]:
                    break
                await asyncio.sleep(0.01)
            asked = len(canary.asked)
            stable.release()
            await asyncio.gather(*several)
            return told, asked

    told, asked = asyncio.run(talk())
    assert (told["dropped"]["busy"], asked) == (1, 0)


def test_memory_is_flat_however_many_films_were_compared():
    """Neither films nor answers are kept."""
    found = Comparison(ALL, 1, 2)
    one, other = prediction(0.4, 0.1), prediction(0.6, 0.2)
    for _ in range(10):
        found.add(one, other)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(2000):
        found.add(one, other)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert found.films == 2010
    assert grown < 20_000


def prediction(probability, seconds=0.1, release=1):
    """A prediction."""
    label = "PNEUMONIA" if probability > 0.5 else "NORMAL"
    timings = neumo.results.Timings(0, 0, {})
    return neumo.Prediction(label, probability, 0.5, release, True, (), (), seconds, timings)


def compared(count, stable, canary, rules=ALL):
    """What comes of so many films that were all answered alike."""
    found = Comparison(rules, 1, 2)
    for _ in range(count):
        found.add(stable, canary)
    return found


@pytest.mark.parametrize(
    ("canary", "test"),
    [
        (prediction(0.6), "flips"),
        (Refused(), "refusals"),
        (Failed("Unavailable"), "failures"),
        (prediction(0.05), "change"),
        (prediction(0.4, seconds=0.3), "slow"),
    ],
)
def test_a_canary_that_differs_is_told_with_the_reason(canary, test):
    """Its answers, refusals, failures, probabilities and latency each alone are enough."""
    found = compared(40, prediction(0.4), canary)
    assert found.state.value == "different"
    assert found.reason.startswith(f"{test}: ")


def test_a_canary_that_answers_alike_is_the_same_after_enough_films_and_not_before():
    """No fixed number of them: as many as the limits want."""
    alike = prediction(0.41, seconds=0.11)
    assert compared(100, prediction(0.4), alike).state.value == "undecided"
    found = compared(600, prediction(0.4), alike)
    assert found.state.value == "same"
    # A canary that is nearer to what is allowed is looked at for longer.
    closer = replace(ALL, max_flips=0.005)
    assert compared(600, prediction(0.4), alike, closer).state.value == "undecided"


def test_a_canary_that_is_dead_is_never_the_same():
    """Though nothing that it said was different."""
    assert compared(1, prediction(0.4), Failed("Unavailable")).state.value == "undecided"
    assert compared(400, prediction(0.4), Failed("Unavailable")).state.value == "different"


def test_different_is_for_good():
    """Answers that are alike afterwards do not take it back."""
    found = compared(40, prediction(0.4), prediction(0.6))
    for _ in range(5000):
        found.add(prediction(0.4), prediction(0.4))
    assert found.state.value == "different"
    assert found.reason.startswith("flips: ")


def test_each_pair_of_releases_is_compared_for_itself():
    """A canary of another image starts anew, and what was said of the one before stays."""
    releases = iter((2, 2, 3))

    def other(call):
        return answering(scores(0.4), release=current[0])(call)

    current = [next(releases)]
    canary = FakeTransport(other)

    async def talk():
        async with answering_from(FakeTransport(STABLE), SHADOWED, canary) as running:
            for wanted in (1, 2):
                await ask(running.port, request("/v1/predictions", FILM))
                while True:
                    told = (
                        await ask(running.operators_port, request("/v1/shadow", verb="GET"))
                    ).json
                    if len(told["comparisons"]) == wanted:
                        break
                    await asyncio.sleep(0.01)
                current[0] = 3
            return told

    told = asyncio.run(talk())
    assert [one["canary_release"] for one in told["comparisons"]] == [3, 2]


def test_quantiles_are_told_to_five_per_cent():
    """From a table of a fixed size."""
    times = Times()
    assert times.quantile(0.5) is None
    for number in range(1, 101):
        times.add(number / 100)
    assert times.quantile(0.5) == pytest.approx(0.5, rel=0.051)
    assert times.quantile(0.99) == pytest.approx(0.99, rel=0.051)


def test_without_a_shadow_there_is_nothing_to_tell():
    """And the users' port never tells."""

    async def talk():
        async with answering_from(FakeTransport(STABLE)) as running:
            sent = request("/v1/shadow", verb="GET")
            return await ask(running.operators_port, sent), await ask(running.port, sent)

    operators, users = asyncio.run(talk())
    assert operators.status == 404
    assert "--shadow URL" in operators.json["detail"]
    assert users.status == 404
    assert "--shadow" not in users.json["detail"]


@pytest.mark.slow
def test_the_same_server_in_its_own_shadow_answers_the_same(neumo_server):
    """As processes, by the command's options: not one probability changes, nothing is written."""
    flags = [f"--shadow={neumo_server.grpc_url}", "--shadow-share=1", "--rate=0"]

    async def talk(running):
        for seed in range(3):
            sent = request("/v1/predictions", films.file("PNG", seed))
            assert (await ask(running.port, sent)).status == 200
        while True:
            told = (await ask(running.operators_port, request("/v1/shadow", verb="GET"))).json
            if (
                sum(one["films"] for one in told["comparisons"]) + sum(told["dropped"].values())
                == 3
            ):
                return told
            await asyncio.sleep(0.05)

    flags.append("--films-at-once=8")
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    with gateway(neumo_server.grpc_url, *flags, environ=environ, before=write_nothing) as running:
        told = asyncio.run(talk(running))
        assert [line.split(": ")[1] for line in running.said] == ["operators", "ready"]
    (found,) = told["comparisons"]
    assert found["stable_release"] == found["canary_release"]
    assert found["change"]["largest"] == pytest.approx(0.0, abs=1e-6)
    assert found["flips"]["count"] == found["failures"]["count"] == 0
