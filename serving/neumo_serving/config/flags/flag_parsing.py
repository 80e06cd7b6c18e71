"""The command line, read by ``flag_table`` and checked.

Numbers and booleans are upstream's to the letter, so ``neumo.commands.arguments`` has no part here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neumo.commands.arguments import Parser
from neumo.errors import ConfigError
from neumo_serving.config.flags.flag_checks import check
from neumo_serving.config.flags.flag_table import (
    FLAGS,
    GROUPS,
    MODEL_FLAGS,
    REFUSED,
    SHIPPED_HTTP_PORT,
    SHIPPED_THREADS,
    Flag,
)


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read: ``flags`` by name, and whether it named models at all."""

    flags: dict[str, Any]
    names_models: bool

    def __getitem__(self, name: str) -> Any:
        return self.flags[name]

    @property
    def model_config_file(self) -> Path | None:
        """The configuration file, where one was given."""
        return Path(self["model_config_file"]) if self["model_config_file"] else None


_TYPES: dict[type, str] = {str: "STRING", float: "FLOAT"}


def parse(argv: list[str]) -> Options:
    """The options in ``argv``; raises ``ConfigError`` for what this server cannot honour."""
    given = vars(_parser().parse_args(_without_refused(argv)))
    names_models = any(name in given for name in MODEL_FLAGS)
    defaults = {flag.name: flag.default for flag in FLAGS}
    if not names_models:
        defaults["rest_api_port"] = SHIPPED_HTTP_PORT
        defaults["grpc_max_threads"] = defaults["rest_api_num_threads"] = SHIPPED_THREADS
    options = Options(defaults | given, names_models)
    check(options.flags, names_models)
    return options


def _without_refused(argv: list[str]) -> list[str]:
    """``argv`` without flags that ask for what is done anyway; raises for the others refused."""
    refused = {one.name: one for one in REFUSED}
    kept = []
    for argument in argv:
        name, _, value = argument.lstrip("-").partition("=")
        # Looked at as text: argparse would say of these that it does not know them.
        refusal = refused.get(name) if argument.startswith("-") else None
        if refusal is None:
            kept.append(argument)
        elif value.lower() not in refusal.accepted:
            raise ConfigError(f"--{name}: {refusal.why}")
    return kept


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        "neumo serve",
        usage="neumo serve [--FLAG=VALUE ...]",
        description="Serve SavedModels by TensorFlow Serving's gRPC and REST API; without a "
        "model flag, the release that neumo ships.",
        epilog="Refused, because they cannot be honoured here: "
        f"{', '.join(one.name for one in REFUSED)}.",
        # Upstream knows no abbreviations, and a flag of later versions must not change a meaning.
        allow_abbrev=False,
        # Only what is given is in the result: whether a model was named at all depends on it.
        argument_default=argparse.SUPPRESS,
    )
    for title, flags in GROUPS.items():
        group = parser.add_argument_group(title)
        for flag in flags:
            group.add_argument(f"--{flag.name}", **_options(flag))
    return parser


def _options(flag: Flag) -> dict[str, Any]:
    """How argparse reads ``flag``; a help text names the type and the default as upstream does."""
    default = flag.default
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    options: dict[str, Any] = {"help": flag.help + (f" (default: {shown})" if shown else "")}
    if isinstance(default, bool):
        # --flag alone is true, as --flag=true.
        return options | {"type": _boolean, "nargs": "?", "const": True, "metavar": "BOOL"}
    if isinstance(default, int):
        return options | {"type": _whole(flag.bits), "metavar": f"INT{flag.bits}"}
    return options | {"type": type(default), "metavar": _TYPES[type(default)]}


def _boolean(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"neither true nor false: {text}")
    return values[text.lower()]


def _whole(bits: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        value = int(text)
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise argparse.ArgumentTypeError(f"more than {bits} bits: {text}")
        return value

    # argparse names the type in its message.
    whole.__name__ = "int"
    return whole
