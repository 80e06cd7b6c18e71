"""The release that neumo brings along."""

from __future__ import annotations

from neumo import release
from neumo_serving.engine.source import Latest, ModelConfig


def models() -> tuple[ModelConfig, ...]:
    """The models of the newest shipped release; ``ConfigError`` where there is none."""
    store = release.shipped()
    policy = Latest(release.SERVED_VERSIONS)
    return tuple(
        ModelConfig(name, store / name, policy) for name in sorted(release.newest(store).models)
    )
