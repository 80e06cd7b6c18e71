"""The networks of the newest shipped release, for training without masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from neumo import release
from neumo.contract import LUNGS, MEMBERS
from neumo.errors import ConfigError
from neumo_training.networks import folded_batchnorm, lungs_network
from neumo_training.networks.network_config import CONFIGS, LungsConfig, read

LOCALISER = "localiser"
_VARIABLES = "variables/variables"
# The checkpoint's name for an element of the list that export_signatures tracks.
_WEIGHT = "_weights/{}/.ATTRIBUTES/VARIABLE_VALUE"


def load(name: str) -> Any:
    """The network ``name``: ``lungs``, or the ``localiser`` that every member holds.

    Raises ``ConfigError`` where the shipped release has none.
    """
    store = release.shipped()
    newest = release.newest(store)
    if LUNGS.name not in newest.models:
        raise ConfigError(
            f"release {newest.release} in {store} finds no lungs: train with --masks DIR"
        )
    # Every member holds the same localiser, before its CNNs.
    model = LUNGS.name if name == LUNGS.name else MEMBERS[0].name
    folder = store / model / str(newest.release)
    # Folded before it is filled: the SavedModel's weights are folded ones.
    built = folded_batchnorm.fold(
        lungs_network.build(0, read(CONFIGS / f"{name}.toml", LungsConfig).widths)
    )
    _fill(built, folder / _VARIABLES)
    return built


def _fill(built: Any, checkpoint: Path) -> None:
    """Give ``built`` the first of the SavedModel's weights: ``export_signatures`` orders them."""
    # By the checkpoint: a loaded SavedModel gives functions, not a network that can be asked for
    # parts.
    saved = tf.train.load_checkpoint(str(checkpoint))
    built.set_weights([saved.get_tensor(_WEIGHT.format(k)) for k in range(len(built.weights))])
