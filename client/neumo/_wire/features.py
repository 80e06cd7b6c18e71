"""The features of a ``tf.Example``: values by name, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from neumo.errors import ConfigError

Values: TypeAlias = list[bytes] | list[float] | list[int]
Features: TypeAlias = Mapping[str, Values]
"""All values of a feature are of one kind: bytes, 64-bit integers, or 32-bit floats."""

_INT64 = np.iinfo(np.int64)


def read(example: Any) -> Features:  # noqa: ANN401 - whatever a caller takes for an example
    """The features in ``example``, a mapping from names to a value or a list of them.

    Text becomes UTF-8, bools 0 and 1, and a whole number among fractions one of them; an array is
    flattened, as in a ``tf.Example``. Raises ``ConfigError`` for what no feature can hold.
    """
    if not isinstance(example, Mapping):
        raise ConfigError(
            f"an example is a mapping from features to values, not {type(example).__name__}"
        )
    return {name: _values(name, value) for name, value in example.items()}


def _values(name: object, value: object) -> Values:
    if not isinstance(name, str):
        raise ConfigError(f"a feature is called {name!r}: give its name as text")
    many = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    values: list[Any] = (
        np.array(many, dtype=object).ravel().tolist() if isinstance(many, list | tuple) else [many]
    )
    kinds = {type(one) for one in values}
    if kinds <= {str, bytes}:
        return [one.encode() if isinstance(one, str) else one for one in values]
    values = [one.item() if isinstance(one, np.generic) else one for one in values]
    kinds = {type(one) for one in values}
    if kinds <= {bool, int}:
        if not all(_INT64.min <= one <= _INT64.max for one in values):
            raise ConfigError(f"the feature {name} has a number beyond 64 bits")
        return [int(one) for one in values]
    if kinds <= {bool, int, float}:
        return _floats(name, values)
    told = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ConfigError(f"the feature {name} has {told}: give numbers, or text and bytes")


def _floats(name: str, values: list[Any]) -> list[float]:
    wide = np.array(values, np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    if not np.array_equal(np.isfinite(wide), np.isfinite(narrow)):
        raise ConfigError(f"the feature {name} has a number beyond 32-bit floats")
    found: list[float] = narrow.tolist()
    return found
