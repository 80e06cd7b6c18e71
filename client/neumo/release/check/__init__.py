"""A folder of releases judged: its files, its contract, and its models' own answers.

Nothing is run whose files are not those of the manifest: a SavedModel is a program.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire.answer_types import SignatureSpec
from neumo._wire.grpc_messages import signature_spec
from neumo.errors import ConfigError
from neumo.release import golden
from neumo.release import manifest as release
from neumo.release.check import contract_asset, file_hashes, model_answers_check, store_layout
from neumo.release.check.findings import Finding, Opener, Servable

__all__ = [
    "Finding",
    "Opener",
    "Servable",
    "SignatureSpec",
    "inspect",
    "releases",
    "signature_spec",
]


def releases(models_dir: Path) -> list[int]:
    """The releases to judge in ``models_dir``, half-copied ones too, oldest first.

    Raises ``ConfigError`` where there is none.
    """
    if not models_dir.is_dir():
        raise ConfigError(f"{models_dir}: no such folder; give one with releases/N.json in it")
    # Folders without a manifest too: a half-copied release is served by whoever lists folders.
    found = {number for _, number in store_layout.versions(models_dir)} | {
        *release.numbers(models_dir)
    }
    if not found:
        raise ConfigError(f"{models_dir}: no release here; give a folder with releases/N.json")
    return sorted(found)


def inspect(models_dir: Path, number: int, open_model: Opener) -> Iterator[Finding]:
    """What is wrong with release ``number`` of ``models_dir``; nothing where it is sound."""
    path = release.manifest_path(models_dir, number)
    if not path.exists():
        yield Finding(number, "", f"{path} is missing: half copied, or there is no such release")
        return
    try:
        manifest = release.read(path)
        contract.minor_of(manifest.contract)
    except (ConfigError, ValueError) as error:
        yield Finding(number, "", str(error))
        return
    for text in _in_manifest(manifest, number):
        yield Finding(number, "", text)
    try:
        images = golden.images(manifest.golden)
    except ConfigError as error:
        yield Finding(number, "", str(error))
        images = None
    lying = {model for model, version in store_layout.versions(models_dir) if version == number}
    for name in sorted(lying - manifest.models.keys()):
        yield Finding(number, name, "the manifest does not name this model, which lies there")
    for name in sorted(manifest.models):
        folder = models_dir / name / str(number)
        for text in _in_model(folder, name, manifest, images, open_model):
            yield Finding(number, name, text)
    if number == release.numbers(models_dir)[-1]:
        for text in store_layout.config_findings(models_dir, manifest):
            yield Finding(number, "", text)


def _in_manifest(manifest: release.Manifest, number: int) -> Iterator[str]:
    if manifest.release != number:
        yield f"the manifest is that of release {manifest.release!r}"
    threshold = manifest.threshold
    if type(threshold) not in {int, float} or not 0.0 <= threshold <= 1.0:
        yield f"the threshold is no number in [0, 1]: {threshold!r}"
    for member in contract.MEMBERS:
        if member.name not in manifest.models:
            yield f"the manifest lacks {member.name}, which every release has"


def _in_model(
    folder: Path,
    name: str,
    manifest: release.Manifest,
    images: npt.NDArray[np.uint8] | None,
    open_model: Opener,
) -> Iterator[str]:
    try:
        model = contract.model(name)
    except KeyError:
        yield f"contract {contract.version()} knows no such model; update neumo to judge it"
        return
    changed = list(file_hashes.findings(folder, manifest.models[name].sha256))
    yield from changed
    yield from contract_asset.findings(folder, model, int(folder.name), manifest.contract)
    if changed:
        # A SavedModel is a program: what somebody changed is not run to find out what it does.
        yield "not run, since its files are not the release's"
    elif images is None:
        yield "not run, since the manifest has no golden pairs to judge it by"
    else:
        try:
            with open_model(folder) as servable:
                for found in model_answers_check.differences(model, manifest, images, servable):
                    yield found.text
        except ConfigError as error:
            yield f"does not load: {error}"
