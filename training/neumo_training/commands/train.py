"""``neumo train``, ``neumo tune`` and ``neumo export``.

Nothing heavy is imported at the top, so that ``neumo --help`` stays quick.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from neumo.commands.arguments import Parser
from neumo_training.commands.data import FOLDER_HELP

DEFAULT_WORKDIR = Path("runs/train")


def train(argv: list[str]) -> int:
    """Train the models on a folder of radiographs and export a release; resumable."""
    parser = Parser("neumo train", description=train.__doc__)
    _add_training_arguments(parser)
    _add_export_arguments(parser)
    args = parser.parse_args(argv)
    say = _timed()
    _quiet_tensorflow()
    from neumo_training.fitting import pipeline  # noqa: PLC0415 - TensorFlow is slow to import
    from neumo_training.networks import network_config

    configs = network_config.read_all(args.configs or network_config.CONFIGS)
    pipeline.train(args.folder, args.masks, args.workdir, say, configs)
    return _export(args)


def tune(argv: list[str]) -> int:
    """Search the hyperparameters of pneumonia_tuned on one fold; resumable."""
    parser = Parser("neumo tune", description=tune.__doc__)
    _add_training_arguments(parser)
    _add_workdir_argument(parser)
    parser.add_argument(
        "--trials", type=_at_least_one, default=16, metavar="N", help="default: %(default)s"
    )
    args = parser.parse_args(argv)
    say = _timed()
    _quiet_tensorflow()
    from neumo_training.fitting import tuning  # noqa: PLC0415 - TensorFlow is slow to import
    from neumo_training.networks import network_config

    configs = network_config.read_all(args.configs or network_config.CONFIGS)
    best = tuning.tune(args.folder, args.masks, args.workdir, say, configs, args.trials)
    print(f"the trials' table, plots and the winner's configuration are in {best}")
    return 0


def export(argv: list[str]) -> int:
    """Export a finished training run as a release of versioned SavedModels."""
    parser = Parser("neumo export", description=export.__doc__)
    _add_export_arguments(parser)
    _quiet_tensorflow()
    return _export(parser.parse_args(argv))


def _add_training_arguments(parser: argparse.ArgumentParser) -> None:
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


def _add_workdir_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workdir",
        type=Path,
        default=DEFAULT_WORKDIR,
        help="where the run lives: checkpoints, splits, results (default: %(default)s)",
    )


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a whole number from 1: {text}")
    return int(text)


def _timed() -> Callable[[str], None]:
    """Prints lines with the minutes and seconds since now."""
    began = time.monotonic()

    def say(line: str) -> None:
        seconds = round(time.monotonic() - began)
        print(f"{seconds // 60:3d}:{seconds % 60:02d}  {line}", flush=True)

    return say


def _add_export_arguments(parser: argparse.ArgumentParser) -> None:
    _add_workdir_argument(parser)
    parser.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="the model store to export to (default: models in the work folder)",
    )
    parser.add_argument(
        "--release", type=int, metavar="N", help="default: the UTC time, YYYYMMDDhhmmss"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="take a --release that neumo's own releases may have, or that is not the newest",
    )


def _export(args: argparse.Namespace) -> int:
    from neumo_training.reports import out_of_fold_table  # noqa: PLC0415 - TensorFlow is slow to import
    from neumo_training.savedmodels.release_writer import export as write  # noqa: PLC0415

    store = args.to or args.workdir / "models"
    manifest = write(args.workdir, store, args.release, forced=args.force)
    print(out_of_fold_table.text(manifest))
    print(f"release {manifest.release} is in {store}")
    print(
        "to serve it, mount that folder at /models and start TensorFlow Serving or neumo serve "
        "with --model_config_file=/models/models.config"
    )
    return 0


def _quiet_tensorflow() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
