"""Pods reached at their address where it answers, by port-forward where not, as from a laptop."""

from __future__ import annotations

import contextlib
import copy
import select
import socket
import threading
from collections.abc import Iterator

import kubernetes.client
import kubernetes.stream

_REACH_S = 1.0


class PodReach:
    """Reaches the pods of a namespace."""

    def __init__(self, client: kubernetes.client.ApiClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    @contextlib.contextmanager
    def address(self, pod: str, ip: str, port: int) -> Iterator[str]:
        """HOST:PORT at which ``pod``'s ``port`` answers while this is open."""
        host = f"[{ip}]" if ":" in ip else ip
        try:
            socket.create_connection((ip, port), _REACH_S).close()
        except OSError:
            with self._forwarded(pod, port) as near:
                yield f"127.0.0.1:{near}"
        else:
            yield f"{host}:{port}"

    @contextlib.contextmanager
    def _forwarded(self, pod: str, port: int) -> Iterator[int]:
        """A local port whose every connection goes to ``pod``."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._accept, args=(listener, pod, port), daemon=True)
            thread.start()
            try:
                yield listener.getsockname()[1]
            finally:
                # Closing alone would leave accept() waiting.
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket, pod: str, port: int) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near, pod, port), daemon=True).start()

    def _carry(self, near: socket.socket, pod: str, port: int) -> None:
        with near:
            try:
                # A client of its own: the official one patches itself while it connects.
                client = kubernetes.client.ApiClient(copy.copy(self._client.configuration))
                core = kubernetes.client.CoreV1Api(client)
                tunnel = kubernetes.stream.portforward(
                    core.connect_get_namespaced_pod_portforward,
                    pod,
                    self._namespace,
                    ports=str(port),
                )
                far = tunnel.socket(port)
            except Exception:  # noqa: BLE001 - whatever it raises, the connection ends, and says so
                return
            # The official one is no context manager.
            with contextlib.closing(far):
                _pump(near, far)


def _pump(near: socket.socket, far: socket.socket) -> None:
    pairs = {near: far, far: near}
    while True:
        readable, _, _ = select.select(list(pairs), [], [])
        for one in readable:
            try:
                data = one.recv(65536)
                if not data:
                    return
                pairs[one].sendall(data)
            except OSError:
                return
