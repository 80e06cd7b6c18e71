"""A film beside the same film under its heat map, with the answer written below."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from neumo.drawing.shown import ShownExplanation, ShownPrediction
from neumo.errors import ConfigError

_SIDE_PX = 512
_MARGIN_PX = 12
_LINE_PX = 24
_FONT_PX = 17
_PAPER, _INK, _FAINT = (16, 16, 18), (240, 240, 240), (165, 165, 170)

_RAMP = np.array(
    [
        (0, 0, 20),
        (66, 12, 100),
        (140, 32, 106),
        (207, 62, 74),
        (244, 122, 32),
        (252, 190, 40),
        (252, 255, 170),
    ],
    np.float32,
)
"""From no heat to most: every step brighter than the one before, so it survives greyscale."""

_OPACITY = 0.7
"""Of the hottest pixel: the film stays visible under it; a cold pixel is the film alone."""

_DISCLAIMER = (
    "Research use, not a diagnosis. Bright colours: what moved the score, "
    "which need not be disease."
)


def draw(explanation: ShownExplanation) -> Image.Image:
    """An RGB image: the film as the models saw it, the film under the heat map, the answer."""
    film = Image.fromarray(explanation.film).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    lines = [*_caption(explanation.prediction), _DISCLAIMER]
    width = 2 * _SIDE_PX + 3 * _MARGIN_PX
    picture = Image.new("RGB", (width, _SIDE_PX + 3 * _MARGIN_PX + _LINE_PX * len(lines)), _PAPER)
    picture.paste(film.convert("RGB"), (_MARGIN_PX, _MARGIN_PX))
    picture.paste(heated(film, explanation.heatmap), (_SIDE_PX + 2 * _MARGIN_PX, _MARGIN_PX))
    _write(picture, lines)
    return picture


def save(explanation: ShownExplanation, path: str | Path) -> None:
    """Write ``draw(explanation)`` into ``path``, in the format of its suffix, such as ``.png``.

    Raises ``ConfigError`` where there is no such format, or the file cannot be written.
    """
    try:
        draw(explanation).save(path)
    # Pillow's answer to a suffix that it knows no format for.
    except ValueError:
        raise ConfigError(f"{path}: not a picture's name: end it with .png") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror or error})") from error


def heated(film: Image.Image, heatmap: npt.NDArray[np.float32]) -> Image.Image:
    """``film`` (mode L) tinted by ``heatmap`` [h, w] in [0, 1], enlarged to the film's size."""
    heat_image = Image.fromarray(heatmap.astype(np.float32))
    heat = np.clip(np.asarray(heat_image.resize(film.size, Image.Resampling.BILINEAR)), 0.0, 1.0)
    steps = np.linspace(0.0, 1.0, len(_RAMP))
    colour = np.stack([np.interp(heat, steps, _RAMP[:, c]) for c in range(3)], axis=-1)
    # By the heat itself: where nothing moved the score, the film is not tinted at all.
    opacity = _OPACITY * heat[:, :, None]
    grey = np.asarray(film, np.float32)[:, :, None]
    return Image.fromarray(np.rint(grey * (1.0 - opacity) + colour * opacity).astype(np.uint8))


def _caption(prediction: ShownPrediction) -> list[str]:
    members = "   ".join(f"{m.model} {m.probability:.3f}" for m in prediction.members)
    return [
        f"{prediction.label}   probability of pneumonia {prediction.probability:.3f}, "
        f"threshold {prediction.threshold:.3f}, release {prediction.release}",
        members,
        *(caution.text for caution in prediction.warnings),
    ]


def _write(picture: Image.Image, lines: list[str]) -> None:
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(size=_FONT_PX)
    for number, line in enumerate(lines):
        y = _SIDE_PX + 2 * _MARGIN_PX + number * _LINE_PX
        canvas.text((_MARGIN_PX, y), line, fill=_INK if number == 0 else _FAINT, font=font)
