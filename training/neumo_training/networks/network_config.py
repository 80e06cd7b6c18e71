"""How one network is built and trained: read from ``configs/<model>.toml``."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from neumo.contract import LUNGS, MEMBERS
from neumo.errors import ConfigError

CONFIGS = Path(__file__).parents[1] / "configs"


@dataclass(frozen=True, slots=True)
class MemberConfig:
    """A member's file; the default values are only the file's to give."""

    model: str
    architecture: str
    """``plain`` or ``residual``, see ``member_networks``."""
    widths: tuple[int, ...]
    """Channels of each stage; every stage after the first halves the size."""
    blocks: tuple[int, ...]
    """Convolutions (plain) or residual blocks (residual) in each stage."""
    dropout: float
    seed: int
    curation: str
    """Which films are trained on, see ``curation``."""
    epochs: int
    """The schedule's length; early stopping may end a run before it."""
    steps_per_epoch: int
    patience_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    crop_area_min: float
    """Smallest share of the lungs' box that a random resized crop keeps."""
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
    error_weight: float
    """A film that a first pass misses is drawn so many times as often; 1: no first pass."""


@dataclass(frozen=True, slots=True)
class LungsConfig:
    """The file of a network that finds the lungs."""

    model: str
    widths: tuple[int, ...]
    mask_size_px: int
    """The size at which what it finds is compared with the drawn masks: 128 or 256."""
    seed: int
    epochs: int
    steps_per_epoch: int
    patience_epochs: int
    films_per_batch: int
    spoilt_per_batch: int
    """Films on their side, upside down or in pieces."""
    drawn_per_batch: int
    phantoms_per_batch: int
    drawn: int
    """How many different drawings there are."""
    learning_rate: float
    weight_decay: float
    rotation_degrees: float
    zoom: float
    """Films are shown from e to the minus this to e to the plus this of their size."""
    shift: float
    """Films are moved by up to this share of a side."""
    gamma: float
    noise: float


Config = MemberConfig | LungsConfig
Kind = TypeVar("Kind", MemberConfig, LungsConfig)


@dataclass(frozen=True, slots=True)
class Configs:
    """What one release is trained by."""

    localiser: LungsConfig
    """Of the network inside every member: small."""
    lungs: LungsConfig
    """Of the model ``lungs``."""
    members: tuple[MemberConfig, ...]

    def by_model(self) -> dict[str, dict[str, Any]]:
        """Every value, for a record of what was done."""
        known: tuple[Config, ...] = (self.localiser, self.lungs, *self.members)
        return {config.model: asdict(config) for config in known}


def digest(config: Config) -> str:
    """A short name that changes with any value of ``config``."""
    # Names of fields, too: a renamed one makes every unfinished run another one.
    return hashlib.sha256(repr(asdict(config)).encode()).hexdigest()[:12]


def read(path: Path, kind: type[Kind]) -> Kind:
    """The configuration in ``path``; ``ConfigError`` names a missing or unknown key."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    known = {field.name for field in fields(kind)}
    # No defaults: a file that lacks a value would change its meaning with the code.
    if odd := sorted(known ^ values.keys()):
        raise ConfigError(f"{path}: missing or unknown: {', '.join(odd)}")
    # TOML gives lists, which a frozen configuration cannot hash.
    frozen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return kind(**frozen)


def read_all(folder: Path = CONFIGS) -> Configs:
    """The configurations in ``folder``: the localiser's, and one for each model."""
    return Configs(
        read(folder / "localiser.toml", LungsConfig),
        read(folder / f"{LUNGS.name}.toml", LungsConfig),
        tuple(read(folder / f"{model.name}.toml", MemberConfig) for model in MEMBERS),
    )
