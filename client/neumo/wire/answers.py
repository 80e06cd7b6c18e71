"""What a server answers, as plain data, whichever transport carried it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The outputs of one Predict call, by tensor name.

    ``version`` is the servable version that answered; ``None`` over REST, which never tells it.
    """

    model: str
    version: int | None
    outputs: dict[str, npt.NDArray[np.generic]]


class VersionState(StrEnum):
    """TensorFlow Serving's states of a version, in the order of its life."""

    UNKNOWN = "UNKNOWN"
    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One version of a model; ``error`` says why it failed, and is empty otherwise."""

    version: int
    state: VersionState
    error: str

    @property
    def ready(self) -> bool:
        """Whether the version answers requests."""
        return self.state is VersionState.AVAILABLE


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Every version of a model that a server knows, newest first."""

    model: str
    versions: tuple[VersionStatus, ...]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor of a signature: TensorFlow's dtype name, and its shape.

    ``None`` stands for a dimension of any size, and as ``shape`` for an unknown rank.
    """

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """A signature as a server describes it: its tensors by name."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """The signatures of one version of a model, by name."""

    model: str
    version: int
    signatures: dict[str, SignatureSpec]
