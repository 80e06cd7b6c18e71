"""What importing neumo costs, and what it offers."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.metadata import version

import pytest

import neumo
from neumo import settings

HEAVY = {"tensorflow", "keras", "tensorflow_serving", "pandas", "sklearn", "matplotlib"}


def modules_after(code):
    """The top-level modules loaded by ``code`` in a fresh interpreter."""
    script = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import neumo",
        "import neumo; neumo.Client('grpc://localhost:1'); neumo.Client('http://localhost:1')",
        "import neumo.testing, neumo.commands.program, neumo.commands.predict",
    ],
)
def test_no_import_of_the_sdk_brings_tensorflow(code):
    """Also where TensorFlow is installed, as here."""
    assert not modules_after(code) & HEAVY


def test_importing_neumo_alone_imports_nothing_heavy():
    """Each public name is loaded when it is first used."""
    assert not modules_after("import neumo") & {"numpy", "PIL", "grpc", "requests", "google"}


def test_every_public_name_is_there_and_sorted():
    """``__all__`` is complete: each name can be got, and ``dir`` shows it."""
    assert neumo.__all__ == sorted(neumo.__all__)
    assert dir(neumo) == neumo.__all__
    aliases = {"Label", "Progress", "Source"}
    for name in neumo.__all__:
        value = getattr(neumo, name)
        assert name in aliases or value.__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = neumo.Klient


def test_the_version_is_the_installed_one():
    """As ``neumo --version`` says it."""
    assert neumo.__version__ == version("neumo")


def test_a_misspelt_name_is_a_type_checkers_error(tmp_path):
    """What is loaded late is no excuse for believing in any name."""
    pytest.importorskip("mypy.api", reason="mypy is not installed")
    from mypy import api

    file = tmp_path / "application.py"
    file.write_text(
        "import neumo\n"
        "version: str = neumo.__version__\n"
        "def ask(client: neumo.Client, film: neumo.Source) -> neumo.Label:\n"
        "    return client.predict(film).label\n"
        "neumo.Clinet\n"
    )
    told, _, status = api.run(
        ["--strict", "--no-incremental", "--follow-imports=silent", str(file)]
    )
    assert status == 1
    assert told.count("error:") == 1
    assert 'application.py:5: error: Module has no attribute "Clinet"' in told


def test_every_error_is_public():
    """The whole tree can be caught from ``neumo``."""
    from neumo import errors

    tree = {n for n, e in vars(errors).items() if isinstance(e, type)}
    assert tree <= set(neumo.__all__)


def test_an_argument_goes_before_the_environment_and_that_before_the_default():
    """The order is the same for the URL and the timeout."""
    environ = {"NEUMO_SERVER": "http://env:1", "NEUMO_TIMEOUT": "3"}
    told = settings.resolve("grpc://told:1", timeout=1.0, environ=environ)
    assert (told.url, told.timeout_s) == ("grpc://told:1", 1.0)
    found = settings.resolve(environ=environ)
    assert (found.url, found.timeout_s) == ("http://env:1", 3.0)
    default = settings.resolve(environ={})
    assert (default.url, default.timeout_s) == ("grpc://localhost:8500", 10.0)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "soon"])
def test_a_timeout_that_is_none_is_refused(timeout):
    """In the argument, and in the environment, whose variable is named."""
    with pytest.raises(neumo.ConfigError, match="timeout is"):
        settings.resolve(timeout=timeout, environ={})
    with pytest.raises(neumo.ConfigError, match="NEUMO_TIMEOUT is"):
        settings.resolve(environ={"NEUMO_TIMEOUT": str(timeout)})


@pytest.mark.parametrize("release", [0, -1, 1.5, True, "1"])
def test_a_release_that_is_none_is_refused(release):
    """A release is a whole number from 1."""
    with pytest.raises(neumo.ConfigError, match="whole number from 1"):
        settings.resolve(release=release, environ={})


def test_a_documented_name_that_moved_still_works():
    """``neumo.notebook.RocCurve``, with a word on where it is now."""
    from neumo.release import RocCurve

    with pytest.warns(DeprecationWarning, match=r"neumo\.release\.RocCurve"):
        moved = importlib.import_module("neumo.notebook").RocCurve

    assert moved is RocCurve
