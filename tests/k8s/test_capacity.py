"""What a prediction costs on the cluster, and that the manifests ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from support.cluster.kubectl import deployed, fit, kubectl
from support.cluster.manifests import containers, overlay, rendered
from support.cluster.quantities import mebibytes

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

PREDICTIONS = 500
TICKS_A_SECOND = 100
"""Of /proc on every Linux that Kubernetes runs on."""
KIB_IN_A_MEBIBYTE = 1024
RELEASES = 2


@dataclass(frozen=True)
class Usage:
    """Of a model server since it started."""

    cpu_s: float
    memory_mib: float
    peak_mib: float


def usage(one):
    """What the one model server of ``one`` says of its process."""
    (pod,) = one.model_servers()
    name = pod["metadata"]["name"]
    read = ["cat", "/proc/1/stat", "/proc/1/status"]
    stat, *status = kubectl("exec", name, "-n", one.namespace, "--", *read).splitlines()
    # After the name in brackets: user and system time are the 12th and the 13th.
    times = stat.rpartition(")")[2].split()[11:13]
    sizes = dict(line.split(":", 1) for line in status)
    memory, peak = (int(sizes[key].split()[0]) / KIB_IN_A_MEBIBYTE for key in ("VmRSS", "VmHWM"))
    return Usage(sum(map(int, times)) / TICKS_A_SECOND, memory, peak)


def test_a_pod_with_two_releases_takes_no_more_memory_than_it_requests(app, tmp_path, tell):
    """Both loaded and warm, and asked by as many clients as there are threads and more."""
    with deployed(tmp_path / "wrapped", "production", fit(1, 1), RELEASES) as one:
        idle = usage(one)
        costs = []
        for clients in (1, 8):
            before = usage(one)
            with app.load(one.url, clients=clients, a_second=1000) as load:
                load.reach(PREDICTIONS)
            after = usage(one)
            assert load.failures == []
            costs.append((clients, (after.cpu_s - before.cpu_s) / len(load.outcomes)))
    tell(f"memory with two releases {idle.memory_mib:.0f} MiB, at most {after.peak_mib:.0f} MiB")
    for clients, cost in costs:
        tell(f"{1000 * cost:.0f} core-milliseconds a prediction with {clients} clients at once")
    requested = dict(containers(rendered(overlay("production"))))["tfserving"]["resources"]
    assert after.peak_mib <= mebibytes(requested["requests"]["memory"])
