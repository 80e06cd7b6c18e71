"""How a member looks at a film: margin, mirror and band energies, in the graph as in training."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from neumo.release import phantom
from neumo_training.networks import band_energies, framing, lungs_network, member_networks
from neumo_training.networks.network_config import read_all
from neumo_training.savedmodels.export_signatures import Calibration, Looking, MemberModule

WAYS = (Looking(), Looking(margin=0.03, levelled=True, mirrored=True))


@pytest.fixture(scope="module")
def networks():
    """A localiser and two small CNNs with fresh weights."""
    settings = replace(read_all().members[0], widths=(4, 8), blocks=(1, 1))
    cnns = [member_networks.build(replace(settings, seed=seed)) for seed in (1, 2)]
    return lungs_network.build(3, (4, 8)), cnns


def expected(networks, films, ways):
    """The mean logit of each CNN's crops, step by step as training makes them."""
    localiser, cnns = networks
    found = localiser(framing.overview(films), training=False)
    lungs = tf.sigmoid(found[lungs_network.MASK])
    logits = []
    for cnn, how in zip(cnns, ways, strict=True):
        film = framing.film(films)
        film = band_energies.levelled(film, framing.boxes(lungs)) if how.levelled else film
        crop = framing.crop(film, framing.boxes(lungs, how.margin))
        crops = [crop, crop[:, :, ::-1]] if how.mirrored else [crop]
        logits += [cnn(one, training=False)[:, 0] for one in crops]
    return tf.sigmoid(2.0 * tf.add_n(logits) / len(logits) - 0.1).numpy()


def test_each_cnn_is_asked_in_its_own_way_and_heat_maps_come_with_the_same_probability(networks):
    """One that looks as release 2 did beside one with a mirror and usual band energies."""
    films = tf.constant(phantom.draw(5, 3))
    module = MemberModule(*networks, Calibration(2.0, -0.1), 0.5, 1, WAYS)
    predicted = module._predict(films)["probability"].numpy()
    np.testing.assert_allclose(predicted, expected(networks, films, WAYS), atol=1e-5)
    explained = module._explain(films)
    np.testing.assert_allclose(explained["probability"], predicted, atol=1e-5)
    heat = explained["heatmap"].numpy()
    assert heat.shape == (3, 64, 64)
    assert heat.min() >= 0.0
    assert heat.max() <= 1.0
