"""How one member is built and trained: read from ``configs/<model>.toml``."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from neumo.contract import MEMBERS
from neumo.errors import ConfigError

CONFIGS = Path(__file__).with_name("configs")


@dataclass(frozen=True, slots=True)
class MemberConfig:
    """One configuration file; the default values are only the file's to give."""

    model: str
    architecture: str
    """``plain`` or ``residual``, see ``models``."""
    widths: tuple[int, ...]
    """Channels of each stage; every stage after the first halves the size."""
    blocks: tuple[int, ...]
    """Convolutions (plain) or residual blocks (residual) in each stage."""
    dropout: float
    seed: int
    epochs: int
    """The schedule's length; early stopping may end a run before it."""
    patience_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    crop_area_min: float
    """Smallest share of the film that a random resized crop keeps."""
    crop_aspect: float
    """Crops' aspect ratio is e to the plus or minus this."""
    rotation_degrees: float
    gamma: float
    """Gamma is e to the plus or minus this."""
    noise: float
    """Largest standard deviation of Gaussian noise, in the film's range of 1."""
    cutouts: int
    mixup: float
    """Parameter of mixup's Beta distribution; 0 switches it off."""

    def digest(self) -> str:
        """A short name that changes with any value."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()[:12]


def read(path: Path) -> MemberConfig:
    """The configuration in ``path``; ``ConfigError`` names a missing or unknown key."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    known = {field.name for field in fields(MemberConfig)}
    if odd := sorted(known ^ values.keys()):
        raise ConfigError(f"{path}: missing or unknown: {', '.join(odd)}")
    frozen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return MemberConfig(**frozen)


def members(folder: Path = CONFIGS) -> tuple[MemberConfig, ...]:
    """The configuration of each member of the contract, from ``folder``."""
    return tuple(read(folder / f"{model.name}.toml") for model in MEMBERS)
