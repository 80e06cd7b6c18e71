"""``neumo release``. TensorFlow is imported late, so that ``neumo --help`` stays quick."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from neumo.commands.arguments import Parser, whole_from
from neumo.commands.program import OK

UNSOUND = 1


def main(argv: list[str]) -> int:
    """Judge a folder of releases: files, contract and the models' own answers."""
    parser = Parser("neumo release", description=main.__doc__)
    verbs = parser.add_subparsers(required=True, metavar="check")
    check = verbs.add_parser("check", help="say in one line each what is wrong; status 1 if any")
    check.add_argument("folder", type=Path, metavar="DIR", help="a folder with releases/N.json")
    check.add_argument(
        "--release",
        type=whole_from(1),
        action="append",
        metavar="N",
        help="judge this release alone; may be given again (default: every one in DIR)",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    return _check(chosen.folder, chosen.release, as_json=chosen.json)


def _check(folder: Path, asked: list[int] | None, *, as_json: bool) -> int:
    from neumo.release import check  # noqa: PLC0415 - numpy is slow to import

    releases = sorted({*asked}) if asked else check.releases(folder)
    # Read when TensorFlow is imported: its remarks would stand between the findings.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from neumo_serving.engine import standalone_model  # noqa: PLC0415 - TensorFlow is slow to import

    findings = []
    for release in releases:
        of_release = list(check.inspect(folder, release, standalone_model.opened))
        findings += of_release
        if not as_json:
            print("\n".join(finding.line for finding in of_release) or f"release {release}: sound")
    if as_json:
        document = {
            "folder": str(folder),
            "releases": releases,
            "sound": not findings,
            "findings": [asdict(finding) for finding in findings],
        }
        print(json.dumps(document, indent=1))
    return UNSOUND if findings else OK
