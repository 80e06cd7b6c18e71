"""What having and importing the SDK costs, beside the packages that it cannot do without."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import tests_path  # noqa: F401

from support.measuring.turns import Action, in_turns, show
from support.places import ROOT

ROUNDS = 11
CODE = {
    "bare numpy, PIL.Image, grpc": "import numpy, PIL.Image, grpc",
    "import neumo": "import neumo",
    "import neumo, make a Client": "import neumo; neumo.Client('grpc://localhost:1')",
}
RESIDENT = "\nprint(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"


def installed(folder: Path) -> Path:
    """``pip install neumo`` of a wheel made here, in a fresh environment; its Python."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run(
        [*uv, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], check=True, cwd=folder
    )
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", python, wheel]
    subprocess.run([*uv, *install], check=True, cwd=folder)
    return python


def running(python: Path, code: str) -> Action:
    """A fresh interpreter that runs ``code``."""
    return lambda: subprocess.run([python, "-c", code], check=True)


def resident_mb(python: Path, code: str) -> float:
    """Its memory afterwards."""
    printed = subprocess.run([python, "-c", code + RESIDENT], check=True, capture_output=True)
    return int(printed.stdout) / 1024


def main() -> None:
    """Measure in an environment that holds nothing but the base install."""
    with tempfile.TemporaryDirectory() as made:
        python = installed(Path(made))
        bare = {"a Python that does nothing": running(python, "pass")}
        times = in_turns(bare | {n: running(python, c) for n, c in CODE.items()}, ROUNDS)
        started = times.pop("a Python that does nothing")
        show("cold import", {name: took - started for name, took in times.items()})
        memory = {name: resident_mb(python, code) for name, code in CODE.items()}
        show("memory after it", memory, "MB")
        (packages,) = (python.parents[1] / "lib").glob("python*/site-packages")
        size = sum(f.stat().st_size for f in packages.rglob("*") if f.is_file())
        count = len(list(packages.glob("*.dist-info")))
        print(f"base install: {size / 1e6:.1f} MB in {count} distributions")


if __name__ == "__main__":
    main()
