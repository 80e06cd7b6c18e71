"""Training of the lungs' network: on masks where they are known, on drawn images and spoilt films.

A film on its side, upside down or cut into pieces is no chest radiograph to it, nor is any of
``drawn_nonchest``'s drawings. Phantoms are: what stands in for a film must pass where films do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from neumo.contract import IMAGE_SIZE_PX
from neumo.errors import ConfigError
from neumo.release import phantom
from neumo_training.datasets import drawn_nonchest, lung_masks
from neumo_training.datasets.decoded_films import Films
from neumo_training.datasets.lung_masks import Masks
from neumo_training.fitting import resumable_run
from neumo_training.networks import augmentation, batches, framing, lungs_network
from neumo_training.networks.network_config import LungsConfig

PIECES = 4
PHANTOMS = 192


@dataclass(frozen=True, slots=True)
class Seen:
    """Films as the networks here see them: ``overviews`` of ``table``'s, float16 [n, 128, 128, 1].

    Made once: every network is asked about the same ones.
    """

    table: pd.DataFrame
    overviews: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a batch is made of: overviews float16 [n, 128, 128, 1] and lungs uint8 [n, h, w, 1]."""

    films: npt.NDArray[np.float16]
    lungs: npt.NDArray[np.uint8]


def overviews(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """``framing.overview`` of many films, float16 [n, 128, 128, 1]."""
    return batches.convert(framing.overview, pixels)


def see(films: Films) -> Seen:
    """``films`` at the networks' resolution."""
    return Seen(films.table, overviews(films.pixels))


def fit(
    config: LungsConfig,
    seen: Seen,
    masks: Masks,
    held: npt.NDArray[np.bool_],
    folder: Path,
    say: resumable_run.Say,
) -> Any:
    """The network, trained on the films that are not ``held``; the held ones choose the epoch.

    Raises ``ConfigError`` for a ``mask_size_px`` that the masks cannot be brought to.
    """
    drawn = _at(config.mask_size_px, masks.pixels)
    train = masks.known & ~held
    kept = _Rows(seen.overviews[train], drawn[train])
    tested = _Rows(seen.overviews[masks.known & held], drawn[masks.known & held])
    others = _Others(
        overviews(drawn_nonchest.draw(config.seed, config.drawn)),
        overviews(phantom.chests(config.seed, PHANTOMS)),
    )

    def held_loss(model: Any) -> float:
        # Dice itself, not the loss: it is what a release is judged by.
        return 1.0 - float(np.mean(dice_at_half(predict(model, tested.films)[0], tested.lungs)))

    task = resumable_run.Task(
        config=config,
        films=resumable_run.fingerprint(seen.table[train], kept.lungs),
        build=lambda: _compiled(config),
        epoch=lambda epoch: _epoch(config, kept, others, epoch),
        held_loss=held_loss,
    )
    return resumable_run.run(task, folder, say)[0]


def _at(size_px: int, masks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if size_px == IMAGE_SIZE_PX:
        return masks
    if size_px != lungs_network.SIZE_PX:
        raise ConfigError(
            f"mask_size_px {size_px}: choose {lungs_network.SIZE_PX} or {IMAGE_SIZE_PX}"
        )
    return halved(masks)


def halved(masks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Masks uint8 [n, 256, 256, 1] at the network's size: lung where half of 2 x 2 pixels are."""
    n, side = len(masks), lungs_network.SIZE_PX
    count = masks.reshape(n, side, 2, side, 2, 1).sum(axis=(2, 4), dtype=np.uint8)
    # At fewer masks would grow, at more shrink, along every border.
    return np.asarray(count >= 2, np.uint8)


def predict(
    model: Any, films: npt.NDArray[np.float16]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Probabilities for ``overviews``: lungs float32 [n, 128, 128, 1] and chest float32 [n]."""
    lungs, chest = [], []
    for (batch,) in batches.of(films):
        answers = model(batch, training=False)
        lungs.append(tf.sigmoid(answers[lungs_network.MASK]).numpy())
        chest.append(tf.sigmoid(answers[lungs_network.CHEST]).numpy()[:, 0])
    return np.concatenate(lungs), np.concatenate(chest)


def dice_at_half(
    lungs: npt.NDArray[np.float32], truth: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float64]:
    """``lung_masks.dice`` of each film, float64 [n], at the size of ``truth`` [n, h, w, 1].

    ``lungs`` are probabilities, enlarged where they are smaller; above one half a pixel is lung.
    """
    scores = []
    for probabilities, drawn in batches.of(lungs, truth):
        sure = tf.image.resize(probabilities, drawn.shape[1:3]).numpy() > 0.5
        scores.append(lung_masks.dice(sure, drawn))
    return np.concatenate(scores)


@keras.saving.register_keras_serializable("neumo")  # type: ignore[untyped-decorator]
def overlap_loss(truth: Any, logits: Any) -> Any:
    """Cross-entropy and one minus soft Dice (Milletari et al. 2016), per film [n].

    ``logits`` are enlarged to the size of ``truth``, as the servable enlarges them.
    """
    logits = tf.image.resize(logits, truth.shape[1:3])
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits)
    guess = tf.sigmoid(logits)
    both = tf.reduce_sum(guess * truth, axis=(1, 2, 3))
    all_ = tf.reduce_sum(guess + truth, axis=(1, 2, 3))
    # The ones: a drawing has no lungs, and 0 / 0 would be its Dice.
    return tf.reduce_mean(entropy, axis=(1, 2, 3)) + 1.0 - (2.0 * both + 1.0) / (all_ + 1.0)


@dataclass(frozen=True, slots=True)
class _Others:
    drawn: npt.NDArray[np.float16]
    phantoms: npt.NDArray[np.float16]


def _compiled(config: LungsConfig) -> Any:
    model = lungs_network.build(config.seed, config.widths)
    model.compile(
        optimizer=resumable_run.optimizer(config),
        # Read by the outputs' names, whatever the order in which the network gives them.
        loss={
            lungs_network.MASK: overlap_loss,
            lungs_network.CHEST: keras.losses.BinaryCrossentropy(from_logits=True),
        },
        loss_weights={lungs_network.MASK: 1.0, lungs_network.CHEST: 0.3},
        # By itself Keras would take XLA, which takes 2.2 times as long on this CPU (tried.csv).
        jit_compile=False,
    )
    return model


def _epoch(config: LungsConfig, rows: _Rows, others: _Others, epoch: int) -> Any:
    counts = (
        config.films_per_batch, config.spoilt_per_batch,
        config.drawn_per_batch, config.phantoms_per_batch,
    )  # fmt: skip
    size = sum(counts)
    side, mask_side = lungs_network.SIZE_PX, config.mask_size_px

    def batch(step: Any) -> Any:
        random = np.random.RandomState([config.seed, epoch, int(step)])
        picked = random.randint(0, len(rows.films), counts[0] + counts[1])
        # Picking by indices copies: what is spoilt below is not the films themselves.
        films = rows.films[picked]
        films[counts[0] :] = [_spoilt(film, random) for film in films[counts[0] :]]
        extra = [
            pool[random.randint(0, len(pool), count)]
            for pool, count in ((others.drawn, counts[2]), (others.phantoms, counts[3]))
        ]
        lungs = np.zeros((size, mask_side, mask_side, 1), np.float32)
        lungs[: counts[0]] = rows.lungs[picked[: counts[0]]]
        return np.concatenate([films, *extra]).astype(np.float32), lungs

    chest = np.repeat([1.0, 0.0, 0.0, 1.0], counts).astype(np.float32)[:, None]
    # A phantom's lungs are not drawn by a person; of a spoilt film only its chest is judged.
    masked = np.repeat([1.0, 0.0, 0.3, 0.0], counts).astype(np.float32)

    def prepare(step: Any) -> Any:
        # Films stay in NumPy: as constants they would be in the graph, which ends at 2 GB.
        films, lungs = tf.numpy_function(batch, [step], (tf.float32, tf.float32))
        # numpy_function forgets every shape, and Keras builds by them.
        films = tf.ensure_shape(films, (size, side, side, 1))
        lungs = tf.ensure_shape(lungs, (size, mask_side, mask_side, 1))
        # Apart for every epoch below 1,000 and every seed.
        seed = tf.stack([config.seed * 1000 + epoch, tf.cast(step, tf.int32)])
        films, lungs = _augmented(films, lungs, seed, config)
        weights = {lungs_network.MASK: masked, lungs_network.CHEST: tf.ones(size)}
        return films, {lungs_network.MASK: lungs, lungs_network.CHEST: chest}, weights

    steps = tf.data.Dataset.range(config.steps_per_epoch)
    # Two workers may not swap batches: a run that goes on must see the same ones.
    return steps.map(prepare, num_parallel_calls=2, deterministic=True).prefetch(2)


def _spoilt(film: npt.NDArray[np.float16], random: np.random.RandomState) -> Any:
    """The film on its side, upside down, or its pieces in another order."""
    kind = random.randint(4)
    if kind < 3:
        return np.rot90(film, kind + 1)
    side = len(film) // PIECES
    pieces = film.reshape(PIECES, side, PIECES, side).swapaxes(1, 2).reshape(-1, side, side)
    pieces = pieces[random.permutation(len(pieces))]
    return pieces.reshape(PIECES, PIECES, side, side).swapaxes(1, 2).reshape(film.shape)


def _augmented(films: Any, lungs: Any, seed: Any, config: LungsConfig) -> tuple[Any, Any]:
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    whole = tf.tile(tf.constant([framing.WHOLE]), (films.shape[0], 1))
    view = augmentation.view(
        whole, seeds[0], zoom=config.zoom, stretch=config.zoom, shift=config.shift,
        rotation_degrees=config.rotation_degrees,
    )  # fmt: skip
    films = framing.sample(films, *view, lungs_network.SIZE_PX, fill="CONSTANT")
    lungs = framing.sample(lungs, *view, config.mask_size_px, fill="CONSTANT")
    films = augmentation.expose(films, seeds[1], config.gamma)
    films = augmentation.blur(films, seeds[2])
    # Turned masks have grey edges, and the loss wants 0 or 1.
    return augmentation.grain(films, seeds[3], config.noise), tf.round(lungs)
