"""The release that neumo brings along."""

from __future__ import annotations

from pathlib import Path

from neumo import release
from neumo_serving.engine.source import Latest, ModelConfig

_INSTALLED = Path(__file__).parent / "shipped"
_CHECKOUT = Path(__file__).parents[1] / "models"


def folder() -> Path:
    """Where the shipped release lies: inside the wheel, or ``serving/models`` of a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


def models() -> tuple[ModelConfig, ...]:
    """The models of the newest shipped release; ``ConfigError`` where there is none."""
    store = folder()
    policy = Latest(release.SERVED_VERSIONS)
    return tuple(
        ModelConfig(name, store / name, policy) for name in sorted(release.newest(store).models)
    )
