"""Training of one member's CNN on what its films' lungs boxes frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from neumo_training.datasets import curation
from neumo_training.datasets.decoded_films import Films
from neumo_training.fitting import resumable_run
from neumo_training.networks import augmentation, batches, framing, member_networks
from neumo_training.networks.network_config import MemberConfig


@dataclass(frozen=True, slots=True)
class Framed:
    """Films as the CNNs' graphs see them, float16 [n, 192, 192, 1] in 0..1, with their boxes.

    ``emphasis`` float64 [n] says how many times as often as its curation alone has it a film is
    drawn for training.
    """

    films: Films
    small: npt.NDArray[np.float16]
    boxes: npt.NDArray[np.float32]
    emphasis: npt.NDArray[np.float64]

    def where(self, keep: npt.NDArray[np.bool_]) -> Framed:
        """The films at which ``keep`` is true."""
        return Framed(
            self.films.where(keep), self.small[keep], self.boxes[keep], self.emphasis[keep]
        )

    def crops(self) -> npt.NDArray[np.float16]:
        """What a member sees of each film, float16 [n, 128, 128, 1]."""
        return batches.convert(framing.crop, self.small, self.boxes)


def frame(films: Films, boxes: npt.NDArray[np.float32]) -> Framed:
    """``films`` at the resolution that the graphs keep."""
    # Half precision: 4,118 films of 192 x 192 are 300 MB so.
    return Framed(films, batches.convert(framing.film, films.pixels), boxes, np.ones(len(boxes)))


def fit(
    config: MemberConfig, train: Framed, held: Framed | None, folder: Path, say: resumable_run.Say
) -> tuple[Any, resumable_run.RunState]:
    """The CNN and how its run in ``folder`` ended; ``held`` chooses the epoch, where given."""
    # By index: curation keeps it, and pixels, boxes and emphasis lie in the table's order.
    chosen = train.films.table.index.isin(
        curation.curate(train.films.table, config.curation, config.seed).index
    )
    kept = train.where(chosen)
    task = resumable_run.Task(
        config=config,
        films=resumable_run.fingerprint(kept.films.table, kept.emphasis),
        build=lambda: _compiled(config),
        epoch=lambda epoch: _epoch(config, kept, epoch),
        held_loss=None if held is None else _loss_on(held),
    )
    return resumable_run.run(task, folder, say)


def logits(model: Any, crops: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    """The model's logit of PNEUMONIA for ``Framed.crops``, float64 [n]."""
    by_batch = [model(batch, training=False).numpy()[:, 0] for (batch,) in batches.of(crops)]
    return np.concatenate(by_batch).astype(np.float64)


def log_loss(
    logits: npt.NDArray[np.float64],
    labels: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float64],
) -> float:
    """Mean cross-entropy of ``logits``, each film weighing ``weights`` (they sum to 1)."""
    wrong = np.where(labels > 0, -logits, logits)
    return float(np.sum(np.logaddexp(0.0, wrong) * weights))


def _loss_on(held: Framed) -> Any:
    crops, labels = held.crops(), held.films.labels
    # Balanced and by patient, whatever was trained on: three films of four are pneumonia.
    weights = curation.weights(held.films.table, curation.ALL_WEIGHTED)
    return lambda model: log_loss(logits(model, crops), labels, weights)


def _compiled(config: MemberConfig) -> Any:
    model = member_networks.build(config)
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
    # No XLA: see lungs_training.
    model.compile(optimizer=resumable_run.optimizer(config), loss=loss, jit_compile=False)
    return model


def _epoch(config: MemberConfig, train: Framed, epoch: int) -> Any:
    """Films drawn by their weights, augmented; the same for the same seed and number."""
    size, side = config.batch_size, train.small.shape[1]
    order = _rows(config, train, epoch)
    labels = train.films.labels

    def batch(step: Any) -> Any:
        # The epoch's order is drawn at once: a step's films do not depend on who runs it first.
        rows = order[int(step) * size : (int(step) + 1) * size]
        return train.small[rows].astype(np.float32), train.boxes[rows], labels[rows]

    def prepare(step: Any) -> tuple[Any, Any]:
        small, boxes, targets = tf.numpy_function(
            batch, [step], (tf.float32, tf.float32, tf.float32)
        )
        small = tf.ensure_shape(small, (size, side, side, 1))
        boxes, targets = tf.ensure_shape(boxes, (size, 4)), tf.ensure_shape(targets, (size,))
        seed = tf.stack([config.seed * 1000 + epoch, tf.cast(step, tf.int32)])
        crops, targets = _augmented(small, boxes, targets, seed, config)
        return crops, targets[:, None]

    steps = tf.data.Dataset.range(config.steps_per_epoch)
    return steps.map(prepare, num_parallel_calls=2, deterministic=True).prefetch(2)


def _rows(config: MemberConfig, train: Framed, epoch: int) -> npt.NDArray[np.int64]:
    """Which films an epoch shows, in its order."""
    random = np.random.RandomState([config.seed, epoch])
    weights = curation.weights(train.films.table, config.curation) * train.emphasis
    count = config.steps_per_epoch * config.batch_size
    return np.asarray(random.choice(len(weights), count, p=weights / weights.sum()), np.int64)


def _augmented(
    small: Any, boxes: Any, labels: Any, seed: Any, config: MemberConfig
) -> tuple[Any, Any]:
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
    look = augmentation.look_inside(
        boxes, seeds[0], area_min=config.crop_area_min, aspect=config.crop_aspect,
        rotation_degrees=config.rotation_degrees,
    )  # fmt: skip
    crops = framing.sample(small, *look, framing.CROP_SIZE_PX)
    crops = augmentation.expose(crops, seeds[1], config.gamma)
    crops = augmentation.blur(crops, seeds[2])
    crops = augmentation.grain(crops, seeds[3], config.noise)
    crops = augmentation.cut_out(crops, seeds[4], config.cutouts)
    # Last: what is mixed is two films as each was augmented.
    if not config.mixup:
        return crops, labels
    return augmentation.mix_up(crops, labels, seeds[5], config.mixup)
