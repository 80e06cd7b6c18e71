"""Golden pairs: inputs that a seed draws, and what a release's models answered to them.

A manifest holds one number per input: the value of an output that has one per input, and the
mean of a larger one, such as a mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo.errors import ConfigError
from neumo.release import phantom
from neumo.release.manifest import Golden

Outputs = Mapping[str, npt.NDArray[np.generic]]

MAX_COUNT = 256
MAX_TOLERANCE = 1e-3
"""A wider one would tell no two models apart; that of a mean, which a few pixels may move."""
HEAT_CELLS = 4
"""A heat map is recorded as the means of so many times so many cells: in numbers, 16 a film."""


def images(golden: Golden) -> npt.NDArray[np.uint8]:
    """The inputs, uint8 [count, 256, 256, 1].

    Raises ``ConfigError`` where ``golden`` names none, or others than the seed draws here.
    """
    count, seed, tolerance = golden.count, golden.seed, golden.tolerance
    if not (_is_whole(count) and 1 <= count <= MAX_COUNT):
        raise ConfigError(f"golden pairs: the count is from 1 to {MAX_COUNT}, not {count!r}")
    if not (_is_whole(seed) and 0 <= seed < 2**32):
        raise ConfigError(f"golden pairs: the seed is a whole number below 2^32, not {seed!r}")
    if not (isinstance(tolerance, float) and 0.0 < tolerance <= MAX_TOLERANCE):
        raise ConfigError(
            f"golden pairs: the tolerance is at most {MAX_TOLERANCE}, not {tolerance!r}"
        )
    # Drawn anew, not stored: a manifest stays small, and holds nobody's film.
    drawn = phantom.draw(seed, count)
    if phantom.sha256(drawn) != golden.inputs_sha256:
        raise ConfigError(f"golden pairs: seed {seed} draws other inputs than the manifest's")
    return drawn


def expected(golden: Golden, model: str) -> dict[str, Any]:
    """The numbers that ``golden`` records of ``model``, by output; empty where there are none."""
    outputs: Any = golden.outputs
    found = outputs.get(model) if isinstance(outputs, dict) else None
    return found if isinstance(found, dict) else {}


def recorded(outputs: Outputs) -> dict[str, list[float]]:
    """What a manifest records of ``outputs``, arrays whose first size is the number of inputs."""
    return {name: [float(v) for v in _per_input(value)] for name, value in outputs.items()}


def differences(numbers: Mapping[str, Any], outputs: Outputs, tolerance: float) -> Iterator[str]:
    """Where ``outputs`` leave the ``numbers`` of a manifest, in words."""
    for name, values in numbers.items():
        if name not in outputs:
            yield f"output {name} is recorded, but the model has none"
            continue
        # A mask's mean moves by whole pixels, which another processor's rounding may flip.
        allowed = tolerance if outputs[name].ndim == 1 else MAX_TOLERANCE
        try:
            found, wanted = _per_input(outputs[name]), np.asarray(values, np.float64)
        except (TypeError, ValueError):
            yield f"output {name} is recorded with what are no numbers"
            continue
        if wanted.shape != found.shape:
            yield f"output {name} is recorded for {wanted.size} inputs, not {found.size}"
        elif not np.all(np.abs(found - wanted) <= allowed):
            worst = np.max(np.abs(found - wanted))
            yield f"output {name} is up to {worst:.3g} from what is recorded, above {allowed:g}"


def heat(heatmaps: npt.NDArray[np.generic]) -> list[list[float]]:
    """What a manifest records of heat maps [count, h, w]: of each, the means of 4 x 4 cells.

    Rows from the top, each from the left: a map that is turned, mirrored or of another film has
    others.
    """
    maps = np.asarray(heatmaps, np.float64)
    return [
        [
            float(cell.mean())
            for band in np.array_split(one, HEAT_CELLS, axis=0)
            for cell in np.array_split(band, HEAT_CELLS, axis=1)
        ]
        for one in maps
    ]


def heat_differences(recorded_heat: object, heatmaps: npt.NDArray[np.generic]) -> Iterator[str]:
    """Where ``heatmaps``, [count, h, w], leave what a manifest records of them, in words."""
    found = np.array(heat(heatmaps))
    try:
        wanted = np.asarray(recorded_heat, np.float64)
    except (TypeError, ValueError):
        yield "the heat is recorded with what are no numbers"
        return
    if wanted.shape != found.shape:
        yield f"the heat is recorded as {list(wanted.shape)} numbers, not {list(found.shape)}"
        return
    apart = np.abs(found - wanted).max(axis=1)
    # Not <=: what is no number is nowhere near.
    wrong = int(np.sum(~(apart <= MAX_TOLERANCE)))
    if wrong:
        yield (
            f"the heat lies elsewhere than is recorded in {wrong} of {len(found)} maps: the means "
            f"of 4 x 4 cells are up to {np.max(apart):.3g} apart, above {MAX_TOLERANCE:g}"
        )


def _per_input(value: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    numbers = np.asarray(value, np.float64)
    return numbers if numbers.ndim == 1 else numbers.reshape(len(numbers), -1).mean(axis=1)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
