"""The wheel, installed alone in fresh environments, far from this checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv

import pytest

from neumo import release
from support.patience import patience
from support.places import ROOT


def run(*command, cwd):
    """The finished process; nothing of this checkout's environment reaches it."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environ,
        timeout=patience(840),
        check=False,
    )


def checked(*command, cwd):
    """What the process printed, when it ended well."""
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel built from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    build = ["-m", "uv", "build", "--quiet", "--wheel", "--out-dir", out, ROOT]
    checked(sys.executable, *build, cwd=out)
    (found,) = out.glob("*.whl")
    return found


def environment(folder, lock, wheel):
    """A fresh environment with the packages pinned in ``lock`` and the wheel; its programs."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    pip = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if lock is not None:
        checked(*pip, "--require-hashes", "-r", lock, cwd=folder)
        pip.append("--no-deps")
    checked(*pip, wheel, cwd=folder)
    return programs


FOR_TESTS = ["billiard>=4.2", "gunicorn>=22", "pytest>=8.3", "pytest-timeout>=2.3", "trustme>=1.1"]
FORKS = "tests/client/test_forks.py"
PYTHONS = [f"python3.{minor}" for minor in range(11, 20)]


def named(*names):
    """The last of these Pythons that runs here and can make environments."""
    works = ["-c", "import ensurepip, venv"]
    for name in reversed(names):
        found = shutil.which(name)
        if found and run(found, *works, cwd="/").returncode == 0:
            return found
    return pytest.skip(f"none of {', '.join(names)} is on the PATH")


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("pythons", "resolution"),
    [(PYTHONS[:1], "lowest-direct"), (PYTHONS, "highest")],
    ids=["oldest", "newest"],
)
def test_the_wheel_alone_passes_the_sdks_tests(wheel, tmp_path, pythons, resolution):
    """On the oldest Python and packages that it allows, and on the newest that are to be had."""
    checked(named(*pythons), "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    checked(*pip, "--resolution", resolution, "-r", ROOT / "pyproject.toml", cwd=tmp_path)
    checked(*pip, "--no-deps", wheel, cwd=tmp_path)
    checked(*pip, *FOR_TESTS, cwd=tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("support", "client"):
        shutil.copytree(ROOT / "tests" / folder, tmp_path / "tests" / folder)
    tests = (python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    printed = checked(*tests, f"--ignore={FORKS}", cwd=tmp_path)
    assert " passed" in printed
    # gRPC itself ends a forked child now and then: a second failure is ours.
    if run(*tests, FORKS, cwd=tmp_path).returncode != 0:
        checked(*tests, FORKS, cwd=tmp_path)


@pytest.fixture(scope="module")
def base(wheel, tmp_path_factory):
    """The SDK alone: ``pip install neumo``."""
    return environment(tmp_path_factory.mktemp("base"), None, wheel)


def dependencies():
    """The packages that ``pyproject.toml`` names for the SDK alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {re.match(r"[\w-]+", one).group() for one in project["dependencies"]}


def test_the_sdk_alone_has_the_packages_it_names_and_no_tensorflow(base, tmp_path):
    """``import neumo`` works without TensorFlow; Client needs what the base install has."""
    lines = checked(base / "python", "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    names = {line.partition("==")[0] for line in lines.splitlines()}
    # What these need in turn is theirs to say: certifi for requests, and few more.
    assert dependencies() <= names
    assert len(names - {"neumo", "pip", "setuptools"}) <= 2 * len(dependencies())
    assert "tensorflow" not in names
    code = "import neumo; neumo.Client().close(); print(neumo.Prediction.__name__)"
    assert checked(base / "python", "-W", "error", "-c", code, cwd=tmp_path) == "Prediction\n"


@pytest.mark.parametrize(
    ("command", "extra"),
    [(["serve"], "serving"), (["demo"], "serving"), (["train", "films"], "training")],
)
def test_a_command_whose_extra_is_missing_names_it(base, tmp_path, command, extra):
    """One line with the pip command, exit status 2."""
    done = run(base / "neumo", *command, cwd=tmp_path)
    assert done.returncode == 2
    assert f"pip install 'neumo[{extra}]'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(900)
def test_the_wheel_with_the_serving_extra_runs_the_demo(wheel, tmp_path):
    """From any folder, with the release that the wheel carries."""
    lock = ROOT / "requirements" / "serving.lock"
    programs = environment(tmp_path / "venv", lock, wheel)
    folder = tmp_path / "anywhere"
    folder.mkdir()
    printed = checked(programs / "neumo", "demo", cwd=folder)
    assert "probability" in printed
    assert f"release      {release.newest(release.shipped()).release}" in printed
    assert (folder / "neumo-demo" / "RG1_UNCR.png").exists()
