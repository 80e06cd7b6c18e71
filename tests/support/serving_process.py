"""``neumo serve`` as a process whose words and ports a test looks at itself."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.patience import patience

PATIENCE_S = patience(60.0)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def serve(*flags: str) -> subprocess.Popen[str]:
    """The process, on a free port where ``flags`` name none."""
    command = [sys.executable, "-m", "neumo_serving", f"--port={free_port()}", *flags]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def said_until(process: subprocess.Popen[str], words: str) -> str:
    """What the process says up to the line with ``words``."""
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended without {words!r}: {said}")


@contextmanager
def serving(*flags: str) -> Iterator[subprocess.Popen[str]]:
    """The process, ready; it is killed in the end."""
    with serve(*flags) as process:
        try:
            said_until(process, "ready: ")
            yield process
        finally:
            process.kill()
