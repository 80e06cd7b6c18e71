"""``neumo tune``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

from neumo.commands.arguments import Parser, whole_from
from neumo_training.commands import training_arguments
from neumo_training.stage_progress import timed_lines


def main(argv: list[str]) -> int:
    """Search the hyperparameters of pneumonia_tuned on one fold; resumable."""
    parser = Parser("neumo tune", description=main.__doc__)
    training_arguments.add_films(parser)
    training_arguments.add_workdir(parser)
    parser.add_argument(
        "--trials", type=whole_from(1), default=16, metavar="N", help="default: %(default)s"
    )
    args = parser.parse_args(argv)
    say = timed_lines()
    training_arguments.quiet_tensorflow()
    from neumo_training.fitting import tuning  # noqa: PLC0415 - TensorFlow is slow to import

    configs = training_arguments.configs(args)
    folder = tuning.tune(args.folder, args.masks, args.workdir, say, configs, args.trials)
    print(f"the trials' table, plots and the winner's configuration are in {folder}")
    return 0
