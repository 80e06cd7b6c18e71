"""``neumo export``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

import argparse

from neumo.commands.arguments import Parser
from neumo_training.commands import training_arguments


def main(argv: list[str]) -> int:
    """Export a finished training run as a release of versioned SavedModels."""
    parser = Parser("neumo export", description=main.__doc__)
    training_arguments.add_release(parser)
    args = parser.parse_args(argv)
    training_arguments.quiet_tensorflow()
    return write_release(args)


def write_release(args: argparse.Namespace) -> int:
    """Write the finished run as ``add_release``'s options say, and print where it is."""
    from neumo_training.reports import out_of_fold_table  # noqa: PLC0415 - as every command
    from neumo_training.savedmodels import release_writer  # noqa: PLC0415 - TensorFlow is slow

    store = args.to or args.workdir / "models"
    manifest = release_writer.export(args.workdir, store, args.release, forced=args.force)
    print(out_of_fold_table.text(manifest))
    print(f"release {manifest.release} is in {store}")
    print(
        "to serve it, mount that folder at /models and start TensorFlow Serving or neumo serve "
        "with --model_config_file=/models/models.config"
    )
    return 0
