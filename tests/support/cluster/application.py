"""An application's pod in a namespace of its own, with the SDK, and the load that it makes."""

from __future__ import annotations

import json
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from support.cluster.kubectl import TAKEN, kubectl, namespace, until
from support.images.daemon import GATEWAY
from support.patience import patience

NAME = "application"
SCRIPT = Path(__file__).parent / "load.py"
SAME = 1e-4
Outcome = dict[str, Any]
Answer = list[tuple[int, float]]


def pod(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A pod of the gateway's image, which holds the SDK, that waits to be used.

    ``spec`` is more of it, with more of its one container.
    """
    wait = ["python3", "-c", "import time; time.sleep(7200)"]
    (container,) = spec["containers"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"neumo-client": "true"}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            **spec,
            "containers": [{"name": name, "image": GATEWAY, "command": wait, **container}],
        },
    }


HARDENED = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [
        {
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "load", "mountPath": "/load"}],
        }
    ],
    "volumes": [{"name": "load", "configMap": {"name": "load"}}],
}


class Load:
    """Predictions under way; ``outcomes`` are those of which the pod has told."""

    def __init__(self, where: str, url: str, clients: int, a_second: float, retries: int) -> None:
        script = ["python3", "/load/load.py", url, str(clients), str(a_second), str(retries)]
        self._process = subprocess.Popen(
            ["kubectl", "exec", "-i", "-n", where, NAME, "--", *script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.outcomes: list[Outcome] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.outcomes += json.loads(line)

    def reach(self, count: int, within_s: float = patience(900.0)) -> int:
        """Wait until there are ``count`` outcomes, and return how many there are."""

        def is_reached() -> bool:
            assert self._process.poll() is None, "the load ended by itself"
            return len(self.outcomes) >= count

        until(is_reached, f"{count} predictions", within_s)
        return len(self.outcomes)

    def stop(self) -> None:
        """Let it finish."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._listener.join(timeout=patience(90))
        with self._process:
            self._process.kill()

    @property
    def failures(self) -> list[str]:
        """What the SDK said of films that it could not have answered."""
        return [one["failure"] for one in self.outcomes if "failure" in one]

    @property
    def pictures(self) -> list[str]:
        """What each client made of a chess board at its end, once it has stopped."""
        return [one["picture"] for one in self.outcomes if "picture" in one]

    @property
    def answers(self) -> dict[int, list[Answer]]:
        """The different answers of each release: each member's version and probability.

        It is always the same film, so a release has one; more, where releases were mixed.
        """
        found: dict[int, list[Answer]] = {}
        for one in self.outcomes:
            if "release" in one:
                known = found.setdefault(one["release"], [])
                if not any(is_same(one["members"], other) for other in known):
                    known.append(one["members"])
        return found

    def p50_and_p99_ms(self, *spans: tuple[int, int]) -> tuple[float, float]:
        """Of the predictions in ``spans``, each from one number to another."""
        asked = (one for begin, end in spans for one in self.outcomes[begin:end])
        seconds = [one["seconds"] for one in asked if "seconds" in one]
        percentiles = statistics.quantiles(seconds, n=100)
        return 1000 * percentiles[49], 1000 * percentiles[98]


def is_same(one: Answer, other: Answer) -> bool:
    """Whether every member answered from the same version, and the same but for rounding."""
    return all(
        version == other_version and abs(probability - other_probability) < SAME
        for (version, probability), (other_version, other_probability) in zip(
            one, other, strict=True
        )
    )


class Application:
    """A pod in which the SDK is used."""

    def __init__(self, where: str) -> None:
        self._where = where

    def python(self, code: str) -> str:
        """What ``code`` prints in the pod."""
        return kubectl("exec", "-i", "-n", self._where, NAME, "--", "python3", "-", stdin=code)

    @contextmanager
    def load(
        self, url: str, *, clients: int = 4, a_second: float = 40.0, retries: int = 0
    ) -> Iterator[Load]:
        """Predictions at ``url`` until the block ends."""
        one = Load(self._where, url, clients, a_second, retries)
        try:
            yield one
        finally:
            one.stop()


@contextmanager
def application() -> Iterator[Application]:
    """The pod, running under Pod Security ``restricted``."""
    with namespace(f"{TAKEN}-application") as where:
        kubectl("create", "configmap", "load", "-n", where, f"--from-file={SCRIPT}")
        create(where, pod(NAME, HARDENED))
        yield Application(where)


def create(where: str, document: dict[str, Any]) -> None:
    """Create a pod, and wait until it runs."""
    kubectl("apply", "-n", where, "-f", "-", stdin=yaml.safe_dump(document))
    name = document["metadata"]["name"]
    kubectl(
        "wait", "--for=condition=Ready", f"pod/{name}", "-n", where, f"--timeout={patience(300):g}s"
    )
