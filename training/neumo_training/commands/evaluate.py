"""``neumo evaluate``.

Nothing heavy is imported at the top, so that ``neumo --help`` stays quick.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from neumo.commands.arguments import Parser, whole_from
from neumo_training.commands.training_arguments import quiet_tensorflow

JSON_FILE = "evaluation.json"
PAGE_FILE = "evaluation.html"


def main(argv: list[str]) -> int:
    """Judge a release on a folder of films with known answers; writes a report."""
    args = _parser().parse_args(argv)
    quiet_tensorflow()
    from neumo_training.evaluation.assessment import assess  # noqa: PLC0415 - TensorFlow is slow to import
    from neumo_training.evaluation.preparation import Request, prepare  # noqa: PLC0415
    from neumo_training.reports import evaluation_summary  # noqa: PLC0415
    from neumo_training.reports.evaluation_page import page  # noqa: PLC0415
    from neumo_training.stage_progress import StageProgress  # noqa: PLC0415
    from neumo_training.whole_files import write_atomically  # noqa: PLC0415

    request = Request(
        **{name: value for name, value in vars(args).items() if name not in ("json", "films")}
    )
    prepared = prepare(request, sys.stderr)
    progress = StageProgress(prepared.subject.work, sys.stderr)
    try:
        done = assess(prepared.subject, progress, prepared.answered, args.films)
    finally:
        progress.close()
    text = json.dumps(done.document, indent=1, allow_nan=False) + "\n"
    write_atomically(prepared.out / JSON_FILE, text)
    write_atomically(prepared.out / PAGE_FILE, page(done, with_names=args.names))
    print(text if args.json else evaluation_summary.text(done.document), end="")
    says = "it shows films: do not share it" if done.examples else "it shows no film"
    print(f"{prepared.out / PAGE_FILE} ({says}), {prepared.out / JSON_FILE}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser("neumo evaluate", description=main.__doc__)
    parser.add_argument(
        "folder",
        type=Path,
        help="a folder with NORMAL and PNEUMONIA in it, or one whose test, train or val has them",
    )
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="a model store (default: the shipped release)"
    )
    parser.add_argument(
        "--release", type=whole_from(1), metavar="N", help="default: the store's newest"
    )
    parser.add_argument(
        "--against", type=whole_from(1), metavar="M", help="compare with this release, paired"
    )
    parser.add_argument(
        "--part",
        choices=("all", "holdout"),
        default="all",
        help="holdout: only the films that no release trains on, once for each release",
    )
    parser.add_argument(
        "--splits",
        type=Path,
        metavar="FILE",
        help="the splits.json of your training run (default: the public data set's)",
    )
    parser.add_argument("--again", action="store_true", help="read the hold-out another time")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="drawn masks of the lungs")
    parser.add_argument(
        "--sizes", type=Path, metavar="CSV", help="the originals' sizes: file,label,width,height"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/evaluate/release-N")
    parser.add_argument("--json", action="store_true", help="print the whole document")
    parser.add_argument(
        "--names", action="store_true", help="write file names and each film's answer, too"
    )
    parser.add_argument(
        "--no-films", dest="films", action="store_false", help="show no film in the report"
    )
    return parser
