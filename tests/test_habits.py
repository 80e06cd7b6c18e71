"""Habits of the repository: one version, line ends that survive Windows, no litter."""

import datetime
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from neumo import release

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "release.py"


@pytest.fixture(scope="module")
def releasing():
    """The script behind ``make release``."""
    spec = importlib.util.spec_from_file_location("releasing", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_names_the_same_version(releasing):
    """pyproject's; none of the others was left behind."""
    assert all(releasing.places_of(releasing.version()).values())


def test_a_release_moves_every_place_of_the_version(releasing, tmp_path, monkeypatch):
    """And nothing else in those files."""
    for name in releasing.PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(releasing, "ROOT", tmp_path)
    before = releasing.places_of(releasing.version())
    releasing.write(releasing.version(), "9.8.7")
    assert releasing.places_of("9.8.7") == before


def test_a_release_without_its_changelog_is_refused(releasing):
    """What users notice is written first."""
    day = datetime.date(2026, 1, 2)
    assert releasing.dated("## 1.2.3 (unreleased)\n", "1.2.3", day) == "## 1.2.3 (2026-01-02)\n"
    with pytest.raises(ValueError, match="CHANGELOG"):
        releasing.dated("## 1.2.2 (unreleased)\n", "1.2.3", day)


def test_a_clone_on_windows_has_the_same_bytes(tmp_path):
    """With ``core.autocrlf``, Git for Windows' default: hashes hold, scripts run in images."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing to clone")
    subprocess.run(
        ["git", "-c", "core.autocrlf=true", "clone", "--quiet", ROOT, tmp_path / "clone"],
        check=True,
    )
    clone = tmp_path / "clone"
    assert not [path.name for path in clone.glob("serving/*.sh") if b"\r" in path.read_bytes()]
    store = clone / "serving" / "models"
    for number in release.numbers(store):
        manifest = release.read(release.manifest_path(store, number))
        for name, model in manifest.models.items():
            assert release.sha256_of_files(store / name / str(number)) == model.sha256
