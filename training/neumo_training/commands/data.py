"""``neumo data``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from neumo.commands import progress_bar
from neumo.commands.arguments import Parser
from neumo_training.commands.training_arguments import FOLDER_HELP

DEFAULT_OUT = Path("runs/data")


def main(argv: list[str]) -> int:
    """Say what a folder of radiographs holds and what training would keep: summary, report.

    A folder alone is its summary.
    """
    verbs = {"summary": _summary, "report": _report}
    if argv and argv[0] in verbs:
        return verbs[argv[0]](argv[1:])
    return _summary(argv)


def _summary(argv: list[str]) -> int:
    parser = Parser(
        "neumo data",
        description="Count films, types, patients, duplicates and splits; no film is read.",
        epilog="neumo data report FOLDER reads them and writes a page (its own --help says more)",
    )
    parser.add_argument("folder", type=Path, help=FOLDER_HELP)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table of films there")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    args = parser.parse_args(argv)

    from neumo_training.datasets import film_table  # noqa: PLC0415 - pandas is slow to import
    from neumo_training.reports.exploration import exploration_report, folder_numbers  # noqa: PLC0415

    table = film_table.scan(args.folder)
    counted = exploration_report.summary(args.folder, table)
    lines = folder_numbers.summary(counted) + counted["remarks"]
    print(json.dumps(counted, indent=2) if args.json else "\n".join(lines))
    if args.csv is not None:
        table.to_csv(args.csv, index=False)
    return 0


def _report(argv: list[str]) -> int:
    parser = Parser(
        "neumo data report",
        description="Read every film once and write a page with plots, tables and JSON.",
    )
    parser.add_argument("folder", type=Path, help=FOLDER_HELP)
    parser.add_argument(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        metavar="DIR",
        help="where report.html, report.json and the CSV files go (default: %(default)s)",
    )
    parser.add_argument(
        "--sizes",
        type=Path,
        metavar="CSV",
        help="the originals' sizes where these are copies: file,label,width,height",
    )
    args = parser.parse_args(argv)

    from neumo_training.datasets import film_table  # noqa: PLC0415 - pandas is slow to import
    from neumo_training.reports.exploration import exploration_report, folder_numbers  # noqa: PLC0415

    sizes = None if args.sizes is None else film_table.original_sizes(args.sizes)
    explored = exploration_report.explore(args.folder, sizes, _watched)
    written = exploration_report.write(explored, args.out)
    print("\n".join(folder_numbers.summary(explored.document) + explored.document["remarks"]))
    print(f"the page is {written}; no film is in it")
    return 0


def _watched(paths: Sequence[str]) -> Iterable[str]:
    return progress_bar.bar(paths, len(paths), sys.stderr) if sys.stderr.isatty() else paths
