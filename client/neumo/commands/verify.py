"""``neumo verify``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from neumo import settings
from neumo.commands import arguments, server_addresses
from neumo.commands.program import OK

if TYPE_CHECKING:
    from neumo.verification import Pace, Report

BAD = 1
CANNOT_TELL = 75
"""EX_TEMPFAIL of BSD's sysexits: try again later."""


def main(argv: list[str]) -> int:
    """Ask servers whether they answer as a release does: 0 good, 1 bad, 75 cannot tell."""
    from neumo.verification import ManifestFile, Verdict, verify  # noqa: PLC0415 - numpy is slow

    chosen = parser().parse_args(argv)
    held = ManifestFile.find(chosen.release, chosen.against, chosen.manifest)
    named = chosen.urls or [settings.resolve().url]
    urls = tuple(dict.fromkeys(one for url in named for one in server_addresses.urls(url)))
    report = verify(
        urls,
        held,
        timeout_s=chosen.timeout,
        wait_s=chosen.wait,
        max_ratio=chosen.max_ratio,
        pace_s=chosen.pace_seconds,
        progress=_tell,
    )
    if chosen.json:
        print(json.dumps(report.document(), indent=1))
    else:
        print("\n".join(_lines(report)))
    return {Verdict.GOOD: OK, Verdict.BAD: BAD}.get(report.verdict, CANNOT_TELL)


def parser() -> arguments.Parser:
    """The command line."""
    from neumo.verification import DEFAULT_MAX_RATIO, DEFAULT_PACE_S  # noqa: PLC0415 - numpy

    made = arguments.Parser(
        "neumo verify",
        description=f"{main.__doc__} Where a name has several addresses, each is asked.",
    )
    whole = arguments.whole_from(1)
    made.add_argument(
        "urls",
        metavar="URL",
        nargs="*",
        help="grpc://HOST:8500 or http://HOST:8501 (default: NEUMO_SERVER, then this machine)",
    )
    made.add_argument(
        "--release", metavar="N", type=whole, required=True, help="the release to verify"
    )
    made.add_argument(
        "--against",
        metavar="M",
        type=whole,
        help="the release before it: must be there too, and is timed in turns with it",
    )
    made.add_argument(
        "--manifest",
        metavar="PATH",
        type=Path,
        help="the release's manifest, or a folder with releases/N.json (default: the release that "
        "this neumo brings along)",
    )
    made.add_argument(
        "--wait",
        metavar="SECONDS",
        type=arguments.number_from(0.0),
        default=0.0,
        help="keep asking for so long until every model is AVAILABLE (default: 0)",
    )
    made.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=arguments.seconds,
        help="longest time for one call (default: NEUMO_TIMEOUT, then the SDK's)",
    )
    made.add_argument(
        "--max-ratio",
        metavar="X",
        type=arguments.number_from(1.0),
        default=DEFAULT_MAX_RATIO,
        help="more than X times as slow as M is bad (default: %(default)s)",
    )
    made.add_argument(
        "--pace-seconds",
        metavar="SECONDS",
        type=arguments.seconds,
        default=DEFAULT_PACE_S,
        help="longest time for timing each server (default: %(default)g)",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object")
    return made


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _lines(report: Report) -> list[str]:
    return [
        f"manifest: {report.manifest} (SHA-256 {report.manifest_sha256})",
        *(_paced(pace, report.against) for pace in report.paces),
        *(f"note: {note}" for note in report.notes),
        *(f"wrong: {remark.line}" for remark in report.faults),
        *(f"cannot tell: {remark.line}" for remark in report.unknown),
        f"release {report.release} at {', '.join(report.servers)}: {report.verdict}",
    ]


def _paced(pace: Pace, against: int | None) -> str:
    return (
        f"{pace.server}: {pace.what}, {pace.films} at a time: {pace.seconds * 1000:.1f} ms, "
        f"release {against} {pace.against_seconds * 1000:.1f} ms; ratio {pace.median_ratio:.2f}, "
        f"of the 99th percentiles {pace.p99_ratio:.2f}; {pace.rounds} rounds"
    )
