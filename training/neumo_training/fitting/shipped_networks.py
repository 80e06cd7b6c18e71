"""The networks of the newest shipped release, for training without masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from neumo import release
from neumo.contract import LUNGS, MEMBERS
from neumo.errors import ConfigError
from neumo_training.datasets import splits
from neumo_training.networks import folded_batchnorm, lungs_network, member_networks
from neumo_training.networks.network_config import CONFIGS, LungsConfig, MemberConfig, read

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


def load_folds(config: MemberConfig, release_number: int) -> list[Any]:
    """The CNNs of the member ``config.model`` of a shipped release: number k never saw fold k.

    They are folded, see ``folded_batchnorm``. Raises ``ConfigError`` where ``config`` is not of
    that release.
    """
    folder = release.shipped() / config.model / str(release_number)
    first = len(load(LOCALISER).weights)
    cnns = []
    for _ in range(splits.FOLDS):
        cnns.append(folded_batchnorm.fold(member_networks.build(config)))
        try:
            _fill(cnns[-1], folder / _VARIABLES, first)
        except (ValueError, tf.errors.OpError) as error:
            raise ConfigError(f"{folder}: not the CNNs of configs/{config.model}.toml") from error
        first += len(cnns[-1].weights)
    return cnns


def _fill(built: Any, checkpoint: Path, first: int = 0) -> None:
    """Give ``built`` the SavedModel's weights from ``first``: ``export_signatures`` orders them."""
    # By the checkpoint: a loaded SavedModel gives functions, not a network that can be asked for
    # parts.
    saved = tf.train.load_checkpoint(str(checkpoint))
    places = range(first, first + len(built.weights))
    built.set_weights([saved.get_tensor(_WEIGHT.format(k)) for k in places])
