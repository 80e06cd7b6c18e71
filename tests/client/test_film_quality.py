"""A picture that should not be judged carries a caution; ``tests/benchmarks/quality.py`` counts."""

import io

import numpy as np
import pytest
from PIL import Image

from neumo import image
from neumo._images import file_checks
from neumo.release import phantom
from support.places import VAL
from support.spoilt_films import SPOILT


def codes(picture: np.ndarray) -> list[str]:
    """The cautions of a picture of the models' size."""
    return [caution.code for caution in image.read(np.ascontiguousarray(picture)).cautions]


@pytest.mark.parametrize("seed", range(12))
def test_drawn_films_have_none(seed):
    """Neither a drawn chest nor noise, a slope or a board is told to be what it is not."""
    for film in phantom.draw(seed, 4):
        assert codes(film[:, :, 0]) == []


@pytest.mark.parametrize("picture", ["ramp", "board"])
def test_what_is_no_chest_has_no_pose(picture):
    """A slope and a chess board are neither turned nor cut."""
    y, x = np.mgrid[0:256, 0:256]
    drawn = x if picture == "ramp" else (x // 16 + y // 16) % 2 * 200 + 20
    assert not {"turned", "cut", "negative", "framed"} & set(codes(drawn.astype(np.uint8)))


@pytest.mark.parametrize("side", [64, 100, 199])
def test_thumbnails(side):
    """Fewer than 200 pixels are enlarged: a 64 x 64 thumbnail once answered 99 %."""
    film = Image.fromarray(phantom.draw(4, 1)[0, :, :, 0]).resize((side, 300))
    assert "small" in [caution.code for caution in image.read(film).cautions]


@pytest.mark.parametrize("level", [0, 90, 255])
def test_one_grey(level):
    """A picture of one grey has no contrast, and of it nothing else is told."""
    assert codes(np.full((256, 256), level, np.uint8)) == ["flat"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_screenshots(seed, kind):
    """A film in a grey window, saved with or without loss."""
    drawn = phantom.draw(seed, 1)[0, :, :, 0]
    screen = Image.new("L", (800, 600), 60)
    screen.paste(Image.fromarray(drawn).resize((500, 500)), (150, 60))
    content = io.BytesIO()
    screen.save(content, kind)
    assert "framed" in [caution.code for caution in image.read(content.getvalue()).cautions]


@pytest.mark.parametrize("seed", range(3))
def test_negatives(seed):
    """White lungs."""
    assert "negative" in codes(255 - phantom.draw(seed, 1)[0, :, :, 0])


@pytest.fixture(scope="module")
def films():
    """The 16 films for looking at: uint8 [16, 256, 256]."""
    return np.stack([image.read(path).pixels[:, :, 0] for path in sorted(VAL.rglob("*.jpeg"))])


@pytest.mark.skipif(not VAL.is_dir(), reason="needs the public films")
class TestRealFilms:
    """The 16 films for looking at, as they are and spoilt."""

    def test_as_they_are(self, films):
        """None has a caution."""
        for film in films:
            assert file_checks.picture_cautions(film[:, :, None], 1000, 1000) == ()

    @pytest.mark.parametrize("what", SPOILT)
    def test_spoilt(self, films, what):
        """At least 14 of the 16 have the one that is due."""
        code, spoil = SPOILT[what]
        assert sum(code in codes(spoil(film)) for film in films) >= 14
