"""Where the release lies that this package brings along: ``neumo.release.shipped`` asks."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """The model store in the wheel, or a checkout's ``serving/models``."""
    package = Path(__file__).parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent / "models"
