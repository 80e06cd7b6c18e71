"""What a server answers, as plain data, whichever transport carried it."""

from __future__ import annotations

from dataclasses import dataclass

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
