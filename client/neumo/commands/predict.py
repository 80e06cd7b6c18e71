"""``neumo predict``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from neumo.client import Client
from neumo.commands import (
    answer_report,
    arguments,
    failures,
    film_paths,
    picture_paths,
    progress_bar,
)
from neumo.commands.answer_report import Answer
from neumo.drawing import heatmap_picture
from neumo.errors import ContractError, ImageError, NeumoError, ServingError
from neumo.results import Prediction
from neumo.settings import REQUIRED

_GIVE_UP_AFTER = 3
"""Films in a row that a server failed on after it had answered others."""


def main(argv: list[str]) -> int:
    """Ask a server whether films show pneumonia; prints a table, JSON or CSV."""
    chosen = _parser().parse_args(argv)
    found = film_paths.find(chosen.paths)
    errors: list[NeumoError] = []
    with Client(
        chosen.server, timeout=chosen.timeout, release=chosen.release, screen=chosen.screen
    ) as client:
        answers = _ask(client, found.files, chosen.plot)
        answers = _while_served(_with_refused(found, answers))
        if _shows_progress(len(found.files)):
            answers = progress_bar.bar(answers, len(found.files) + len(found.refused), sys.stderr)
        _writer(chosen, found)(_told(answers, errors), sys.stdout)
    return failures.status(errors)


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser("neumo predict", description=main.__doc__)
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="film, folder of films, or pattern"
    )
    arguments.add_server(parser)
    parser.add_argument("--release", type=int, metavar="N", help="ask this release of the models")
    screen = parser.add_mutually_exclusive_group()
    screen.add_argument(
        "--no-screen",
        dest="screen",
        action="store_false",
        help="only warn where a film is no chest radiograph",
    )
    screen.add_argument(
        "--require-screen",
        dest="screen",
        action="store_const",
        const=REQUIRED,
        default=True,
        help="no answer where it is not known whether a film is a chest radiograph",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON list")
    form.add_argument("--csv", action="store_true", help="print CSV with a header")
    parser.add_argument(
        "--plot", metavar="OUT", help="save heat maps: a picture's name, or a folder (with /)"
    )
    return parser


def _ask(client: Client, files: Sequence[Path], plot: str | None) -> Iterator[Answer]:
    """One answer for each file, in order."""
    if plot is not None:
        yield from _explain(client, files, picture_paths.targets(plot, files))
        return
    for file, outcome in zip(files, client.predict_many(files), strict=True):
        yield Answer(str(file), outcome if isinstance(outcome, Prediction) else outcome.error)


def _explain(client: Client, files: Sequence[Path], targets: Sequence[Path]) -> Iterator[Answer]:
    for file, target in zip(files, targets, strict=True):
        try:
            explanation = client.explain(file)
        except (ImageError, ContractError, ServingError) as error:
            yield Answer(str(file), error)
        else:
            heatmap_picture.save(explanation, target)
            yield Answer(str(file), explanation.prediction)


def _with_refused(found: film_paths.Found, answers: Iterable[Answer]) -> Iterator[Answer]:
    for argument, error in found.refused:
        yield Answer(argument, error)
    yield from answers


def _while_served(answers: Iterable[Answer]) -> Iterator[Answer]:
    """``answers``, until the server is found to be down: then its error is raised, once."""
    # Before the first answer one failure is enough: a wrong address fails on every film.
    allowed = 1
    failed_in_a_row = 0
    for answer in answers:
        if isinstance(answer.outcome, ServingError | ContractError):
            failed_in_a_row += 1
            if failed_in_a_row >= allowed:
                raise answer.outcome
        elif isinstance(answer.outcome, Prediction):
            allowed, failed_in_a_row = _GIVE_UP_AFTER, 0
        yield answer


def _told(answers: Iterable[Answer], errors: list[NeumoError]) -> Iterator[Answer]:
    """``answers``; each error is said on stderr and kept in ``errors``."""
    for answer in answers:
        if isinstance(answer.outcome, NeumoError):
            errors.append(failures.say(answer.file, answer.outcome))
        yield answer


def _writer(chosen: argparse.Namespace, found: film_paths.Found) -> answer_report.Writer:
    if chosen.json:
        return answer_report.write_json
    if chosen.csv:
        return answer_report.write_csv
    return answer_report.table_writer(map(str, found.files))


def _shows_progress(count: int) -> bool:
    """Only over several films, and where the answers themselves are not on the terminal."""
    # A bar between the lines of a table would leave pieces of itself.
    return count > 1 and sys.stderr.isatty() and not sys.stdout.isatty()
