"""The picture shows the film, the heat on it, and the answer."""

import numpy as np
import pytest
from PIL import Image

from neumo._engine.operations import combine
from neumo.cautions import Caution
from neumo.drawing import heatmap_picture
from neumo.errors import ConfigError
from neumo.release import phantom
from neumo.results import Explanation, Member, Timings

SIDE_PX = 512


def explanation(heatmap: np.ndarray, *warnings: Caution) -> Explanation:
    """A drawn film with ``heatmap`` and an answer."""
    members = (Member("pneumonia_tuned", 3, 0.9, 0.01), Member("pneumonia_residual", 3, 0.8, 0.01))
    prediction = combine(members, 0.4, 3, warnings, 0.02, Timings(0.01, 0.001, {}))
    return Explanation(prediction, heatmap.astype(np.float32), phantom.draw(5, 1)[0, :, :, 0])


def panels(drawn: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """The film's panel and the heat map's, int [512, 512, 3] each."""
    pixels = np.asarray(drawn).astype(int)
    left = pixels[12 : 12 + SIDE_PX, 12 : 12 + SIDE_PX]
    right = pixels[12 : 12 + SIDE_PX, 24 + SIDE_PX : 24 + 2 * SIDE_PX]
    return left, right


def test_cold_film_is_untouched():
    """Where nothing is hot both panels are the same film."""
    film, heated = panels(heatmap_picture.draw(explanation(np.zeros((256, 256)))))
    np.testing.assert_array_equal(film, heated)
    assert film.std() > 10


def test_heat_lies_where_the_map_says():
    """A hot corner colours that corner and no other."""
    heatmap = np.zeros((256, 256))
    heatmap[:64, 192:] = 1.0
    film, heated = panels(heatmap_picture.draw(explanation(heatmap)))
    changed = np.abs(film - heated).max(axis=2) > 0
    assert changed[:120, 392:].all()
    assert not changed[140:].any()
    assert not changed[:, :370].any()


@pytest.mark.parametrize("side", [16, 32, 256])
def test_any_resolution_of_heat(side):
    """A coarse heat map is enlarged to the film's size."""
    _, heated = panels(heatmap_picture.draw(explanation(np.ones((side, side)))))
    assert (heated[:, :, 0] > heated[:, :, 2]).all()


def test_ramp_brightens_with_heat():
    """Over black, more heat is always brighter, so the picture survives greyscale printing."""
    drawn = explanation(np.tile(np.linspace(0, 1, 256), (256, 1)))
    black = Explanation(drawn.prediction, drawn.heatmap, np.zeros((256, 256), np.uint8))
    _, heated = panels(heatmap_picture.draw(black))
    luma = heated[256] @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luma) >= -1.0).all()
    assert luma[-1] - luma[0] > 100


def test_each_caution_is_a_line():
    """Cautions are written below, so the picture grows with them."""
    plain = heatmap_picture.draw(explanation(np.zeros((256, 256))))
    cautioned = heatmap_picture.draw(
        explanation(np.zeros((256, 256)), Caution("a", "b"), Caution("c", "d"))
    )
    assert cautioned.height == plain.height + 2 * 24


def test_saved_picture_is_the_drawn_one(tmp_path):
    """A PNG holds the pixels drawn, and nothing else about the film."""
    drawn = explanation(np.ones((256, 256)))
    heatmap_picture.save(drawn, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as read:
        np.testing.assert_array_equal(np.asarray(read), np.asarray(heatmap_picture.draw(drawn)))
        assert not read.info


@pytest.mark.parametrize("name", ["out.xyz", "out", "missing/out.png"])
def test_unusable_name(tmp_path, name):
    """A name without a picture's suffix, or in no folder, is a ConfigError."""
    with pytest.raises(ConfigError):
        heatmap_picture.save(explanation(np.ones((256, 256))), tmp_path / name)
