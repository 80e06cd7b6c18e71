"""Where in a folder the two classes lie: in itself, or in one of Kaggle's parts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from neumo.contract import NORMAL, PNEUMONIA
from neumo.errors import ConfigError

LABELS = (NORMAL, PNEUMONIA)
TRAIN = "train"
OTHER_PARTS = ("test", "val")
"""Kaggle's folders beside ``train``, which training must not see."""
PARTS = ("test", TRAIN, "val")
"""The order in which evaluation looks: what no model was trained on comes first."""


def find(folder: Path, parts: Sequence[str] = (TRAIN,)) -> Path:
    """``folder``, or the first of its ``parts`` that has both classes.

    Raises ``ConfigError`` where there is no such folder, or neither has them.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; give one with NORMAL and PNEUMONIA in it")
    root = first(folder, parts, all)
    if root is None:
        *others, last = parts
        named = f"{', '.join(others)} or {last}" if others else last
        raise ConfigError(
            f"{folder}: needs the folders {NORMAL} and {PNEUMONIA} (or {named} with both)"
        )
    return root


def first(
    folder: Path, parts: Sequence[str], enough: Callable[[Iterable[bool]], bool]
) -> Path | None:
    """``folder``, or the first of its ``parts``, with ``all`` or ``any`` of the classes in it."""
    roots = (folder, *(folder / part for part in parts))
    return next((r for r in roots if enough((r / label).is_dir() for label in LABELS)), None)
