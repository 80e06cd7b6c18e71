"""The lungs are framed, cropped and put back the same way in training and in every graph."""

import numpy as np
import pytest
import tensorflow as tf

from neumo_training.networks import framing


def lungs(top, left, bottom, right, size=128):
    """One film's lungs: certain inside a rectangle of pixels, nowhere else."""
    mask = np.zeros((1, size, size, 1), np.float32)
    mask[:, top:bottom, left:right] = 1.0
    return mask


def test_a_box_holds_the_lungs_and_a_margin():
    """The box is that of the lungs, 6 % of its sides wider on each side."""
    box = framing.boxes(lungs(32, 40, 96, 104)).numpy()[0]
    np.testing.assert_allclose(box, [0.22, 0.2825, 0.78, 0.8425], atol=0.01)


def test_a_stray_pixel_does_not_widen_the_box():
    """Less than half a percent of the area, far away, is not part of the lungs."""
    mask = lungs(32, 40, 96, 104)
    mask[0, 2, 2] = 1.0
    np.testing.assert_allclose(
        framing.boxes(mask), framing.boxes(lungs(32, 40, 96, 104)), atol=0.02
    )


@pytest.mark.parametrize(
    "mask",
    [lungs(0, 0, 0, 0), lungs(60, 60, 70, 70), lungs(0, 60, 128, 70)],
    ids=["nothing", "a spot", "a stripe"],
)
def test_without_lungs_the_whole_film_is_used(mask):
    """What cannot be a pair of lungs does not frame a film."""
    np.testing.assert_array_equal(framing.boxes(mask).numpy(), [framing.WHOLE])


def test_a_box_never_leaves_the_film():
    """Lungs that touch the border have no margin there."""
    box = framing.boxes(lungs(0, 0, 128, 128)).numpy()[0]
    np.testing.assert_array_equal(box, framing.WHOLE)


def test_a_film_keeps_its_mean_and_place():
    """Each of the 192 x 192 pixels is the mean of the area it covers."""
    image = np.zeros((1, 256, 256, 1), np.uint8)
    image[0, 64:128, 128:192] = 255
    small = framing.film(tf.constant(image)).numpy()[0, :, :, 0]
    assert small.shape == (192, 192)
    assert small.mean() == pytest.approx(64 * 64 / 256**2)
    np.testing.assert_allclose(small[48:96, 96:144], 1.0, atol=1e-6)
    assert small[:47].max() == 0.0


def test_the_whole_films_crop_is_the_film():
    """Cropping to everything only resamples."""
    gradient = np.linspace(0, 1, 192, dtype=np.float32)[None, :, None, None]
    film = np.tile(gradient, (1, 1, 192, 1))
    crop = framing.crop(tf.constant(film), tf.constant([framing.WHOLE])).numpy()[0, :, 0, 0]
    np.testing.assert_allclose(crop, np.linspace(0, 1, 128), atol=0.01)


@pytest.mark.parametrize("box", [(0.1, 0.2, 0.7, 0.9), (0.0, 0.0, 1.0, 1.0), (0.4, 0.1, 0.95, 0.6)])
def test_what_is_cropped_is_put_back_in_its_place(box):
    """A spot in the film, cropped and pasted, is where it was, and nothing is outside the box."""
    film = np.zeros((1, 192, 192, 1), np.float32)
    y, x = ((box[0] + box[2]) / 2 * 192, (box[1] + box[3]) / 2 * 192)
    film[0, int(y) - 6 : int(y) + 6, int(x) - 6 : int(x) + 6] = 1.0
    crop = framing.crop(tf.constant(film), tf.constant([box]))
    back = framing.paste(crop[..., 0], tf.constant([box]), 64).numpy()[0]
    found = (np.array(np.unravel_index(np.argmax(back), back.shape)) + 0.5) * 3
    assert np.abs(found - (y, x)).max() < 8
    rows = (np.arange(64) + 0.5) / 64
    outside = (rows < box[0] - 0.02) | (rows > box[2] + 0.02)
    assert not back[outside].any()


def test_a_film_and_its_squashed_copy_look_alike():
    """Films of 1,500 pixels and of 224 differ in sharpness; what the networks see hardly does."""
    from PIL import Image

    rng = np.random.RandomState(0)
    fine = Image.fromarray(rng.randint(0, 256, (250, 250)).astype(np.uint8)).resize((1400, 1200))
    direct = fine.resize((256, 256))
    copy = fine.resize((224, 224)).resize((256, 256))
    raw = np.abs(np.asarray(direct, float) - np.asarray(copy, float)).mean() / 255
    seen = [framing.film(np.asarray(i)[None, :, :, None]).numpy() for i in (direct, copy)]
    assert np.abs(seen[0] - seen[1]).mean() < raw / 2
