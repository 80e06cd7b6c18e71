"""``neumo card``.

Nothing heavy is imported at the top, so that ``neumo --help`` stays quick.
"""

from __future__ import annotations

from pathlib import Path

from neumo import release
from neumo.commands.arguments import Parser


def main(argv: list[str]) -> int:
    """Write the model card and data sheet, in English and Spanish, of an evaluation."""
    parser = Parser("neumo card", description=main.__doc__)
    parser.add_argument(
        "evaluation", type=Path, metavar="EVALUATION.json", help="what neumo evaluate wrote"
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="releases/N.json of the same release: what it was trained on and with",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="where to write")
    args = parser.parse_args(argv)
    from neumo_training.reports.cards import card_files  # noqa: PLC0415 - pandas is slow to import

    manifest = None if args.manifest is None else release.read(args.manifest)
    for path in card_files.write(card_files.read(args.evaluation), manifest, args.out):
        print(path)
    return 0
