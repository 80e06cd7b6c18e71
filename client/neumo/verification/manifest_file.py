"""The manifest that a server is held against, and where it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neumo import contract, release
from neumo.errors import ConfigError
from neumo.release import golden


@dataclass(frozen=True, slots=True, eq=False)
class ManifestFile:
    """A release's manifest as it lies in the file ``path``, ``sha256`` that file's.

    ``against_models`` are those of the release that it is held against, where its manifest lies
    beside this one; the members, which every release has, where it does not. ``images`` are the
    golden inputs, uint8 [count, 256, 256, 1].
    """

    path: Path
    sha256: str
    manifest: release.Manifest
    images: npt.NDArray[np.uint8]
    against: int | None
    against_models: tuple[str, ...]

    @property
    def in_common(self) -> list[str]:
        """The models that both releases have."""
        return sorted({*self.against_models} & self.manifest.models.keys())

    @property
    def weights_sha256(self) -> str:
        """One SHA-256 of all files that the manifest names."""
        return release.weights_sha256(self.manifest)

    @classmethod
    def find(
        cls, number: int, against: int | None = None, where: Path | None = None
    ) -> ManifestFile:
        """The manifest of release ``number``.

        ``where`` is a manifest, or a folder with ``releases/N.json`` in it (default: the release
        that this neumo brings along). Raises ``ConfigError`` where there is none, or one that
        nothing can be judged by.
        """
        if against == number:
            raise ConfigError(f"release {number} against itself: give another one, or none")
        path = _path(number, where)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; {_ADVICE}") from error
        manifest = release.read(path)
        _check(path, manifest, number)
        try:
            images = golden.images(manifest.golden)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        return cls(
            path,
            hashlib.sha256(data).hexdigest(),
            manifest,
            images,
            against,
            () if against is None else _models_beside(path, against),
        )


_ADVICE = "give the release's manifest, or the folder it lies in: --manifest"
_MEMBERS = tuple(member.name for member in contract.MEMBERS)


def _path(number: int, where: Path | None) -> Path:
    folder = where or release.shipped()
    if not folder.is_dir():
        return folder
    path = release.manifest_path(folder, number)
    if not path.exists():
        found = ", ".join(map(str, release.numbers(folder))) or "none"
        raise ConfigError(f"{folder}: no manifest of release {number} (there: {found}); {_ADVICE}")
    return path


def _check(path: Path, manifest: release.Manifest, number: int) -> None:
    if manifest.release != number:
        raise ConfigError(f"{path}: the manifest is of release {manifest.release}, not {number}")
    try:
        contract.minor_of(manifest.contract)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    lacking = [name for name in _MEMBERS if name not in manifest.models]
    if lacking:
        raise ConfigError(f"{path}: the manifest lacks {lacking[0]}, which every release has")
    threshold = manifest.threshold
    if type(threshold) not in {int, float} or not 0.0 <= threshold <= 1.0:
        raise ConfigError(f"{path}: the threshold is no number in [0, 1]: {threshold!r}")


def _models_beside(path: Path, number: int) -> tuple[str, ...]:
    beside = path.with_name(f"{number}.json")
    return tuple(release.read(beside).models) if beside.exists() else _MEMBERS
