"""A folder of releases judged: its files, its contract, and its models' own answers.

Nothing is run whose files are not those of the manifest: a SavedModel is a program.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neumo import contract, golden, release
from neumo.errors import ConfigError
from neumo.inspection import answers, assets, files, layout
from neumo.inspection.findings import Finding, Opener, Servable

__all__ = ["Finding", "Opener", "Servable", "inspect", "releases"]


def releases(models_dir: Path) -> list[int]:
    """The releases to judge in ``models_dir``, half-copied ones too, oldest first.

    Raises ``ConfigError`` where there is none.
    """
    if not models_dir.is_dir():
        raise ConfigError(f"{models_dir}: no such folder; give one with releases/N.json in it")
    found = {number for _, number in layout.versions(models_dir)} | {*release.numbers(models_dir)}
    if not found:
        raise ConfigError(f"{models_dir}: no release here; give a folder with releases/N.json")
    return sorted(found)


def inspect(models_dir: Path, number: int, open_model: Opener) -> Iterator[Finding]:
    """What is wrong with release ``number`` of ``models_dir``; nothing where it is sound."""
    lying = {model for model, version in layout.versions(models_dir) if version == number}
    path = models_dir / release.MANIFEST_FOLDER / f"{number}.json"
    if not path.exists():
        yield Finding(number, "", f"{path} is missing: half copied, or there is no such release")
        return
    try:
        manifest = release.read(path)
        contract.minor_of(manifest.contract)
    except (ConfigError, ValueError) as error:
        yield Finding(number, "", str(error))
        return
    yield from (Finding(number, "", text) for text in _in_manifest(manifest, number))
    for name in sorted(lying - manifest.models.keys()):
        yield Finding(number, name, "the manifest does not name this model, which lies there")
    for name in sorted(manifest.models):
        found = _in_model(models_dir, manifest, number, name, open_model)
        yield from (Finding(number, name, text) for text in found)
    if number == release.numbers(models_dir)[-1]:
        found = layout.config_findings(models_dir, manifest)
        yield from (Finding(number, "", text) for text in found)


def _in_manifest(manifest: release.Manifest, number: int) -> Iterator[str]:
    if manifest.release != number:
        yield f"the manifest is that of release {manifest.release!r}"
    threshold = manifest.threshold
    if type(threshold) not in {int, float} or not 0.0 <= threshold <= 1.0:
        yield f"the threshold is no number in [0, 1]: {threshold!r}"
    for member in contract.MEMBERS:
        if member.name not in manifest.models:
            yield f"the manifest lacks {member.name}, which every release has"
    try:
        golden.images(manifest.golden)
    except ConfigError as error:
        yield str(error)


def _in_model(
    models_dir: Path, manifest: release.Manifest, number: int, name: str, open_model: Opener
) -> Iterator[str]:
    try:
        model = contract.model(name)
    except KeyError:
        yield f"contract {contract.version()} knows no such model; update neumo to judge it"
        return
    folder = models_dir / name / str(number)
    changed = list(files.findings(folder, manifest.models[name].sha256))
    yield from changed
    yield from assets.findings(folder, model, number, manifest.contract)
    if changed:
        yield "not run, since its files are not the release's"
        return
    try:
        images = golden.images(manifest.golden)
    except ConfigError:
        yield "not run, since the manifest has no golden pairs to judge it by"
        return
    try:
        with open_model(folder) as servable:
            yield from answers.findings(model, manifest, images, servable)
    except ConfigError as error:
        yield f"does not load: {error}"
