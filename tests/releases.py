"""A folder of releases without TensorFlow: files, manifests, and models that answer as told."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neumo import contract, golden, phantom, release
from neumo.errors import ConfigError
from neumo.wire import SignatureSpec, TensorSpec

SEED, COUNT, THRESHOLD = 7, 3, 0.4
MEMBERS = tuple(member.name for member in contract.MEMBERS)
WITH_LUNGS = (*MEMBERS, contract.LUNGS.name)
PROBABILITY = {name: 0.1 + 0.2 * n for n, name in enumerate(WITH_LUNGS)}


def answers(model, signature, number, rows=COUNT):
    """What the fake ``model`` of release ``number`` answers: each its own probability."""
    side = contract.IMAGE_SIZE_PX
    mask = np.zeros((rows, side, side), np.uint8)
    mask[:, : side // 4] = 1
    every = {
        contract.PROBABILITY: np.full(rows, PROBABILITY[model], np.float32),
        contract.CHEST: np.full(rows, PROBABILITY[model], np.float32),
        contract.THRESHOLD: np.full(rows, THRESHOLD, np.float32),
        contract.RELEASE: np.full(rows, number, np.int64),
        contract.HEATMAP: np.full((rows, 16, 16), 0.5, np.float32),
        contract.MASK: mask,
    }
    return {t.name: every[t] for t in contract.model(model).signature(signature).outputs}


@dataclass(frozen=True)
class FakeModel:
    """A servable that answers what ``contract.json`` in its folder says it should."""

    model: str
    number: int

    @property
    def signatures(self):
        """The contract's."""
        return {s.name: spec_of(s) for s in contract.model(self.model).signatures}

    def run(self, signature, inputs):
        """Its one answer, for each input."""
        (value,) = inputs.values()
        return answers(self.model, signature, self.number, len(value))


def spec_of(signature):
    """One of the contract's signatures as a SavedModel has it."""
    inputs, outputs = (
        {t.name: TensorSpec(t.dtype, t.shape) for t in tensors}
        for tensors in (signature.inputs, signature.outputs)
    )
    return SignatureSpec(inputs, outputs)


@contextmanager
def fake_model(folder: Path):
    """Opens the fake model whose name is written in ``folder``; a broken one does not load."""
    model = (folder / "saved_model.pb").read_text()
    if model not in PROBABILITY:
        raise ConfigError("INVALID_ARGUMENT: no SavedModel")
    yield FakeModel(model, int(folder.name))


def write_release(store: Path, number=1, models=MEMBERS):
    """Write release ``number`` of ``models`` into ``store``, and return its manifest."""
    for name in models:
        folder = store / name / str(number)
        (folder / contract.CONTRACT_ASSET).parent.mkdir(parents=True)
        (folder / "variables").mkdir()
        (folder / contract.CONTRACT_ASSET).write_text(
            contract.to_json(contract.model(name), number)
        )
        (folder / "saved_model.pb").write_text(name)
        (folder / "variables" / "variables.data").write_text("weights")
    images = phantom.draw(SEED, COUNT)
    pairs = {n: golden.recorded(answers(n, contract.SERVING_DEFAULT, number)) for n in models}
    manifest = release.Manifest(
        release=number,
        contract=contract.version(),
        created="2026-01-01T00:00:00+00:00",
        threshold=THRESHOLD,
        models={n: files_of(store, n, number) for n in models},
        golden=release.Golden(SEED, COUNT, phantom.sha256(images), 1e-4, pairs),
        roc={},
        metrics={},
        data={},
    )
    write_manifest(store, manifest)
    (store / release.MODELS_CONFIG).write_text(release.models_config(manifest, "/models"))
    return manifest


def files_of(store: Path, name, number=1):
    """The hashes of a version as it lies in ``store``."""
    return release.ModelFiles(release.sha256_of_files(store / name / str(number)))


def write_manifest(store: Path, manifest):
    """Write ``manifest`` where a release's lies."""
    path = store / release.MANIFEST_FOLDER / f"{manifest.release}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(manifest.to_json())


def change_manifest(store: Path, number=1, **changes):
    """Change what the manifest of release ``number`` says."""
    path = store / release.MANIFEST_FOLDER / f"{number}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def hash_anew(store: Path, number=1):
    """Make the manifest name the files as they lie there: a forger who knows the format."""
    manifest = release.read(store / release.MANIFEST_FOLDER / f"{number}.json")
    models = {name: files_of(store, name, number) for name in manifest.models}
    write_manifest(store, replace(manifest, models=models))
