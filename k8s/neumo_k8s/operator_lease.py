"""One operator at a time: a Lease, renewed while the command runs."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from getpass import getuser
from types import TracebackType
from typing import Any

from neumo_k8s.cluster_errors import ClusterError, Conflict, LeaseHeld
from neumo_k8s.kubernetes_calls import KubernetesCalls

NAME = "neumo-rollout"
DURATION_S = 15
_RENEW_S = 4.0


def operator() -> str:
    """Who runs this, for the audit: user@machine."""
    try:
        user = getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


class OperatorLease:
    """Held inside ``with``. ``check`` raises ``LeaseHeld`` once somebody else has it.

    A holder's clock is not trusted: a Lease that is not renewed while one looks, for its whole
    duration, is stale, and taken over.
    """

    def __init__(
        self,
        calls: KubernetesCalls,
        who: str,
        tell: Callable[[str], None],
        duration_s: int = DURATION_S,
    ) -> None:
        self._calls = calls
        self._identity = f"{who}:{os.getpid()}-{secrets.token_hex(3)}"
        self._tell = tell
        self._duration_s = duration_s
        self._renewed = 0.0
        self._lost = ""
        self._ended = threading.Event()
        self._mutex = threading.Lock()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="operator-lease")

    def __enter__(self) -> OperatorLease:
        """Take the Lease; raises ``LeaseHeld`` where its holder is alive."""
        self._take()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back, where the API server can be asked."""
        self._ended.set()
        self._thread.join()
        try:
            found = self._calls.read_lease(NAME)
            if found and found["spec"].get("holderIdentity") == self._identity:
                found["spec"]["holderIdentity"] = ""
                self._calls.write_lease(found)
        except ClusterError:
            return  # it runs out by itself

    def check(self) -> None:
        """Raise ``LeaseHeld`` unless the Lease is ours now; renew it first if it ran out."""
        if time.monotonic() - self._renewed > self._duration_s - 1:
            self._renew()
        if self._lost:
            raise LeaseHeld(f"{self._lost} has taken this rollout over: neumo rollout status")

    def _take(self) -> None:
        seen = self._calls.read_lease(NAME)
        holder = (seen or {}).get("spec", {}).get("holderIdentity", "")
        if seen and holder:
            self._wait_for(seen, holder)
            seen = self._calls.read_lease(NAME)
        try:
            self._write(seen)
        except Conflict as error:
            raise LeaseHeld("another operator was quicker: neumo rollout status") from error

    def _wait_for(self, seen: dict[str, Any], holder: str) -> None:
        """Return when ``holder`` has not renewed for its whole duration; raise where it does."""
        duration = float(seen["spec"].get("leaseDurationSeconds", DURATION_S))
        self._tell(f"{holder} has the lease: waiting up to {duration:g} s for a sign of life")
        until = time.monotonic() + duration
        version = seen["metadata"]["resourceVersion"]
        while time.monotonic() < until:
            time.sleep(0.5)
            now = self._calls.read_lease(NAME)
            if now is None or not now["spec"].get("holderIdentity"):
                return
            if now["metadata"]["resourceVersion"] != version:
                alive = now["spec"]["holderIdentity"]
                raise LeaseHeld(f"{alive} is at work here: neumo rollout status shows what it does")
        self._tell(f"{holder} gives no sign of life: its lease is taken over")

    def _keep(self) -> None:
        while not self._ended.wait(_RENEW_S) and not self._lost:
            try:
                self._renew()
            except ClusterError:
                continue  # `check` judges

    def _renew(self) -> None:
        with self._mutex:
            found = self._calls.read_lease(NAME)
            holder = (found or {}).get("spec", {}).get("holderIdentity", "")
            if found is not None and holder != self._identity:
                self._lost = holder or "another operator"
                return
            try:
                self._write(found)
            except Conflict:
                self._lost = "another operator"

    def _write(self, found: dict[str, Any] | None) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        one = found or {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME},
            "spec": {},
        }
        changes = (one["spec"].get("holderIdentity") or "") != self._identity
        if changes:
            one["spec"]["acquireTime"] = now
            one["spec"]["leaseTransitions"] = one["spec"].get("leaseTransitions", 0) + 1
        one["spec"].update(
            holderIdentity=self._identity, leaseDurationSeconds=self._duration_s, renewTime=now
        )
        begun = time.monotonic()
        self._calls.write_lease(one)
        self._renewed = begun
