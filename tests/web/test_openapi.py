"""The OpenAPI document says exactly what is answered."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.gateway_process import ask, gateway, request
from support.patience import patience

HERE = Path(__file__).parent
EXAMPLES = 25


def schemathesis(folder, url, *flags):
    """Runs it in ``folder``, where it leaves its cache; the process with its output."""
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path}
    environ["SCHEMATHESIS_HOOKS"] = str(HERE / "schemathesis_hooks.py")
    program = [Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json"]
    options = [f"--max-examples={EXAMPLES}", "--seed=7", "--no-color", *flags]
    return subprocess.run(
        [*program, *options],
        capture_output=True,
        text=True,
        env=environ,
        cwd=folder,
        timeout=patience(240),
        check=False,
    )


@pytest.mark.slow
def test_schemathesis_finds_nothing(web, tmp_path):
    """Whatever it sends is answered as the document says, and never by 500."""
    found = schemathesis(tmp_path, web.url)
    assert found.returncode == 0, found.stdout[-4000:]
    assert "5 selected" in found.stdout


@pytest.mark.slow
def test_schemathesis_finds_nothing_where_a_token_is_wanted(neumo_server, tmp_path):
    """Nor does it get past the token."""
    (tmp_path / "token").write_text("sesame-open-the-door\n")
    flags = ["--rate=0", f"--token-file={tmp_path / 'token'}"]
    with gateway(neumo_server.grpc_url, *flags) as running:
        found = schemathesis(
            tmp_path, running.url, "--header=Authorization: Bearer sesame-open-the-door"
        )
    assert found.returncode == 0, found.stdout[-4000:]


@pytest.mark.parametrize("path", ["/docs", "/docs.css"])
def test_the_documentation_needs_nothing_from_elsewhere(web, path):
    """No script, no inline style, no other site: the Content-Security-Policy holds for it."""
    text = asyncio.run(ask(web.port, request(path, verb="GET"))).body.decode()
    assert not [
        word for word in ("<script", "<style", "style=", "http://", "https://") if word in text
    ]


def test_the_documentation_describes_every_operation(web):
    """By its path, with every status it can answer."""
    document = asyncio.run(ask(web.port, request("/openapi.json", verb="GET"))).json
    text = asyncio.run(ask(web.port, request("/docs", verb="GET"))).body.decode()
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            assert f"{verb.upper()} {path}" in text
            for status in operation["responses"]:
                assert f"<td>{status}</td>" in text
