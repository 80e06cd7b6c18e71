"""Trained networks to a release: versioned SavedModels and the manifest that names them.

Everything is built and checked in a staging folder of the same file system, then renamed into
place, the manifest last: at any moment a model store holds whole versions only.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from neumo import contract, release
from neumo.contract import LUNGS, MEMBERS
from neumo.errors import ConfigError
from neumo.release import golden, phantom
from neumo_training.fitting import resumable_run, shipped_networks
from neumo_training.fitting.pipeline import RESULTS, fold_folder
from neumo_training.savedmodels import export_signatures, warmup_records
from neumo_training.whole_files import write_atomically

Servable = export_signatures.MemberModule | export_signatures.LungsModule

GOLDEN_SEED = 1905
GOLDEN_COUNT = 8
GOLDEN_TOLERANCE = 1e-4
"""Absolute, on probabilities: other processors round float32 convolutions differently."""
SERVED_FROM = "/models"
"""Where TensorFlow Serving's image looks for models."""


def export(
    workdir: Path, models_dir: Path, release_number: int | None = None, *, forced: bool = False
) -> release.Manifest:
    """Write the run in ``workdir`` as release ``release_number`` of ``models_dir``.

    By default the number is the UTC time, see ``release.next_number``; ``forced`` is
    ``release.check_number``'s. Raises ``ConfigError`` where the run is not finished, or the number
    cannot be taken.
    """
    results = _results(workdir)
    if release_number is None:
        release_number = release.next_number(models_dir, datetime.now(UTC))
    release.check_number(models_dir, release_number, forced=forced)
    staging = models_dir / ".staging"
    # What a killed export left.
    shutil.rmtree(staging, ignore_errors=True)
    for name, servable in _servables(workdir, results, release_number).items():
        _write_model(contract.model(name), servable, release_number, staging / name)
    # While all is staged: hashes and golden answers are of the very files that are moved.
    manifest = _manifest(
        results, release_number, {m.name: staging / m.name for m in contract.MODELS}
    )
    for name in manifest.models:
        _install(staging / name, models_dir / name / str(release_number), staging)
    config = release.models_config(manifest, SERVED_FROM)
    write_atomically(release.manifest_path(models_dir, release_number), manifest.to_json())
    # Last, since a server may watch it: until then it serves the release before.
    write_atomically(models_dir / release.MODELS_CONFIG, config)
    shutil.rmtree(staging)
    return manifest


def _servables(workdir: Path, results: dict[str, Any], release_number: int) -> dict[str, Servable]:
    """Every model of the release by its name, ready to be saved."""
    localiser, lungs = (
        _lungs_network(workdir, name) for name in (shipped_networks.LOCALISER, LUNGS.name)
    )
    chest = results["lungs"]["chest_threshold"]
    servables: dict[str, Servable] = {
        LUNGS.name: export_signatures.LungsModule(lungs, chest, release_number)
    }
    for member in MEMBERS:
        folders = (fold_folder(workdir / member.name, k) for k in range(results["data"]["folds"]))
        cnns = [keras.models.load_model(folder / resumable_run.BEST) for folder in folders]
        scale = export_signatures.Calibration(**results["calibration"][member.name])
        servables[member.name] = export_signatures.MemberModule(
            localiser, cnns, scale, results["threshold"], release_number
        )
    return servables


def _lungs_network(workdir: Path, name: str) -> Any:
    """The run's own, or the shipped release's where the run had no masks."""
    trained = workdir / name / resumable_run.BEST
    return keras.models.load_model(trained) if trained.exists() else shipped_networks.load(name)


def _results(workdir: Path) -> dict[str, Any]:
    try:
        results: dict[str, Any] = json.loads((workdir / RESULTS).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{workdir}: no finished run here; first: neumo train") from error
    except ValueError as error:
        raise ConfigError(
            f"{workdir / RESULTS}: not the results of a run ({error}); neumo train writes it anew"
        ) from error
    return results


def _write_model(
    model: contract.Model, servable: Servable, release_number: int, folder: Path
) -> None:
    tf.saved_model.save(servable, str(folder), signatures=servable.signatures())
    (folder / contract.CONTRACT_ASSET).parent.mkdir(exist_ok=True)
    (folder / contract.CONTRACT_ASSET).write_text(
        contract.to_json(model, release_number), encoding="utf-8"
    )
    warmup_records.write(model, folder / contract.WARMUP_ASSET)


def _install(staged: Path, version: Path, staging: Path) -> None:
    """Rename ``staged`` to ``version``; one left by a killed export, in no manifest, gives way."""
    version.parent.mkdir(parents=True, exist_ok=True)
    if version.exists():
        version.replace(staging / f"{version.parent.name}-old")
    staged.replace(version)


def _manifest(
    results: dict[str, Any], release_number: int, folders: dict[str, Path]
) -> release.Manifest:
    return release.Manifest(
        release=release_number,
        contract=contract.version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        threshold=results["threshold"],
        models={n: release.ModelFiles(release.sha256_of_files(f)) for n, f in folders.items()},
        golden=_golden(folders),
        roc=results["roc"],
        metrics=results["metrics"],
        data=results["data"],
        environment=results["environment"],
        golden_heat=_golden_heat(folders),
    )


def _golden_heat(folders: dict[str, Path]) -> dict[str, list[list[float]]]:
    """Where the members' heat maps of the golden inputs lie."""
    images = tf.constant(phantom.draw(GOLDEN_SEED, GOLDEN_COUNT))
    heat = {}
    for member in contract.MEMBERS:
        loaded = tf.saved_model.load(str(folders[member.name]))
        answer = loaded.signatures[contract.EXPLAIN](image=images)
        heat[member.name] = golden.heat(answer[contract.HEATMAP.name].numpy())
    return heat


def _golden(folders: dict[str, Path]) -> release.Golden:
    """What the SavedModels, read back from disk, answer to the golden inputs."""
    images = phantom.draw(GOLDEN_SEED, GOLDEN_COUNT)
    # From disk, not from memory: what a server will load is what must answer so.
    outputs = {}
    for name, folder in folders.items():
        loaded = tf.saved_model.load(str(folder))
        answer = loaded.signatures[contract.SERVING_DEFAULT](image=tf.constant(images))
        outputs[name] = golden.recorded({key: value.numpy() for key, value in answer.items()})
    digest = phantom.sha256(images)
    return release.Golden(GOLDEN_SEED, GOLDEN_COUNT, digest, GOLDEN_TOLERANCE, outputs)
