"""Whole releases of toys: every signature, golden answers and heat, sound or spoilt in one thing.

The manifest is always that of the sound release; so whoever verifies a spoilt one must find it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neumo import contract, release
from neumo.release import golden, phantom

SEED, COUNT, TOLERANCE = 11, 4, 1e-4
THRESHOLD = 0.5


@dataclass(frozen=True)
class Spoilt:
    """What of the members is otherwise than in the manifest; the defaults are not."""

    higher: float = 0.0
    """Added to the members' probabilities."""
    encoded_higher: float = 0.0
    """Added to those of the signature ``encoded`` alone."""
    threshold: float = THRESHOLD
    number: int | None = None
    """What the weights say of which release they are."""
    without: tuple[str, ...] = ()
    """Signatures that the members lack."""
    heat: Callable[[Any], Any] = lambda maps: maps
    """What becomes of the heat maps [n, h, w]."""


SOUND = Spoilt()


def write(
    store: Path,
    number: int,
    spoilt: Spoilt = SOUND,
    *,
    lungs: bool = True,
    refuses: bool = True,
    records_heat: bool = True,
) -> Path:
    """Write release ``number`` into ``store``, spoilt, and its manifest, which is not; ``store``.

    ``refuses=False`` is a release whose ``lungs`` takes all for chests, and whose manifest says so.
    """
    images = phantom.draw(SEED, COUNT)
    outputs: dict[str, Any] = {}
    heat: dict[str, Any] = {}
    models = [*contract.MEMBERS, *([contract.LUNGS] if lungs else [])]
    for index, model in enumerate(models):
        steepness = 20.0 + 10.0 * index
        sound = _functions(model, number, SOUND, steepness, refuses)
        answered = sound[contract.SERVING_DEFAULT](images)
        outputs[model.name] = golden.recorded({k: v.numpy() for k, v in answered.items()})
        if model.has(contract.EXPLAIN):
            maps = sound[contract.EXPLAIN](images)[contract.HEATMAP.name]
            heat[model.name] = golden.heat(maps.numpy())
        made = SOUND if model is contract.LUNGS else spoilt
        _save(model, _functions(model, number, made, steepness, refuses), made, store, number)
    manifest = release.Manifest(
        release=number,
        contract=contract.version(),
        created="2026-01-01T00:00:00+00:00",
        threshold=THRESHOLD,
        models={
            model.name: release.ModelFiles(
                release.sha256_of_files(store / model.name / str(number))
            )
            for model in models
        },
        golden=release.Golden(SEED, COUNT, phantom.sha256(images), TOLERANCE, outputs),
        roc={},
        metrics={},
        data={},
        golden_heat=heat if records_heat else {},
    )
    path = release.manifest_path(store, number)
    path.parent.mkdir(exist_ok=True)
    path.write_text(manifest.to_json())
    return store


def write_config(store: Path) -> list[str]:
    """Write ``models.config`` for every version that is ever in ``store``; a server's flags."""
    entries = "".join(
        f'config {{ name: "{model.name}" base_path: "{store / model.name}" '
        'model_platform: "tensorflow" model_version_policy { all {} } }\n'
        for model in contract.MODELS
        if (store / model.name).is_dir()
    )
    config = store / "models.config"
    config.write_text(f"model_config_list {{ {entries} }}")
    return [f"--model_config_file={config}", "--file_system_poll_wait_seconds=1"]


def _functions(
    model: contract.Model, number: int, spoilt: Spoilt, steepness: float, refuses: bool
) -> dict[str, Callable[[Any], dict[str, Any]]]:
    """Each signature's answer to uint8 [n, 256, 256, 1]."""
    import tensorflow as tf

    template = phantom.chests(99, 8).astype(np.float64).mean(axis=0)[:, :, 0]
    template = template - template.mean()
    template = (template / np.linalg.norm(template)).astype(np.float32)

    def scores(name: str, values: Any) -> dict[str, Any]:
        rows = tf.shape(values)
        of = number if spoilt.number is None else spoilt.number
        return {
            name: values,
            "threshold": tf.fill(rows, tf.constant(spoilt.threshold, tf.float32)),
            "release": tf.fill(rows, tf.constant(of, tf.int64)),
        }

    def member(image: Any, higher: float = 0.0) -> dict[str, Any]:
        brightness = tf.reduce_mean(tf.cast(image, tf.float32), axis=(1, 2, 3))
        probability = tf.sigmoid((brightness - 100.0) / steepness)
        return scores("probability", tf.minimum(1.0, probability + spoilt.higher + higher))

    def explained(image: Any) -> dict[str, Any]:
        # Brighter to the left, so that a mirrored map is another one.
        maps = tf.cast(image[:, ::8, ::8, 0], tf.float32) / 255.0 * tf.linspace(1.0, 0.2, 32)
        return {"heatmap": spoilt.heat(maps), **member(image)}

    def screened(image: Any) -> dict[str, Any]:
        grey = tf.cast(image[..., 0], tf.float32)
        centred = grey - tf.reduce_mean(grey, axis=(1, 2), keepdims=True)
        length = tf.sqrt(tf.reduce_sum(tf.square(centred), axis=(1, 2))) + 1e-6
        likeness = tf.reduce_sum(centred * template, axis=(1, 2)) / length
        chest = tf.clip_by_value(likeness if refuses else tf.ones_like(likeness), 0.0, 1.0)
        return scores("chest", chest)

    def found(image: Any) -> dict[str, Any]:
        return {"mask": tf.cast(image[..., 0] < 100, tf.uint8), **screened(image)}

    if model is contract.LUNGS:
        return {
            contract.SERVING_DEFAULT: found,
            contract.SCREEN: screened,
            contract.ENCODED: screened,
        }
    return {
        contract.SERVING_DEFAULT: member,
        contract.ENCODED: lambda image: member(image, spoilt.encoded_higher),
        contract.EXPLAIN: explained,
    }


def _save(
    model: contract.Model,
    functions: dict[str, Callable[[Any], dict[str, Any]]],
    spoilt: Spoilt,
    store: Path,
    number: int,
) -> None:
    import tensorflow as tf

    def traced(signature: contract.Signature) -> Any:
        answer = functions[signature.name]

        def by_image(image: Any) -> dict[str, Any]:
            return answer(image)

        def by_file(image_bytes: Any) -> dict[str, Any]:
            def decode(content: Any) -> Any:
                return tf.ensure_shape(tf.io.decode_png(content, channels=1), (256, 256, 1))

            spec = tf.TensorSpec((256, 256, 1), tf.uint8)
            return answer(tf.map_fn(decode, image_bytes, fn_output_signature=spec))

        is_encoded = signature.name == contract.ENCODED
        (tensor,) = signature.inputs
        spec = tf.TensorSpec(tensor.shape, tf.string if is_encoded else tf.uint8, tensor.name)
        body = by_file if is_encoded else by_image
        return tf.function(body, input_signature=[spec]).get_concrete_function()

    signatures = {s.name: traced(s) for s in model.signatures if s.name not in spoilt.without}
    tf.saved_model.save(tf.Module(), str(store / model.name / str(number)), signatures=signatures)
