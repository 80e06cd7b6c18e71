"""A film's bands are brought to usual energies inside the lungs' box, and nothing else is moved."""

import numpy as np
import pytest
import tensorflow as tf

from neumo_training.networks import band_energies, framing

BOX = np.array([[0.2, 0.2, 0.8, 0.9]], np.float32)


def film(seed=0):
    """Noise of every fineness, float32 [1, 192, 192, 1] in 0..1."""
    random = np.random.RandomState(seed)
    layers = [
        np.kron(random.rand(side, side), np.ones((192 // side, 192 // side)))
        for side in (192, 96, 48, 24, 12, 6, 3)
    ]
    return (np.mean(layers, axis=0)[None, :, :, None]).astype(np.float32)


def soft(films):
    """As a hazier device shows them."""
    return tf.nn.avg_pool2d(films, 5, 1, "SAME").numpy()


def test_bands_add_up_to_the_film():
    """With gains of one the film comes back: its energies are those that are asked for."""
    energies = band_energies.energies(film(), BOX).numpy()[0]
    assert energies.shape == (len(band_energies.SIGMAS_PX) + 1,)
    assert (energies > 0.0).all()


def test_inside_the_box_the_energies_are_the_usual_ones():
    """In shares of the film's own, as far as no gain is at its limit; mean and spread are fixed."""
    level = band_energies.levelled(film(), BOX)
    found = band_energies.energies(level, BOX).numpy()[0]
    wanted = np.array(band_energies.REFERENCE)
    # Bands overlap: what one is given leaks into its neighbours, so about, not exactly.
    assert found / found.sum() == pytest.approx(wanted / wanted.sum(), abs=0.06)
    inside = level.numpy()[0, 39:153, 39:172, 0]
    assert inside.mean() == pytest.approx(band_energies.MIDDLE, abs=0.01)
    assert inside.std() == pytest.approx(band_energies.SPREAD, abs=0.01)


def test_a_hazy_film_and_a_sharp_one_come_closer():
    """The fine bands of a blurred film differ by more before than after."""
    before = [band_energies.energies(f, BOX).numpy()[0, :2] for f in (film(), soft(film()))]
    after = [
        band_energies.energies(band_energies.levelled(f, BOX), BOX).numpy()[0, :2]
        for f in (film(), soft(film()))
    ]
    assert np.abs(after[0] - after[1]).sum() < 0.5 * np.abs(before[0] - before[1]).sum()


def test_brightness_and_contrast_change_nothing():
    """A film that is half as bright, or flatter, is levelled to the same picture."""
    level = band_energies.levelled(film(), BOX).numpy()
    dark = band_energies.levelled(film() * 0.5 + 0.1, BOX).numpy()
    np.testing.assert_allclose(level, dark, atol=2e-3)


def test_a_blank_film_stays_finite():
    """Nothing is divided by no energy."""
    blank = np.full((1, framing.FILM_SIZE_PX, framing.FILM_SIZE_PX, 1), 0.5, np.float32)
    assert np.isfinite(band_energies.levelled(blank, BOX).numpy()).all()
