"""The release that neumo brings along."""

from __future__ import annotations

from pathlib import Path

from neumo import release
from neumo_serving.engine.version_policy import Latest, ModelConfig


def models() -> tuple[ModelConfig, ...]:
    """The newest shipped release alone; ``ConfigError`` where there is none."""
    # The folder of all versions, not the version's: whoever adds a release gets it served.
    return tuple(ModelConfig(name, folder.parent, Latest(1)) for name, folder in folders().items())


def folders() -> dict[str, Path]:
    """The newest shipped release's SavedModels by name; ``ConfigError`` where there is none."""
    store = release.shipped()
    newest = release.newest(store)
    return {name: store / name / str(newest.release) for name in sorted(newest.models)}
