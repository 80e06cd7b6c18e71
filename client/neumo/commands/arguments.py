"""Command lines read; a mistake is a ``ConfigError``, one line, not argparse's page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from neumo.errors import ConfigError


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that raises ``ConfigError`` where the command line is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raise ``ConfigError`` with argparse's ``message``."""
        # argparse would print its usage and exit by itself; every mistake is one line here.
        raise ConfigError(f"{message} (see: {self.prog} --help)")

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 - its own
        # argparse's own says nothing where its help cannot be written.
        (file or sys.stderr).write(message)


def add_server(parser: argparse.ArgumentParser) -> None:
    """Add ``--server`` and ``--timeout``; None where not given, so that the SDK decides."""
    parser.add_argument(
        "--server",
        metavar="URL",
        help="grpc://HOST:8500 or http://HOST:8501 (default: NEUMO_SERVER, then this machine)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        help="longest time for one film (default: NEUMO_TIMEOUT, then the SDK's)",
    )


def seconds(text: str) -> float:
    """A number of seconds above 0, for ``type=``."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"not a number of seconds above 0: {text}")
    return value


def whole_from(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number from ``least``, to ``most`` where there is one, for ``type=``."""
    bounds = f"from {least}" if most is None else f"from {least} to {most}"

    def whole(text: str) -> int:
        # isdecimal: int() would take " 1_0" and "+1" too.
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"not a whole number {bounds}: {text}")
        return int(text)

    return whole


def number_from(least: float) -> Callable[[str], float]:
    """What reads a finite number of at least ``least``, for ``type=``."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"not a number from {least:g}: {text}")
        return value

    return number
