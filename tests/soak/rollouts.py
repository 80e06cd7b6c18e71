"""Releases rolled out by ``neumo rollout`` and taken back, under constant load, on a real cluster.

    python tests/soak/rollouts.py IMAGE_M IMAGE_N [--rollouts 10] [--manifests serving/models]

IMAGE_M and IMAGE_N, as ``neumo-tfserving:1 neumo-tfserving:2``, are loaded on the cluster that
KUBECONFIG names; the tag is the release. An application's pod predicts by the SDK without retries,
and this process by the gateway. Prints a row for each roll; the exit status is 1 where a
prediction failed or mixed releases, or a roll did not go as planned.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import tests_path  # noqa: F401
from PIL import Image

from neumo.release import phantom
from support.cluster.application import HARDENED, NAME, SCRIPT, Application, create, pod
from support.cluster.kubectl import Deployed, fit, get, kubectl, namespace
from support.patience import patience

SPACE = "neumo-rolls"
TOKEN = base64.b16encode(b"soak-of-rollouts").decode()
QUICK = ("--without-shadow", "--admit-for=5", "--bake-for=5")
PROGRAM = "import sys; from neumo_k8s.commands.rollout import main; sys.exit(main(sys.argv[1:]))"
STEADY_S = 30.0


@dataclass
class GatewayLoad:
    """Films sent to the gateway, one after the other by each thread, until ``ended``."""

    url: str
    a_second: float
    ended: threading.Event = field(default_factory=threading.Event)
    outcomes: list[dict[str, Any]] = field(default_factory=list)

    def ask(self) -> None:
        """Predict at a constant pace; what fails is kept, and nothing is tried again."""
        film = io.BytesIO()
        Image.fromarray(phantom.draw(1, 1)[0][:, :, 0]).save(film, "PNG")
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"}
        with requests.Session() as session:
            session.trust_env = False
            due = time.monotonic()
            while not self.ended.is_set():
                begun = time.monotonic()
                self.outcomes.append(self._one(session, film.getvalue(), headers, begun))
                due = max(due + 1 / self.a_second, time.monotonic() - 1.0)
                time.sleep(max(0.0, due - time.monotonic()))

    def _one(
        self, session: requests.Session, film: bytes, headers: dict[str, str], begun: float
    ) -> dict[str, Any]:
        try:
            answer = session.post(self.url, film, headers=headers, timeout=60)
        except requests.RequestException as error:
            return {"failure": type(error).__name__}
        if answer.status_code != 200:
            return {"failure": f"{answer.status_code} {answer.text[:200]}"}
        seconds = time.monotonic() - begun
        (result,) = answer.json()["results"]
        if result["problem"]:
            return {"failure": result["problem"]["type"]}
        said = result["prediction"]
        members = [(one["version"], one["probability"]) for one in said["members"]]
        return {"release": said["release"], "seconds": seconds, "members": members}


def main() -> int:
    """Roll, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs=2)
    parser.add_argument("--rollouts", type=int, default=10)
    parser.add_argument("--manifests", default="serving/models")
    parser.add_argument("--pods", type=int, default=2)
    parser.add_argument("--sdk-a-second", type=float, default=40.0)
    parser.add_argument("--gateway-a-second", type=float, default=5.0)
    chosen = parser.parse_args()
    older, newer = chosen.images
    rows, bad = [], 0
    with running(older, chosen.pods) as one, application() as app:
        with app.load(one.url, a_second=chosen.sdk_a_second) as load, gateway(one, chosen) as web:
            load.reach(1)
            time.sleep(patience(STEADY_S))
            steady = p99(load.outcomes), p99(web.outcomes)
            for number in range(1, chosen.rollouts + 1):
                start = ["start", newer, f"--release={tag(newer)}", *QUICK]
                for name, words in ((f"{number} out", start), (f"{number} back", ["undo"])):
                    before = len(load.outcomes), len(web.outcomes)
                    one.rolled()  # the autoscaler may be at work
                    begun = time.monotonic()
                    status = rollout(*words, f"--manifests={chosen.manifests}")
                    one.settled()
                    row = name, time.monotonic() - begun, status
                    rows.append((*row, load.outcomes[before[0] :], web.outcomes[before[1] :]))
                    bad += status != 0
                    say(rows[-1], steady)
        everything = [o for o in load.outcomes if "picture" not in o], web.outcomes
    failures = [o["failure"] for outcomes in everything for o in outcomes if "failure" in o]
    mixed = sum(is_mixed(o) for outcomes in everything for o in outcomes)
    total = sum(map(len, everything))
    print(
        f"{len(rows)} rolls, {total} predictions, {len(failures)} failed, {mixed} mixed", end="; "
    )
    print(f"steady p99 {1000 * steady[0]:.0f} ms SDK, {1000 * steady[1]:.0f} ms gateway")
    for failure in failures[:10]:
        print(f"  {failure}")
    return 1 if failures or mixed or bad else 0


def say(row: tuple[str, float, int, list[Any], list[Any]], steady: tuple[float, float]) -> None:
    """A row of the table."""
    name, seconds, status, sdk, web = row
    figures = [
        f"{which} {len(outcomes)} predictions, {sum('failure' in o for o in outcomes)} failed, "
        f"{sum(map(is_mixed, outcomes))} mixed, p99 {p99(outcomes) / usual:.2f} x"
        for which, outcomes, usual in (("SDK", sdk, steady[0]), ("gateway", web, steady[1]))
    ]
    print(f"{name:8}  {seconds:5.0f} s  exit {status}  {'; '.join(figures)}", flush=True)


def p99(outcomes: list[dict[str, Any]]) -> float:
    """In seconds, of those that were answered."""
    seconds = [one["seconds"] for one in outcomes if "seconds" in one]
    return statistics.quantiles(seconds, n=100)[98] if len(seconds) > 1 else float("nan")


def is_mixed(outcome: dict[str, Any]) -> bool:
    """Whether one prediction is of two releases."""
    members = outcome.get("members", ())
    return any(version != outcome["release"] for version, _ in members)


def rollout(*words: str) -> int:
    """``neumo rollout``; its exit status, and its last words where that is not 0."""
    command = [sys.executable, "-c", PROGRAM, *words, "-n", SPACE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(json.dumps((done.stdout + done.stderr)[-2000:]))
    return done.returncode


def tag(image: str) -> str:
    """The release that an image's tag names."""
    return image.rpartition(":")[2]


@contextmanager
def running(image: str, pods: int) -> Iterator[Deployed]:
    """Production with ``image``, ready."""
    with tempfile.TemporaryDirectory() as folder, namespace(SPACE):
        one = Deployed(Path(folder) / "overlay", "production", fit(pods, pods + 2))
        one.namespace = SPACE
        literal = f"--from-literal=tokens={TOKEN}"
        kubectl("create", "secret", "generic", "gateway-tokens", "-n", SPACE, literal)
        name = image.rpartition(":")[0]
        one.apply(newName=name, newTag=tag(image))
        one.rolled()
        yield one


@contextmanager
def application() -> Iterator[Application]:
    """The SDK's pod, in a namespace of its own."""
    with namespace(f"{SPACE}-application") as where:
        kubectl("create", "configmap", "load", "-n", where, f"--from-file={SCRIPT}")
        create(where, pod(NAME, HARDENED))
        yield Application(where)


@contextmanager
def gateway(one: Deployed, chosen: argparse.Namespace) -> Iterator[GatewayLoad]:
    """Load on the gateway's Service until the block ends."""
    (service,) = (s for s in get(SPACE, "service") if s["metadata"]["name"] == "gateway")
    url = f"http://{service['spec']['clusterIP']}:80/v1/predictions"
    load = GatewayLoad(url, chosen.gateway_a_second)
    thread = threading.Thread(target=load.ask, daemon=True)
    thread.start()
    try:
        yield load
    finally:
        load.ended.set()
        thread.join(patience(90))


if __name__ == "__main__":
    sys.exit(main())
