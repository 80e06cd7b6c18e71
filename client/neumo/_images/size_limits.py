"""How small and how large a film may be."""

from __future__ import annotations

from neumo.errors import ImageError

MIN_SIDE_PX = 64
"""Below it a film would be enlarged more than fourfold: an icon, without a lung's detail."""

MAX_PIXELS = 64_000_000
"""A 35 x 43 cm film digitised at 50 micrometres has 60 megapixels; detectors have up to 25."""


def check(width_px: int, height_px: int) -> None:
    """Raise ``ImageError`` where an image of this size is not read; called before decoding."""
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise ImageError(
            f"{width_px} x {height_px} pixels, too small for a film: "
            f"give one of at least {MIN_SIDE_PX} x {MIN_SIDE_PX}"
        )
    if width_px * height_px > MAX_PIXELS:
        raise too_large()


def too_large() -> ImageError:
    """The error about an image of more than ``MAX_PIXELS``."""
    return ImageError(
        f"more than {MAX_PIXELS // 1_000_000} megapixels: save it smaller, 3000 x 3000 is plenty"
    )
