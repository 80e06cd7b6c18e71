"""Releases rolled by ``kubectl apply -k`` while an application predicts: ``make test-cluster``."""

from __future__ import annotations

import random

import pytest

from support.cluster import pod_kills
from support.cluster.kubectl import TAKEN, deployed, fit, get, namespace, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

PREDICTIONS = 20_000
STEADY = 900
CPU = "700m"
"""A pod's limit in a roll: one that starts on 2 cores must leave some to those that answer."""
DISTURBANCES = 6
SEED = 8


def check(load):
    """Nothing failed, and no prediction mixed releases."""
    assert load.failures == []
    for release, answers in load.answers.items():
        assert len(answers) == 1, f"release {release} answered differently: {answers}"
        assert {version for version, _ in answers[0]} == {release}


ASK_THE_GATEWAY = """
import io, json, urllib.error, urllib.request
from PIL import Image
board = Image.new("L", (256, 256))
board.putdata([255 * ((x // 16 + y // 16) % 2) for y in range(256) for x in range(256)])
film = io.BytesIO()
board.save(film, "PNG")
headers = {"Authorization": "Bearer a-token-for-the-tests", "Content-Type": "image/png"}
url = "http://127.0.0.1:8080/v1/predictions"
try:
    with urllib.request.urlopen(urllib.request.Request(url, film.getvalue(), headers)) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as error:
    print(json.load(error)["type"])
"""
"""A chess board, sent to the gateway in whose pod this runs."""


def rolled_under_load(app, folder, tell, *, releases, rate, least):
    """Roll through ``releases``, from the first on, while ``rate`` films a second are asked.

    The SDK does not retry; every prediction is of one release. At the end, what is no chest
    radiograph is refused by the clients that met every roll, and by the gateway that did. The load
    that was made.
    """
    first, *others = releases
    with (
        deployed(folder, "production", fit(2, 2, cpu_limit=CPU), first) as one,
        app.load(one.url, a_second=rate) as load,
    ):
        steady, rolls = [], []
        begun = load.reach(STEADY // 3)
        for number in others:
            ready = load.reach(begun + STEADY)
            steady.append((begun, ready))
            one.apply(release=number)
            one.rolled()
            one.settled()
            begun = len(load.outcomes)
            rolls.append((number, (ready, begun)))
        steady.append((begun, load.reach(max(least, begun + STEADY))))
        refused = one.gateway_python(ASK_THE_GATEWAY)
    tell(f"{len(load.outcomes)} predictions, {len(load.failures)} failed")
    spans = {"steady": steady} | {f"while {n} is rolled out": [span] for n, span in rolls}
    for name, taken in spans.items():
        p50, p99 = load.p50_and_p99_ms(*taken)
        tell(f"{sum(end - begin for begin, end in taken)} {name}: p50 {p50:.0f} p99 {p99:.0f} ms")
    check(load)
    assert set(load.pictures) == {"refused"}
    assert refused.strip().endswith("not-a-chest"), refused
    return load


def test_releases_are_rolled_and_skipped_without_a_failed_prediction(app, tmp_path, tell):
    """Forward, back, and over one: the last image has no release in common with the one before.

    Toys, so that a pod that starts leaves the others what a cluster would.
    """
    releases = (12, 13, 12, 14)
    load = rolled_under_load(
        app, tmp_path / "wrapped", tell, releases=releases, rate=40.0, least=PREDICTIONS
    )
    assert set(load.answers) == set(releases)


def test_the_shipped_releases_are_rolled_without_a_failed_prediction(app, tmp_path, tell):
    """The second has a screen that the first had not."""
    load = rolled_under_load(
        app, tmp_path / "wrapped", tell, releases=(1, 2), rate=8.0, least=STEADY
    )
    assert set(load.answers) == {1, 2}


def test_pods_that_end_at_random_cost_nothing_that_one_retry_does_not_mend(app, tmp_path, tell):
    """Deleted, with notice or without, or their processes killed."""
    chance = random.Random(SEED)
    with (
        namespace(f"{TAKEN}-node", "privileged") as where,
        deployed(tmp_path / "wrapped", "production", fit(3, 3)) as one,
        app.load(one.url, retries=1) as load,
    ):
        pod_kills.start_killer(where)
        for _ in range(DISTURBANCES):
            load.reach(len(load.outcomes) + STEADY // 4)
            tell(pod_kills.disturb(one, where, chance))
            one.rolled()
    tell(f"{len(load.outcomes)} predictions, {len(load.failures)} failed")
    check(load)


def test_the_autoscaler_adds_pods_and_takes_them_away_without_a_failed_prediction(
    app, tmp_path, tell
):
    """Its window before it takes pods away is shortened to 15 s."""

    def replicas():
        (scaler,) = (
            item for item in get(one.namespace, "hpa") if item["metadata"]["name"] == "tfserving"
        )
        return scaler["status"].get("currentReplicas", 0)

    with deployed(tmp_path / "wrapped", "production", fit(1, 2, window_s=15)) as one:
        with app.load(one.url, a_second=40) as busy:
            until(lambda: replicas() == 2, "a second pod under load")
            one.rolled()
            busy.reach(len(busy.outcomes) + STEADY // 4)
        with app.load(one.url, clients=1, a_second=1) as quiet:
            until(lambda: replicas() == 1, "one pod again")
            one.settled()
            quiet.reach(1)
    tell(f"{len(busy.outcomes) + len(quiet.outcomes)} predictions while pods came and went")
    check(busy)
    check(quiet)
