"""A release of toys: models that answer by brightness, as real SavedModels in a model store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neumo import contract, release

THRESHOLD = 0.5
CHEST_THRESHOLD = 0.5


def write(store: Path, number: int = 1, *, lungs: bool = False, grey: float = 130.0) -> Path:
    """Write release ``number``: a film brighter than ``grey`` on the mean is PNEUMONIA."""
    import tensorflow as tf

    class Toy(tf.Module):
        def member(self, image: Any, steepness: float) -> dict[str, Any]:
            brightness = tf.reduce_mean(tf.cast(image, tf.float32), axis=(1, 2, 3))
            return self.scores(
                "probability", tf.sigmoid((brightness - grey) / steepness), THRESHOLD
            )

        def explained(self, image: Any, steepness: float) -> dict[str, Any]:
            heat = tf.cast(image[:, ::8, ::8, 0], tf.float32) / 255.0
            return {"heatmap": heat, **self.member(image, steepness)}

        def found(self, image: Any) -> dict[str, Any]:
            chest = tf.reduce_max(tf.cast(image, tf.float32), axis=(1, 2, 3)) / 255.0
            mask = tf.cast(image[..., 0] < 100, tf.uint8)
            return {"mask": mask, **self.scores("chest", chest, CHEST_THRESHOLD)}

        def scores(self, name: str, values: Any, threshold: float) -> dict[str, Any]:
            rows = tf.shape(values)
            return {
                name: values,
                "threshold": tf.fill(rows, tf.constant(threshold, tf.float32)),
                "release": tf.fill(rows, tf.constant(number, tf.int64)),
            }

    toy = Toy()
    spec = tf.TensorSpec((None, 256, 256, 1), tf.uint8, "image")

    def traced(body: Any) -> Any:
        return tf.function(body, input_signature=[spec]).get_concrete_function()

    models = {
        member.name: {
            contract.SERVING_DEFAULT: traced(lambda image, s=s: toy.member(image, s)),
            contract.EXPLAIN: traced(lambda image, s=s: toy.explained(image, s)),
        }
        for member, s in zip(contract.MEMBERS, (4.0, 9.0), strict=True)
    }
    if lungs:
        models[contract.LUNGS.name] = {contract.SERVING_DEFAULT: traced(toy.found)}
    for name, signatures in models.items():
        tf.saved_model.save(toy, str(store / name / str(number)), signatures=signatures)
    _manifest(store, number, list(models))
    return store


def _manifest(store: Path, number: int, names: list[str]) -> None:
    made = release.Manifest(
        release=number,
        contract=contract.version(),
        created="2026-01-01T00:00:00+00:00",
        threshold=THRESHOLD,
        models={
            name: release.ModelFiles(release.sha256_of_files(store / name / str(number)))
            for name in names
        },
        golden=release.Golden(0, 0, "", 0.0, {}),
        roc={},
        metrics={},
        data={},
    )
    path = release.manifest_path(store, number)
    path.parent.mkdir(exist_ok=True)
    path.write_text(made.to_json())
