"""Install pinned packages into this interpreter's environment, and say how far it is.

``python requirements/install.py requirements/dev.lock``; the Makefile does. pip alone is either
silent for minutes or tells hundreds of lines, and its warnings are of no use to who tries neumo.
"""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

_REFRESH_S = 1.0
_LINE_S = 15.0
"""How often a line is written where none can be written over."""


def main(lock: Path) -> int:
    """Install what ``lock`` pins; pip's exit status, and its own words where it failed."""
    total = sum("==" in line and line[0] not in " #" for line in lock.open(encoding="utf-8"))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--require-hashes", "-r", str(lock)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        said = _told(pip, total)
    if pip.returncode:
        print("\n".join(said[-20:]), file=sys.stderr)
        print(f"neumo: pip could not install {lock} (above: why)", file=sys.stderr)
    return pip.returncode


def _told(pip: subprocess.Popen[str], total: int) -> list[str]:
    """What ``pip`` said, while a line tells how far it is."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_pass_on, args=(pip, lines), daemon=True).start()
    said: list[str] = []
    started = shown = time.monotonic()
    is_over = sys.stdout.isatty()
    step, count = "looking for packages", 0
    while True:
        try:
            line = lines.get(timeout=_REFRESH_S)
        except queue.Empty:
            line = ""
        if line is None:
            break
        if line and not line.startswith("WARNING"):
            said.append(line.rstrip())
        if line.startswith(("Collecting ", "Processing ")):  # from an index, from a folder
            count += 1
            name = re.split("[-=]", Path(line.split()[1]).name)[0]
            step = f"package {count} of {total} at most: {name}"
        elif line.startswith("Installing "):
            step = f"unpacking {count} packages"
        now = time.monotonic()
        if now - shown >= (_REFRESH_S if is_over else _LINE_S):
            shown = now
            text = f"   {now - started:4.0f} s  {step}"
            print(f"\r\x1b[K{text}" if is_over else text, end="" if is_over else "\n", flush=True)
    if is_over:
        print("\r\x1b[K", end="", flush=True)
    return said


def _pass_on(pip: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert pip.stdout is not None  # noqa: S101 - it was asked for
    for line in pip.stdout:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
