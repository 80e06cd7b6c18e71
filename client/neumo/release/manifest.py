"""What a release is: one integer, and the manifest that travels with it.

Version N of every model belongs to release N. A folder of releases looks like this::

    models/releases/N.json      the manifest, written last: without it there is no release N
    models/models.config        TensorFlow Serving's configuration, generated from the manifest
    models/<model>/<N>/         one SavedModel each

Numbers below ``FIRST_OWN`` are those of the releases that neumo ships. Your own take the UTC time
of their export, YYYYMMDDhhmmss: whoever made them, only two of the same second could meet, and the
newest of your own is served before any that is shipped.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from neumo import contract
from neumo.errors import ConfigError

MANIFEST_FOLDER = "releases"
MODELS_CONFIG = "models.config"
CARRIERS = "neumo.releases"
"""The entry points of packages that bring a release along: functions to its folder."""
"""The package whose folder holds the shipped release; every install of neumo has it."""
SERVED_VERSIONS = 2
"""The two newest releases are served, so that any two servers in a rollout share one."""

FIRST_OWN = 1_000_000
"""Every release below it is one that neumo ships."""

LAST = 2**53 - 1
"""The largest number that JSON carries exactly everywhere; TensorFlow Serving's are int64."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One model of a release: its files' SHA-256 by path below ``<model>/<release>/``."""

    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Golden:
    """Inputs drawn from ``seed`` by ``neumo.release.phantom.draw`` and what each model answers.

    ``outputs`` holds ``model -> output tensor -> one value per input``, as ``neumo.release.golden``
    records them; a release reproduces those of one value per input within ``tolerance``
    (absolute).
    """

    seed: int
    count: int
    inputs_sha256: str
    tolerance: float
    outputs: dict[str, dict[str, list[float]]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """``releases/N.json``."""

    release: int
    contract: str
    created: str
    threshold: float
    models: dict[str, ModelFiles]
    golden: Golden
    roc: dict[str, list[float]]
    """Out-of-fold ROC curve of the ensemble: ``fpr``, ``tpr``, ``threshold``."""
    metrics: dict[str, Any]
    data: dict[str, Any]
    """Fingerprint of the training data and what curation kept."""
    environment: dict[str, str] = field(default_factory=dict)
    golden_heat: dict[str, list[list[float]]] = field(default_factory=dict)
    """Each member's heat maps of the golden inputs, as ``neumo.release.golden.heat`` records them;
    empty in releases that were made before it."""

    def to_json(self) -> str:
        """The manifest's text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def read(path: Path) -> Manifest:
    """The manifest in the file ``path``.

    Raises ``ConfigError`` where the file is not a manifest, or one of another contract.
    """
    try:
        # With or without the mark that editors on Windows put first.
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        if not contract.understands(str(document["contract"])):
            raise ConfigError(
                f"{path}: written for contract {document['contract']}, this neumo knows "
                f"{contract.version()}; install a neumo of the same major contract"
            )
        # A later minor of the contract may have more fields: an old client goes on without them.
        known = {name: document[name] for name in Manifest.__dataclass_fields__ if name in document}
        known["contract"] = str(document["contract"])
        known["models"] = {
            name: ModelFiles(dict(files["sha256"])) for name, files in document["models"].items()
        }
        known["golden"] = Golden(**document["golden"])
        return Manifest(**known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: not a release manifest ({error})") from error


def manifest_path(models_dir: Path, number: int) -> Path:
    """Where the manifest of release ``number`` lies in ``models_dir``, if there is one."""
    return models_dir / MANIFEST_FOLDER / f"{number}.json"


def numbers(models_dir: Path) -> list[int]:
    """The releases in ``models_dir``, oldest first; empty where there is none."""
    # The manifest is written last, so a half-copied release has none and does not count.
    found = (models_dir / MANIFEST_FOLDER).glob("*.json")
    return sorted(int(path.stem) for path in found if path.stem.isdecimal())


def next_number(models_dir: Path, now: datetime) -> int:
    """The number for a release of your own made at ``now``, above all in ``models_dir``.

    ``now`` must know its time zone: it is ``now`` in UTC as YYYYMMDDhhmmss, or one more than the
    newest release where that is larger.
    """
    # A clock that was set back would give a number below one that is served.
    stamp = int(now.astimezone(UTC).strftime("%Y%m%d%H%M%S"))
    return max(stamp, max(numbers(models_dir), default=0) + 1)


def check_number(models_dir: Path, number: int, *, forced: bool = False) -> None:
    """Raise ``ConfigError`` where no release ``number`` may be added to ``models_dir``.

    ``forced`` allows one of the numbers that neumo's own releases take, and one below the
    newest, which servers might never serve; nothing allows one that is there.
    """
    if not 1 <= number <= LAST:
        raise ConfigError(f"release {number}: a release's number is from 1 to {LAST}")
    taken = numbers(models_dir)
    if number in taken:
        raise ConfigError(f"release {number} is in {models_dir}, and a release never changes")
    advice = "leave --release out for a number that fits, or force it with --force"
    if forced:
        return
    if number < FIRST_OWN:
        raise ConfigError(
            f"release {number}: those below {FIRST_OWN:,} are the ones that neumo ships; {advice}"
        )
    if taken and number < taken[-1]:
        raise ConfigError(
            f"release {number}: {models_dir} has the newer release {taken[-1]}, "
            f"and only the {SERVED_VERSIONS} newest are served; {advice}"
        )


def newest(models_dir: Path) -> Manifest:
    """The manifest of the newest release in ``models_dir``; ``ConfigError`` if there is none."""
    releases = numbers(models_dir)
    if not releases:
        raise ConfigError(
            f"{models_dir}: no release here (no {MANIFEST_FOLDER}/N.json); "
            "make one with: neumo train"
        )
    return read(manifest_path(models_dir, releases[-1]))


def shipped() -> Path:
    """Where the release lies that neumo brings along: in the wheel, or a checkout's models."""
    # By an entry point: the SDK imports no other room, nor knows one's name.
    for carrier in entry_points(group=CARRIERS):
        folder: Path = carrier.load()()
        return folder
    raise ConfigError("no package with a release is installed: reinstall neumo")


def models_config(manifest: Manifest, base_path: str) -> str:
    """``models.config`` for the models of ``manifest``, each below ``base_path``."""
    blocks = [
        f"""  config {{
    name: "{name}"
    base_path: "{base_path.rstrip("/")}/{name}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: {SERVED_VERSIONS} }} }}
  }}
"""
        # Sorted, so that the same release writes the same bytes.
        for name in sorted(manifest.models)
    ]
    return "model_config_list {\n" + "".join(blocks) + "}\n"


def weights_sha256(manifest: Manifest) -> str:
    """One SHA-256 of the files of all models: which release it is, whatever it is called."""
    files = {name: of.sha256 for name, of in manifest.models.items()}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def is_clutter(name: str) -> bool:
    """Whether a file of this name was left by a file manager: no part of any release."""
    # macOS writes ._name beside each file that it copies to a disk of another kind.
    return name in {".DS_Store", "Thumbs.db", "desktop.ini"} or name.startswith("._")


def sha256_of_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``, clutter left out, by POSIX path relative to it."""
    return {
        # POSIX: a manifest made on Windows is checked on Linux.
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_clutter(path.name)
    }
