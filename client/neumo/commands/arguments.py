"""Command lines read; a mistake is a ``ConfigError``, one line, not argparse's page."""

from __future__ import annotations

import argparse
from typing import NoReturn

from neumo.errors import ConfigError


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that raises ``ConfigError`` where the command line is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raise ``ConfigError`` with argparse's ``message``."""
        raise ConfigError(f"{message} (see: {self.prog} --help)")


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
        type=_seconds,
        help="longest time for one film (default: NEUMO_TIMEOUT, then the SDK's)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"not a number of seconds above 0: {text}")
    return seconds
