"""Pods that end as no one wished: deleted, deleted without notice, and their processes killed."""

from __future__ import annotations

import random
from typing import Any

from support.cluster.application import create, pod
from support.cluster.kubectl import Deployed, kubectl

NAME = "killer"
NODE = {
    "hostPID": True,
    "containers": [{"securityContext": {"runAsUser": 0}}],
}
"""From inside its pod a server that is process 1 cannot be killed."""

KILL = """
import os
from pathlib import Path

uid = {uid!r}
for process in Path("/proc").glob("[0-9]*"):
    try:
        groups = (process / "cgroup").read_text().replace("_", "-")
        command = (process / "cmdline").read_bytes()
        if uid in groups and b"model_config_file" in command:
            os.kill(int(process.name), 9)
            print(process.name)
    except (FileNotFoundError, ProcessLookupError):
        pass
"""


def start_killer(where: str) -> None:
    """A pod in ``where``, a privileged namespace, that sees the node's processes."""
    create(where, pod(NAME, {**NODE, "nodeName": node()}))


def node() -> str:
    """The one node's name."""
    names = kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()
    return names[0]


def disturb(deployed: Deployed, killer_in: str, chance: random.Random) -> str:
    """End one pod in one of three ways, and say which."""
    victim: Any = chance.choice(
        [one for one in deployed.model_servers() if "deletionTimestamp" not in one["metadata"]]
    )
    name, uid = victim["metadata"]["name"], victim["metadata"]["uid"]
    how = chance.choice(("deleted", "deleted without notice", "its process killed"))
    words = ["delete", "pod", name, "-n", deployed.namespace, "--wait=false"]
    if how == "deleted":
        kubectl(*words)
    elif how == "deleted without notice":
        kubectl(*words, "--grace-period=0", "--force")
    else:
        killed = kubectl(
            "exec", "-i", "-n", killer_in, NAME, "--", "python3", "-", stdin=KILL.format(uid=uid)
        )
        assert killed.split(), f"no process of {name} was found"
    return f"{name}: {how}"
