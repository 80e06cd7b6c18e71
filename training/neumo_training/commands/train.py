"""``neumo train``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

from neumo.commands.arguments import Parser
from neumo_training.commands import export, training_arguments
from neumo_training.stage_progress import timed_lines


def main(argv: list[str]) -> int:
    """Train the models on a folder of radiographs and export a release; resumable."""
    parser = Parser("neumo train", description=main.__doc__)
    training_arguments.add_films(parser)
    training_arguments.add_release(parser)
    args = parser.parse_args(argv)
    say = timed_lines()
    training_arguments.quiet_tensorflow()
    from neumo_training.fitting import pipeline  # noqa: PLC0415 - TensorFlow is slow to import

    configs = training_arguments.configs(args)
    pipeline.train(args.folder, args.masks, args.workdir, say, configs)
    return export.write_release(args)
