"""Options that ``train``, ``tune`` and ``export`` share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from neumo.commands.arguments import whole_from

if TYPE_CHECKING:
    from neumo_training.networks.network_config import Configs

DEFAULT_WORKDIR = Path("runs/train")
FOLDER_HELP = "a folder with NORMAL and PNEUMONIA in it, or Kaggle's chest_xray"


def add_films(parser: argparse.ArgumentParser) -> None:
    """Add what is trained on and how: the folder, ``--masks`` and ``--configs``."""
    parser.add_argument("folder", type=Path, help=FOLDER_HELP)
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="DIR",
        help="lung masks, <label>/<film's name>.png, to train the lungs' network on "
        "(default: take the shipped release's network)",
    )
    parser.add_argument(
        "--configs",
        type=Path,
        metavar="DIR",
        help="a folder with localiser.toml and one <model>.toml for each model "
        "(default: the committed ones)",
    )


def add_workdir(parser: argparse.ArgumentParser) -> None:
    """Add ``--workdir``."""
    parser.add_argument(
        "--workdir",
        type=Path,
        default=DEFAULT_WORKDIR,
        help="where the run lives: checkpoints, splits, results (default: %(default)s)",
    )


def add_release(parser: argparse.ArgumentParser) -> None:
    """Add ``--workdir`` and where its release goes: ``--to``, ``--release`` and ``--force``."""
    add_workdir(parser)
    parser.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="the model store to export to (default: models in the work folder)",
    )
    parser.add_argument(
        "--release",
        type=whole_from(1),
        metavar="N",
        help="default: the UTC time, YYYYMMDDhhmmss",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="take a --release that neumo's own releases may have, or that is not the newest",
    )


def configs(args: argparse.Namespace) -> Configs:
    """What ``--configs`` names, or the committed configurations."""
    from neumo_training.networks import network_config  # noqa: PLC0415 - as every command

    return network_config.read_all(args.configs or network_config.CONFIGS)


def quiet_tensorflow() -> None:
    """Silence TensorFlow's log; its C++ reads the variable once, when it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
