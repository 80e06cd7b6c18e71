"""Batch normalisation that is folded away before a release is saved."""

import keras
import numpy as np
import pytest
from keras import layers

from neumo_training.networks import folded_batchnorm, lungs_network, member_networks, network_config

NETWORKS = {
    "plain": lambda: member_networks.build(network_config.read_all().members[0]),
    "residual": lambda: member_networks.build(network_config.read_all().members[1]),
    "lungs": lambda: lungs_network.build(3),
}


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
def test_a_folded_network_gives_the_same_answers_without_normalisation(build):
    """With statistics and scales that are not the fresh ones."""
    random = np.random.RandomState(1)
    trained = build()
    for layer in trained.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    folded = folded_batchnorm.fold(trained)
    films = random.rand(2, 128, 128, 1).astype(np.float32)
    expected, given = (keras.tree.flatten(net(films, training=False)) for net in (trained, folded))
    for one, other in zip(expected, given, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-4)
    assert not [n for n in folded.layers if isinstance(n, layers.BatchNormalization)]
