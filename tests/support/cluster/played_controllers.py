"""What makes pods of Deployments, and what would run them, played against a real API server.

Objects, quotas, conflicts and fields' managers are the server's own. A pod becomes ready a moment
after it is made, unless its image's name says how it is ill: ``ill-pull``, ``ill-oom``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from datetime import UTC, datetime
from typing import Any

import kubernetes.client
import urllib3
from kubernetes.client.exceptions import ApiException

Fields = dict[str, Any]
TURN_S = 0.2


class PlayedControllers(threading.Thread):
    """Of one namespace; ``with`` it, they run."""

    def __init__(self, client: kubernetes.client.ApiClient, namespace: str) -> None:
        super().__init__(daemon=True, name="played-controllers")
        self._apps = kubernetes.client.AppsV1Api(client)
        self._core = kubernetes.client.CoreV1Api(client)
        self._namespace = namespace
        self._ended = threading.Event()
        self._numbers = itertools.count(1)

    def __enter__(self) -> PlayedControllers:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Turn after turn; an API server that is away is asked again."""
        while not self._ended.wait(TURN_S):
            with contextlib.suppress(ApiException, urllib3.exceptions.HTTPError):
                for one in _json(self._apps.list_namespaced_deployment(self._namespace, **RAW)):
                    self._reconcile(one)

    def _reconcile(self, one: Fields) -> None:
        name, uid = one["metadata"]["name"], one["metadata"]["uid"]
        pods = [
            pod
            for pod in _json(self._core.list_namespaced_pod(self._namespace, **RAW))
            if pod["metadata"]["labels"].get("track")
            == one["spec"]["selector"]["matchLabels"]["track"]
        ]
        template = one["spec"]["template"]
        image = template["spec"]["containers"][0]["image"]
        owner = self._replica_set(name, uid, template)
        new = [pod for pod in pods if pod["spec"]["containers"][0]["image"] == image]
        old = [pod for pod in pods if pod not in new]
        wanted, failure = one["spec"]["replicas"], ""
        for pod in pods:
            self._kubelet(pod)
        ready = all(_is_ready(pod) for pod in new)
        if len(new) < wanted and ready:
            failure = self._make(name, owner, template)
        elif (old and ready and len(new) >= wanted) or len(pods) > max(wanted, 0) + 1:
            self._remove((old or new)[0])
        elif len(new) > wanted:
            self._remove(new[0])
        self._status(one, pods, new, failure)

    def _replica_set(self, name: str, uid: str, template: Fields) -> Fields:
        number = abs(hash(json.dumps(template, sort_keys=True))) % 10**8
        own = f"{name}-{number}"
        found: Any
        try:
            found = self._apps.read_namespaced_replica_set(own, self._namespace, **RAW)
        except ApiException:
            labels = {**template["metadata"]["labels"], "pod-template-hash": str(number)}
            body: Any = {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": {
                    "name": own,
                    "labels": labels,
                    "ownerReferences": [_owner("Deployment", name, uid)],
                },
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": labels},
                    "template": {**template, "metadata": {"labels": labels}},
                },
            }
            found = self._apps.create_namespaced_replica_set(self._namespace, body, **RAW)
        one: Fields = json.loads(found.data)
        return one

    def _make(self, name: str, owner: Fields, template: Fields) -> str:
        number = next(self._numbers)
        meta = owner["metadata"]
        pod: Any = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-{number}-{meta['uid'][:4]}",
                "labels": owner["spec"]["template"]["metadata"]["labels"],
                "ownerReferences": [_owner("ReplicaSet", meta["name"], meta["uid"])],
            },
            "spec": template["spec"],
        }
        try:
            self._core.create_namespaced_pod(self._namespace, pod, **RAW)
        except ApiException as error:
            return str(json.loads(error.body or "{}").get("message", error.reason))
        return ""

    def _remove(self, pod: Fields) -> None:
        name = pod["metadata"]["name"]
        self._core.delete_namespaced_pod(name, self._namespace, grace_period_seconds=0, **RAW)

    def _kubelet(self, pod: Fields) -> None:
        if pod.get("status", {}).get("podIP"):
            return
        image = pod["spec"]["containers"][0]["image"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        state: Fields = {"running": {"startedAt": now}}
        last: Fields = {}
        if "ill-pull" in image:
            state = {"waiting": {"reason": "ImagePullBackOff", "message": f"{image}: not found"}}
        if "ill-oom" in image:
            ended = {"exitCode": 137, "reason": "OOMKilled"}
            state, last = {"waiting": {"reason": "CrashLoopBackOff"}}, {"terminated": ended}
        ready = "ill" not in image
        digest = image.rpartition("@")[2] if "@" in image else "sha256:" + "0" * 64
        status = {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [
                {
                    "name": "tfserving",
                    "image": image,
                    "imageID": f"registry/neumo@{digest}",
                    "ready": ready,
                    "restartCount": 1 if last else 0,
                    "state": state,
                    "lastState": last,
                }
            ],
        }
        patch = {"status": status}
        name = pod["metadata"]["name"]
        self._core.patch_namespaced_pod_status(name, self._namespace, patch, **RAW)

    def _status(self, one: Fields, pods: list[Fields], new: list[Fields], failure: str) -> None:
        ready = [pod for pod in pods if _is_ready(pod)]
        conditions = [{"type": "Progressing", "status": "True", "reason": "Played"}]
        if failure:
            refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
            conditions.append({**refused, "message": failure})
        status = {
            "observedGeneration": one["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(new),
            "readyReplicas": len(ready),
            "availableReplicas": len(ready),
            "conditions": conditions,
        }
        self._apps.patch_namespaced_deployment_status(
            one["metadata"]["name"], self._namespace, {"status": status}, **RAW
        )


RAW: Fields = {"_preload_content": False, "_request_timeout": (2.0, 10.0)}


def _json(answer: Any) -> list[Fields]:
    return list(json.loads(answer.data)["items"])


def _is_ready(pod: Fields) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _owner(kind: str, name: str, uid: str) -> Fields:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
    }
