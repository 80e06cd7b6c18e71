"""A folder of releases without TensorFlow: files, manifests, and models that answer as told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neumo import contract, release
from neumo._wire.calls import Call, Metadata, Predict
from neumo.errors import ConfigError
from neumo.release import golden, phantom
from neumo.testing import answering

SEED, COUNT, THRESHOLD = 7, 3, 0.4
MEMBERS = tuple(member.name for member in contract.MEMBERS)
WITH_LUNGS = (*MEMBERS, contract.LUNGS.name)
PROBABILITY = {name: 0.1 + 0.2 * n for n, name in enumerate(WITH_LUNGS)}


@dataclass(frozen=True)
class FakeModel:
    """A servable that answers as ``neumo.testing``'s server does."""

    model: str
    number: int

    @property
    def signatures(self) -> Any:
        """The contract's."""
        return self._answer(Metadata(self.model)).signatures

    def run(self, signature: str, inputs: Mapping[str, Any]) -> Any:
        """Its one answer, for each input."""
        asked = contract.model(self.model).signature(signature)
        return self._answer(Predict(self.model, asked, inputs)).outputs

    def _answer(self, call: Call[Any]) -> Any:
        return answering(PROBABILITY, threshold=THRESHOLD, release=self.number)(call)


@contextmanager
def fake_model(folder: Path) -> Iterator[FakeModel]:
    """Opens the fake model whose name is written in ``folder``; a broken one does not load."""
    model = (folder / "saved_model.pb").read_text()
    if model not in PROBABILITY:
        raise ConfigError("INVALID_ARGUMENT: no SavedModel")
    yield FakeModel(model, int(folder.name))


def write_release(
    store: Path, number: int = 1, models: Sequence[str] = MEMBERS
) -> release.Manifest:
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
    asked = {contract.IMAGE.name: images}
    pairs = {
        name: golden.recorded(FakeModel(name, number).run(contract.SERVING_DEFAULT, asked))
        for name in models
    }
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


def files_of(store: Path, name: str, number: int = 1) -> release.ModelFiles:
    """The hashes of a version as it lies in ``store``."""
    return release.ModelFiles(release.sha256_of_files(store / name / str(number)))


def write_manifest(store: Path, manifest: release.Manifest) -> None:
    """Write ``manifest`` where a release's lies."""
    path = release.manifest_path(store, manifest.release)
    path.parent.mkdir(exist_ok=True)
    path.write_text(manifest.to_json())


def change_manifest(store: Path, number: int = 1, **changes: Any) -> None:
    """Change what the manifest of release ``number`` says."""
    path = release.manifest_path(store, number)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def hash_anew(store: Path, number: int = 1) -> None:
    """Make the manifest name the files as they lie there: a forger who knows the format."""
    manifest = release.read(release.manifest_path(store, number))
    models = {name: files_of(store, name, number) for name in manifest.models}
    write_manifest(store, replace(manifest, models=models))
