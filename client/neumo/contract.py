"""What training, serving and callers agree on; no other module may know it.

Export builds its signatures from this module and writes it into every SavedModel as
``assets.extra/contract.json``; servers, manifests and clients check themselves against it.
Only the standard library is imported here, so that every room can read it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

CONTRACT_MAJOR = 1
CONTRACT_MINOR = 1
"""1 since ``lungs`` has ``screen`` and ``encoded``."""

Label: TypeAlias = Literal["NORMAL", "PNEUMONIA"]
"""What a film is said to show."""

NORMAL: Final = "NORMAL"
PNEUMONIA: Final = "PNEUMONIA"

IMAGE_SIZE_PX = 256
"""Height and width of every input image, pixels."""

IMAGE_MODE = "L"
"""Pillow's mode of the input: 8-bit greyscale, ITU-R 601-2 luma."""

IMAGE_RESAMPLE = "BICUBIC"
"""Pillow's resampling filter; the aspect ratio is not kept (as the original notebook did)."""

IMAGE_SCALE = 1.0 / 255.0
"""Applied inside the graph: the wire carries uint8."""

SERVING_DEFAULT = "serving_default"
ENCODED = "encoded"
EXPLAIN = "explain"
SCREEN = "screen"

HEATMAP_MIN_SIZE_PX = 16

CONTRACT_ASSET = "assets.extra/contract.json"
WARMUP_ASSET = "assets.extra/tf_serving_warmup_requests"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named tensor: TensorFlow's dtype name and a shape in which ``None`` is any size.

    ``since_minor`` is the minor of the contract that brought it: a release of an earlier one
    lacks it.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    since_minor: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a SavedModel: its name, inputs and outputs; ``since_minor`` as a tensor's."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    since_minor: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """A servable: its name and the signatures that every version of it has."""

    name: str
    signatures: tuple[Signature, ...]

    def signature(self, name: str) -> Signature:
        """The signature called ``name``; raises ``KeyError`` if the contract has none."""
        for signature in self.signatures:
            if signature.name == name:
                return signature
        raise KeyError(name)

    def has(self, name: str) -> bool:
        """Whether there is a signature called ``name``."""
        return any(signature.name == name for signature in self.signatures)


IMAGE = Tensor("image", "DT_UINT8", (None, IMAGE_SIZE_PX, IMAGE_SIZE_PX, 1))
IMAGE_BYTES = Tensor("image_bytes", "DT_STRING", (None,))
PROBABILITY = Tensor("probability", "DT_FLOAT", (None,))
"""Probability of PNEUMONIA."""
THRESHOLD = Tensor("threshold", "DT_FLOAT", (None,))
"""The ensemble's threshold, fitted with these weights; the same number for every row."""
RELEASE = Tensor("release", "DT_INT64", (None,))
HEATMAP = Tensor("heatmap", "DT_FLOAT", (None, None, None))
"""Grad-CAM in [0, 1], in the frame of the 256 x 256 input."""
MASK = Tensor("mask", "DT_UINT8", (None, IMAGE_SIZE_PX, IMAGE_SIZE_PX))
CHEST = Tensor("chest", "DT_FLOAT", (None,))
"""How sure ``lungs`` is that this is a frontal chest radiograph."""

_SCORES = (PROBABILITY, THRESHOLD, RELEASE)


def _member(name: str) -> Model:
    return Model(
        name,
        (
            Signature(SERVING_DEFAULT, (IMAGE,), _SCORES),
            Signature(ENCODED, (IMAGE_BYTES,), _SCORES),
            Signature(EXPLAIN, (IMAGE,), (HEATMAP, *_SCORES)),
        ),
    )


MEMBERS: tuple[Model, ...] = (_member("pneumonia_tuned"), _member("pneumonia_residual"))
"""The CNNs whose probabilities are averaged; every release has both."""

_SCREENED = (CHEST, THRESHOLD, RELEASE)

LUNGS = Model(
    "lungs",
    (
        Signature(SERVING_DEFAULT, (IMAGE,), (MASK, *_SCREENED)),
        # REST has no output filter: without a signature of its own, every film fetches the mask.
        Signature(SCREEN, (IMAGE,), _SCREENED, since_minor=1),
        # And what a film costs over REST is most of all its pixels as JSON numbers.
        Signature(ENCODED, (IMAGE_BYTES,), _SCREENED, since_minor=1),
    ),
)
"""The segmentation that some releases add; a release's manifest says whether it has it."""

LUNGS_SCREEN_ONLY = Signature(SERVING_DEFAULT, (IMAGE,), _SCREENED)
"""``lungs`` asked without its mask where a release has no ``screen``, before minor 1."""

MODELS: tuple[Model, ...] = (*MEMBERS, LUNGS)


def model(name: str) -> Model:
    """The contract's model called ``name``; raises ``KeyError`` if there is none."""
    for known in MODELS:
        if known.name == name:
            return known
    raise KeyError(name)


def at(of: Model, minor: int) -> Model:
    """The model ``of`` as a release of this contract's ``minor`` has it: all of it required."""

    def tensors(known: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(replace(t, since_minor=0) for t in known if t.since_minor <= minor)

    return Model(
        of.name,
        tuple(
            Signature(s.name, tensors(s.inputs), tensors(s.outputs))
            for s in of.signatures
            if s.since_minor <= minor
        ),
    )


def decide(probability: float, threshold: float) -> Label:
    """PNEUMONIA where ``probability`` is strictly above ``threshold``, else NORMAL.

    Raises ``ValueError`` where either is not a number in [0, 1].
    """
    for value in (probability, threshold):
        # NaN compares as not above: without this a broken model would call every child healthy.
        if math.isnan(value) or not 0.0 <= value <= 1.0:
            raise ValueError(f"not a probability: {value}")
    return PNEUMONIA if probability > threshold else NORMAL


def understands(version: str) -> bool:
    """Whether this code can use a release with contract ``version``, such as ``"1.3"``.

    One major version is one contract: an old client may use a new release and the reverse.
    """
    # The minor never matters here: what it brought is optional on both sides.
    major, _, _ = version.partition(".")
    return major == str(CONTRACT_MAJOR)


def minor_of(version: str) -> int:
    """The minor of a contract's ``version``, such as 3 of ``"1.3"``; ``ValueError`` if none."""
    minor = version.partition(".")[2]
    if not minor.isdecimal():
        raise ValueError(f"contract {version!r} is not major.minor, such as {CONTRACT_MAJOR}.0")
    return int(minor)


def version() -> str:
    """This contract's version, ``major.minor``."""
    return f"{CONTRACT_MAJOR}.{CONTRACT_MINOR}"


def to_json(of: Model, release: int) -> str:
    """The text of ``assets.extra/contract.json`` of version ``release`` of the model ``of``."""
    document: dict[str, Any] = {
        "contract": version(),
        "model": of.name,
        "release": release,
        "labels": [NORMAL, PNEUMONIA],
        "positive": PNEUMONIA,
        "image": {
            "size_px": [IMAGE_SIZE_PX, IMAGE_SIZE_PX],
            "mode": IMAGE_MODE,
            "resample": IMAGE_RESAMPLE,
            "scale_in_graph": IMAGE_SCALE,
        },
        "signatures": {
            signature.name: {
                "inputs": {t.name: _tensor_json(t) for t in signature.inputs},
                "outputs": {t.name: _tensor_json(t) for t in signature.outputs},
            }
            for signature in of.signatures
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _tensor_json(tensor: Tensor) -> dict[str, Any]:
    return {"dtype": tensor.dtype, "shape": [-1 if n is None else n for n in tensor.shape]}
