"""What a server answers, as plain data, whichever transport carried it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
    """A signature as a server describes it: its tensors by name.

    ``method`` is what it is made for, such as ``tensorflow/serving/predict``.
    """

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    method: str = ""


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """The signatures of one version of a model, by name."""

    model: str
    version: int
    signatures: dict[str, SignatureSpec]


@dataclass(frozen=True, slots=True, eq=False)
class Outputs(Mapping[str, npt.NDArray[Any]]):
    """What a model answered: its output arrays by tensor name.

    ``version`` is the servable version that answered; None over REST, which never tells it.
    Strings are arrays of bytes with dtype object.
    """

    model: str
    version: int | None
    arrays: Mapping[str, npt.NDArray[Any]]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    # Arrays are not compared: as a mapping it would ask them whether they are equal.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class ScoredClass:
    """A class that an example may belong to: its label, '' where the model names none."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Classifications:
    """What a model answered to ``classify``: every class with its score, for each example.

    ``version`` is the servable version that answered; None over REST, which never tells it.
    """

    model: str
    version: int | None
    examples: tuple[tuple[ScoredClass, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Regressions:
    """What a model answered to ``regress``: ``values`` is float32 [N], a number for each example.

    ``version`` is the servable version that answered; None over REST, which never tells it.
    """

    model: str
    version: int | None
    values: npt.NDArray[np.float32]
