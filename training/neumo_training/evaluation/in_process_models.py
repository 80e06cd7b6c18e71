"""A release's SavedModels, run in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from neumo import contract, release
from neumo.drawing.mean_heatmap import mean_heatmap
from neumo.errors import ConfigError
from neumo_training.evaluation.scoring import Scores

BATCH_SIZE = 16

Pixels = npt.NDArray[np.uint8]
MaskPixels = npt.NDArray[np.uint8]
"""uint8 [n, 256, 256], 1 inside the lungs."""
Tick = Callable[[int], None]
"""Called with the number of films that were just answered."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """The loaded models of one release by name, and its manifest."""

    manifest: release.Manifest
    models: dict[str, Any]

    @property
    def weights_sha256(self) -> str:
        """One SHA-256 of all the models' files: which release it is, whatever its number."""
        return release.weights_sha256(self.manifest)

    @property
    def has_lungs(self) -> bool:
        """Whether the release finds the lungs."""
        return contract.LUNGS.name in self.models


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Each member's probabilities, float64 [n] by name; PNEUMONIA is above ``threshold``."""

    members: dict[str, Scores]
    threshold: float

    @property
    def ensemble(self) -> Scores:
        """The mean of the members, as the SDK takes it."""
        mean: Scores = np.mean(list(self.members.values()), axis=0)
        return mean

    @property
    def models(self) -> dict[str, Scores]:
        """The ensemble and then each member, by name."""
        return {"ensemble": self.ensemble, **self.members}


@dataclass(frozen=True, slots=True, eq=False)
class LungsFound:
    """``masks`` uint8 [n, 256, 256] of 0 and 1, and how sure ``chest`` is, float64 [n].

    The SDK refuses a film whose ``chest`` is below ``threshold``.
    """

    masks: MaskPixels
    chest: Scores
    threshold: float


def load(store: Path, release_number: int | None) -> Ensemble:
    """Release ``release_number`` (default: the newest) of the model store ``store``.

    Raises ``ConfigError`` where the store lacks it, or one of its models cannot be loaded.
    """
    known = release.numbers(store)
    if release_number is not None and release_number not in known:
        there = ", ".join(map(str, known)) or "none"
        raise ConfigError(f"{store}: no release {release_number} here; the releases here: {there}")
    manifest = (
        release.newest(store)
        if release_number is None
        else release.read(release.manifest_path(store, release_number))
    )
    models = {
        name: _load(store / name / str(manifest.release))
        for name in (model.name for model in contract.MODELS)
        if name in manifest.models
    }
    for member in contract.MEMBERS:
        if member.name not in models:
            raise ConfigError(f"{store}: release {manifest.release} lacks {member.name}")
    return Ensemble(manifest, models)


def answer(ensemble: Ensemble, pixels: Pixels, tick: Tick) -> Answers:
    """What each member says about ``pixels``, uint8 [n, 256, 256, 1]."""
    probability = contract.PROBABILITY.name
    by_member: dict[str, list[Scores]] = {member.name: [] for member in contract.MEMBERS}
    for batch in _batches(pixels):
        for name, parts in by_member.items():
            given = ensemble.models[name].signatures[contract.SERVING_DEFAULT](image=batch)
            # float64: the SDK takes the mean of Python's floats.
            parts.append(given[probability].numpy().astype(np.float64))
        tick(len(batch))
    members = {name: np.concatenate(parts) for name, parts in by_member.items()}
    return Answers(members, ensemble.manifest.threshold)


def explain(ensemble: Ensemble, pixels: Pixels, tick: Tick) -> npt.NDArray[np.float32]:
    """The mean of the members' heat maps, float32 [n, 256, 256] in [0, 1]."""
    heat = []
    for batch in _batches(pixels):
        maps = [
            ensemble.models[member.name]
            .signatures[contract.EXPLAIN](image=batch)[contract.HEATMAP.name]
            .numpy()
            for member in contract.MEMBERS
        ]
        heat += [mean_heatmap(of_film) for of_film in zip(*maps, strict=True)]
        tick(len(batch))
    return np.stack(heat)


def find_lungs(ensemble: Ensemble, pixels: Pixels, tick: Tick) -> LungsFound:
    """What ``lungs`` finds in ``pixels``; only where the release has it."""
    model = ensemble.models[contract.LUNGS.name].signatures[contract.SERVING_DEFAULT]
    masks, chest, threshold = [], [], 0.0
    for batch in _batches(pixels):
        given = model(image=batch)
        masks.append(given[contract.MASK.name].numpy())
        chest.append(given[contract.CHEST.name].numpy().astype(np.float64))
        threshold = float(given[contract.THRESHOLD.name].numpy()[0])
        tick(len(batch))
    return LungsFound(np.concatenate(masks), np.concatenate(chest), threshold)


def _batches(pixels: Pixels) -> Iterator[Any]:
    for first in range(0, len(pixels), BATCH_SIZE):
        yield tf.constant(pixels[first : first + BATCH_SIZE])


def _load(folder: Path) -> Any:
    try:
        return tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"{folder}: no SavedModel that can be loaded ({reason}); neumo release check says more"
        ) from error
