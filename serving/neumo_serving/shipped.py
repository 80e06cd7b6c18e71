"""The release that neumo brings along."""

from __future__ import annotations

from pathlib import Path

from neumo import release
from neumo_serving.engine.source import Latest, ModelConfig


def models() -> tuple[ModelConfig, ...]:
    """The models of the newest shipped release; ``ConfigError`` where there is none."""
    policy = Latest(release.SERVED_VERSIONS)
    return tuple(ModelConfig(name, folder.parent, policy) for name, folder in folders().items())


def folders() -> dict[str, Path]:
    """The newest shipped release's SavedModels by name; ``ConfigError`` where there is none."""
    store = release.shipped()
    newest = release.newest(store)
    return {name: store / name / str(newest.release) for name in sorted(newest.models)}
