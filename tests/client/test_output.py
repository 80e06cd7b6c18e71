"""Output that cannot be written, files that file managers leave, marks that editors put first."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from neumo import release
from neumo_serving.config import textproto
from neumo_serving.engine import batching_parameters

FULL = Path("/dev/full")


def run(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program under a shell that redirects its output."""
    command = f'"$0" -m neumo.commands.program "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_output_that_cannot_be_written(redirection, arguments):
    """Closed or full: one line, exit status 74 (EX_IOERR), no traceback."""
    result = run(redirection, *arguments)
    assert result.returncode == 74
    assert result.stderr.startswith("neumo: output cannot be written")
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_help_of_a_command_on_a_full_disk():
    """What argparse prints, too."""
    result = run("> /dev/full", "predict", "--help")
    assert (result.returncode, result.stderr.count("\n")) == (74, 1)


def test_closed_standard_error():
    """What is meant for it does not come among the answers."""
    result = run("2>&-", "no-such-command")
    assert (result.returncode, result.stdout) == (2, "")


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini", "._saved_model.pb"])
def test_clutter_is_no_part_of_a_release(tmp_path, name):
    """A folder that was looked at on macOS or Windows has the same files."""
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    before = release.sha256_of_files(tmp_path)
    for folder in (tmp_path, tmp_path / "variables"):
        (folder / name).write_bytes(b"left behind")
    assert release.sha256_of_files(tmp_path) == before


def test_a_bom_is_read_over(tmp_path):
    """The mark U+FEFF that editors on Windows put first is no part of a configuration."""
    path = tmp_path / "any.config"
    path.write_text("\N{ZERO WIDTH NO-BREAK SPACE}max_batch_size { value: 8 }\n", "utf-8")
    assert textproto.read(path, "flag").startswith("max_batch_size")
    assert batching_parameters.read(path).max_batch_size == 8
    manifest = tmp_path / "1.json"
    manifest.write_text("\N{ZERO WIDTH NO-BREAK SPACE}" + json.dumps({"contract": "1"}), "utf-8")
    with pytest.raises(release.manifest.ConfigError) as caught:
        release.read(manifest)
    assert "BOM" not in str(caught.value)


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_with_no_server_there_is_nothing_but_the_error(tmp_path, form):
    """No header, no empty list: a script reads neither as an answer."""
    film = tmp_path / "film.png"
    Image.linear_gradient("L").save(film)
    told = run("", "predict", str(film), form, "--server", "grpc://127.0.0.1:1", "--timeout", "5")
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr.count("\n") == 1
    assert "pneumonia_tuned at grpc://127.0.0.1:1" in told.stderr


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_films_that_cannot_be_read_are_answers(tmp_path, form):
    """Each has its line or its record, whether a server is there or not."""
    film = tmp_path / "film.png"
    film.write_bytes(b"no film")
    told = run("", "predict", str(film), form, "--server", "grpc://127.0.0.1:1")
    assert told.returncode == 2
    lines = told.stdout.splitlines()
    assert (lines[0][:5], lines[-1][:1]) == (("file,", "/") if form == "--csv" else ("[", "]"))
