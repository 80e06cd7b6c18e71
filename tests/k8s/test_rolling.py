"""Releases rolled by ``kubectl apply -k`` while an application predicts: ``make test-cluster``."""

from __future__ import annotations

import random

import pytest

from support.cluster import pod_kills
from support.cluster.kubectl import TAKEN, deployed, fit, get, namespace, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

PREDICTIONS = 20_000
STEADY = 2_000
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


def test_a_release_is_rolled_forward_and_back_without_a_failed_prediction(app, tmp_path, tell):
    """The SDK does not retry; every prediction is of one release.

    At the end, where release 2 is served, what is no chest radiograph is refused by the clients
    that met every roll, and by the gateway that did.
    """
    with (
        deployed(tmp_path / "wrapped", "production", fit(2, 2)) as one,
        app.load(one.url) as load,
    ):
        begun = load.reach(STEADY)
        rolls = []
        for number in (2, 1, 2):
            start = len(load.outcomes)
            one.apply(release=number)
            one.rolled()
            one.settled()
            rolls.append((number, start, len(load.outcomes)))
        load.reach(PREDICTIONS)
        refused = one.gateway_python(ASK_THE_GATEWAY)
    tell(f"{len(load.outcomes)} predictions, {len(load.failures)} failed")
    tell(f"p99 steady {load.p99_ms(begun // 4, begun):.0f} ms")
    for number, start, end in rolls:
        tell(f"p99 while release {number} was rolled out {load.p99_ms(start, end):.0f} ms")
    check(load)
    assert set(load.answers) == {1, 2}
    assert set(load.pictures) == {"refused"}
    assert refused.strip().endswith("not-a-chest"), refused


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
