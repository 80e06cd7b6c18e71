"""Films that could not be answered: one line each, and the exit status that they make."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from neumo.commands.film_paths import shown
from neumo.commands.program import OK, SERVING, USAGE
from neumo.errors import ContractError, NeumoError, ServingError


def say(file: str | Path, error: NeumoError) -> NeumoError:
    """Write ``error`` about ``file`` to stderr, in one line; returns it."""
    print(f"neumo: {shown(file)}: {' '.join(str(error).split())}", file=sys.stderr)
    return error


def status(errors: Iterable[NeumoError]) -> int:
    """3 where serving failed, 2 where only images did, 0 where nothing did."""
    kinds = (SERVING if isinstance(e, ServingError | ContractError) else USAGE for e in errors)
    return max(kinds, default=OK)
