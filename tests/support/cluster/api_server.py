"""etcd and kube-apiserver alone, without a kubelet: KUBEBUILDER_ASSETS names their folder."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import trustme
import yaml

from support.patience import patience
from support.serving_process import free_port

ADMIN, NOBODY = "token-of-admin", "token-of-nobody"
HOW = (
    "no API server: set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver (setup-envtest)"
)


class ApiServer:
    """Its address, and kubeconfigs for whoever asks it."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder, self._binaries = folder, binaries
        self._etcd_port, self._port = free_port(), free_port()
        self._etcd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        served = authority.issue_cert("127.0.0.1", "localhost")
        served.private_key_pem.write_to_path(folder / "key.pem")
        served.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        tokens = f'{ADMIN},admin,1,"system:masters"\n{NOBODY},nobody,2\n'
        (folder / "tokens.csv").write_text(tokens)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://127.0.0.1:{self._port}"

    def kubeconfig(self, token: str = ADMIN) -> Path:
        """A kubeconfig with ``token``."""
        path = self._folder / f"kubeconfig-{token}"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [
                {
                    "name": "it",
                    "cluster": {
                        "server": self.url,
                        "certificate-authority": str(self._folder / "ca.pem"),
                    },
                }
            ],
            "users": [{"name": "it", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def start(self) -> None:
        """Start what does not run, and wait until it answers."""
        if self._etcd is None:
            client = f"http://127.0.0.1:{self._etcd_port}"
            self._etcd = self._run(
                "etcd",
                f"--data-dir={self._folder / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls=http://127.0.0.1:{free_port()}",
                "--unsafe-no-fsync",
            )
        files = {name: self._folder / f"{name}.pem" for name in ("cert", "key")}
        self._server = self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._folder}",
            f"--tls-cert-file={files['cert']}",
            f"--tls-private-key-file={files['key']}",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://tests",
            f"--service-account-key-file={files['key']}",
            f"--service-account-signing-key-file={files['key']}",
            "--service-cluster-ip-range=10.0.0.0/24",
        )
        until = time.monotonic() + patience(60.0)
        while not self._ready():
            assert time.monotonic() < until, "the API server did not come up"
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop the API server; etcd keeps what it was told."""
        _end(self._server)

    def close(self) -> None:
        """Stop both."""
        _end(self._server)
        _end(self._etcd)

    def _ready(self) -> bool:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        authority = str(self._folder / "ca.pem")
        try:
            found = requests.get(f"{self.url}/readyz", headers=headers, verify=authority, timeout=2)
        except requests.RequestException:
            return False
        return found.ok

    def _run(self, program: str, *flags: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [str(self._binaries / program), *flags], stdout=log, stderr=subprocess.STDOUT
            )


@contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    """One that runs; the test is skipped where its programs are not."""
    binaries = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nowhere"))
    if not (binaries / "kube-apiserver").exists():
        pytest.skip(HOW)
    one = ApiServer(folder, binaries)
    try:
        one.start()
        yield one
    finally:
        one.close()


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait()
