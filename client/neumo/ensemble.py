"""Which models a client asks together, and what image they see: the shipped ones, or your own.

The mean of the members' probabilities is compared with the threshold that they carry, and there
are two labels. Several classes, or another rule than the mean, are not supported.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neumo import contract
from neumo.contract import Model, Signature, Tensor
from neumo.errors import ConfigError

MODES = {"L": 1, "RGB": 3}
"""Pillow's modes that the models may see, and the values of a pixel in each."""
FILTERS = ("NEAREST", "BOX", "BILINEAR", "HAMMING", "BICUBIC", "LANCZOS")
MAX_SIZE_PX = 4096


@dataclass(frozen=True, slots=True)
class InputImage:
    """What every model of an ensemble sees: uint8 [height_px, width_px, 1 or 3].

    A film is brought to these sides by Pillow's ``resample`` filter, its aspect not kept, and to
    ``mode``: ``L`` is grey, ``RGB`` colour. Raises ``ConfigError`` for any that cannot be used.
    """

    width_px: int = contract.IMAGE_SIZE_PX
    height_px: int = contract.IMAGE_SIZE_PX
    mode: str = contract.IMAGE_MODE
    resample: str = contract.IMAGE_RESAMPLE
    shape: tuple[int, int, int] = field(init=False, repr=False, compare=False)
    """Height, width, and the values of a pixel."""

    def __post_init__(self) -> None:
        for name, side in (("width_px", self.width_px), ("height_px", self.height_px)):
            is_whole = isinstance(side, int) and not isinstance(side, bool)
            if not is_whole or not 1 <= side <= MAX_SIZE_PX:
                raise ConfigError(
                    f"{name} is {side!r}: give a whole number from 1 to {MAX_SIZE_PX}"
                )
        if self.mode not in MODES:
            raise ConfigError(f"mode is {self.mode!r}: give {' or '.join(MODES)}")
        if self.resample not in FILTERS:
            raise ConfigError(f"resample is {self.resample!r}: give one of {', '.join(FILTERS)}")
        object.__setattr__(self, "shape", (self.height_px, self.width_px, MODES[self.mode]))


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The models that answer about a film together, by their servable names.

    Each of ``members`` has a signature ``serving_default`` that takes ``image``, uint8
    [N, height, width, 1 or 3] as ``image`` says, and answers ``probability`` (float32 [N]),
    ``threshold`` (float32 [N], the same in all) and ``release`` (int64 [N], the version).
    ``screen``, if there is one, answers ``chest`` (float32 [N]) in the place of ``probability``:
    below its threshold a film is refused. With ``encoded`` every member also has the signature
    ``encoded``, which takes files as ``image_bytes`` (string [N]), and says the same of a PNG of
    that size: over REST it costs a third. With ``explain`` every member has the signature
    ``explain``, which answers a ``heatmap`` beside the rest, and ``screen`` a ``mask``.

    Raises ``ConfigError`` for names that cannot be used.
    """

    members: tuple[str, ...]
    screen: str | None = None
    image: InputImage = field(default_factory=InputImage)
    encoded: bool = False
    explain: bool = False
    member_models: tuple[Model, ...] = field(init=False, repr=False, compare=False)
    screen_model: Model = field(init=False, repr=False, compare=False)
    """What ``screen`` has, whether there is one or not."""
    screen_only: Signature = field(init=False, repr=False, compare=False)
    """The default signature of ``screen``, of which no mask is wanted."""
    models: tuple[Model, ...] = field(init=False, repr=False, compare=False)
    """The members, and ``screen`` where there is one."""

    def __post_init__(self) -> None:
        if isinstance(self.members, str):
            raise ConfigError(f"members is {self.members!r}: give a tuple of names")
        object.__setattr__(self, "members", tuple(self.members))
        names = [*self.members, *([] if self.screen is None else [self.screen])]
        if not self.members:
            raise ConfigError("members is empty: give the name of one model at least")
        if not all(isinstance(name, str) and name for name in names):
            raise ConfigError(f"the models are called {names}: give a text for each")
        if len(set(names)) < len(names):
            raise ConfigError(f"the models are called {', '.join(names)}: give each name once")
        self._describe()

    def model(self, name: str) -> Model:
        """The model called ``name``; raises ``KeyError`` if there is none."""
        return {model.name: model for model in self.models}[name]

    def _describe(self) -> None:
        """Say what each model has, once: every film asks for it."""
        pixels = Tensor(contract.IMAGE.name, contract.IMAGE.dtype, (None, *self.image.shape))
        files = contract.IMAGE_BYTES
        members = [Model(name, self._of_member(pixels, files)) for name in self.members]
        screened = (contract.CHEST, contract.THRESHOLD, contract.RELEASE)
        only = Signature(contract.SERVING_DEFAULT, (pixels,), screened)
        mask = Tensor(contract.MASK.name, contract.MASK.dtype, (None, *self.image.shape[:2]))
        screen = Model(
            self.screen or "",
            (
                Signature(only.name, (pixels,), (mask, *screened)) if self.explain else only,
                Signature(contract.SCREEN, (pixels,), screened, since_minor=1),
                Signature(contract.ENCODED, (files,), screened, since_minor=1),
            ),
        )
        # It is frozen for everyone else.
        object.__setattr__(self, "member_models", tuple(members))
        object.__setattr__(self, "screen_model", screen)
        object.__setattr__(self, "screen_only", only)
        screens = () if self.screen is None else (screen,)
        object.__setattr__(self, "models", (*members, *screens))

    def _of_member(self, pixels: Tensor, files: Tensor) -> tuple[Signature, ...]:
        scores = (contract.PROBABILITY, contract.THRESHOLD, contract.RELEASE)
        signatures = [Signature(contract.SERVING_DEFAULT, (pixels,), scores)]
        if self.encoded:
            signatures.append(Signature(contract.ENCODED, (files,), scores))
        if self.explain:
            heat = (contract.HEATMAP, *scores)
            signatures.append(Signature(contract.EXPLAIN, (pixels,), heat))
        return tuple(signatures)


SHIPPED = Ensemble(
    tuple(model.name for model in contract.MEMBERS),
    contract.LUNGS.name,
    encoded=True,
    explain=True,
)
"""The models of neumo's own releases."""
