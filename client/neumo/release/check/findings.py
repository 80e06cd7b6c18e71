"""What an inspection says, and what it needs to run a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from neumo._wire.answer_types import SignatureSpec

Arrays: TypeAlias = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a release; ``model`` is '' where it concerns the whole of it."""

    release: int
    model: str
    text: str

    @property
    def line(self) -> str:
        """The finding as one line."""
        where = f"release {self.release}" + (f", {self.model}" if self.model else "")
        return f"{where}: {' '.join(self.text.split())}"


class Servable(Protocol):
    """A SavedModel in memory."""

    @property
    def signatures(self) -> Mapping[str, SignatureSpec]:
        """Its signatures by name."""

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Every output of ``signature`` by name; raises ``ConfigError`` where it fails."""


Opener: TypeAlias = Callable[[Path], AbstractContextManager[Servable]]
"""Loads the SavedModel in a folder; raises ``ConfigError`` where it holds none."""
