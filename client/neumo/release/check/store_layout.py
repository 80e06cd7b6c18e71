"""Whether a folder of releases holds whole releases only, and serves the newest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from neumo import contract
from neumo.release import manifest as release

_BASE_PATH = re.compile(r'base_path: "(.*)/[^/"]+"')


def versions(models_dir: Path) -> list[tuple[str, int]]:
    """Each version of the contract's models that lies in ``models_dir``, in a manifest or not."""
    return sorted(
        (model.name, int(folder.name))
        for model in contract.MODELS
        for folder in (models_dir / model.name).glob("*")
        if folder.is_dir() and folder.name.isdecimal()
    )


def config_findings(models_dir: Path, newest: release.Manifest) -> Iterator[str]:
    """What is wrong with ``models.config``, which must serve the models of ``newest``."""
    path = models_dir / release.MODELS_CONFIG
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        yield f"{path} is missing or unreadable: no server would find the models"
        return
    base = _BASE_PATH.search(text)
    if base is None or text != release.models_config(newest, base[1]):
        yield (
            f"{path} is not what the manifest gives: "
            f"it should serve {', '.join(sorted(newest.models))}, "
            f"the {release.SERVED_VERSIONS} newest versions of each"
        )
