"""Answers about films written as a table, JSON or CSV, each as soon as it is known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TextIO, TypeAlias

from neumo import contract
from neumo.commands.film_paths import shown
from neumo.errors import NeumoError
from neumo.results import Prediction

MEMBERS = tuple(member.name for member in contract.MEMBERS)
_MAX_NAME_WIDTH = 48
_NUMBERS = ("label", "probability", "threshold", "release", "unanimous", "screened")
_PLAIN = ("file", *_NUMBERS)
"""The columns of CSV that JSON has too."""
_FIELDS = (*_NUMBERS, "members", "warnings", "seconds", "timings")
"""What JSON says of a prediction."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one film: ``file`` is its path as found, ``outcome`` the answer or why not."""

    file: str
    outcome: Prediction | NeumoError


Writer: TypeAlias = Callable[[Iterable[Answer], TextIO], None]


def table_writer(names: Iterable[str]) -> Writer:
    """Writes a table for people, wide enough for ``names``; only films that were answered."""
    longest = max((len(shown(name)) for name in names), default=0)
    width = min(max(longest, len("film")), _MAX_NAME_WIDTH)

    def write(answers: Iterable[Answer], out: TextIO) -> None:
        header_written = False
        for answer in answers:
            if isinstance(answer.outcome, NeumoError):
                continue
            if not header_written:
                print(_header(width), file=out)
                header_written = True
            print(_line(answer.file, answer.outcome, width), file=out, flush=True)

    return write


def write_json(answers: Iterable[Answer], out: TextIO) -> None:
    """Writes one JSON list, whole also where asking ends early; nothing where it ends at once."""
    separator = "["
    try:
        for answer in answers:
            print(separator, json.dumps(record(answer)), sep="\n", end="", file=out, flush=True)
            separator = ","
    except BaseException:
        if separator == ",":  # what was answered stays valid JSON
            print("\n]", file=out)
        raise
    print("[]" if separator == "[" else "\n]", file=out)


def write_csv(answers: Iterable[Answer], out: TextIO) -> None:
    """Writes CSV with a header; one column for each member's probability."""
    # csv's own default is CR LF, which diff and awk stumble over.
    lines = csv.writer(out, lineterminator="\n")
    header = [*_PLAIN, *MEMBERS, "seconds", "warnings", "error"]
    is_begun = False
    for answer in answers:
        if not is_begun:  # where no server answers, its error alone is printed
            lines.writerow(header)
            is_begun = True
        lines.writerow(_cells(record(answer)))
        out.flush()


def record(answer: Answer) -> dict[str, Any]:
    """``answer`` as JSON: the same keys for every film; ``error`` is None where it was answered."""
    if isinstance(answer.outcome, NeumoError):
        error = {"type": type(answer.outcome).__name__, "text": str(answer.outcome)}
        blank = dict.fromkeys(_FIELDS)
        return {"file": answer.file, **blank, "members": [], "warnings": [], "error": error}
    found = answer.outcome.to_dict()
    return {"file": answer.file, **{name: found[name] for name in _FIELDS}, "error": None}


def details(prediction: Prediction) -> str:
    """``prediction`` in full, a line for each number."""
    sides = "agree" if prediction.unanimous else "disagree"
    lines = [
        f"  {prediction.label}",
        f"  probability  {prediction.probability:.4f} of pneumonia, the mean of the members",
        *(f"    {_short(m.model):9}  {m.probability:.4f}" for m in prediction.members),
        f"  threshold    {prediction.threshold:.4f}, the members {sides}",
        f"  release      {prediction.release}",
        f"  screened     {'yes' if prediction.screened else 'no'}",
        f"  time         {prediction.seconds * 1000:.0f} ms",
        *(f"  note: {warning}" for warning in prediction.warnings),
    ]
    return "\n".join(lines)


def _short(model: str) -> str:
    return model.removeprefix("pneumonia_")


def _header(width: int) -> str:
    members = "".join(f"  {_short(name):>8}" for name in MEMBERS)
    return (
        f"{'film':{width}}  {'label':9}  {'probability':>11}{members}"
        f"  {'threshold':>9}  {'release':>7}  {'time':>8}"
    )


def _line(file: str, prediction: Prediction, width: int) -> str:
    by_model = {member.model: member.probability for member in prediction.members}
    members = "".join(f"  {by_model.get(name, float('nan')):8.4f}" for name in MEMBERS)
    line = (
        f"{shown(file):{width}}  {prediction.label:9}  {prediction.probability:11.4f}{members}"
        f"  {prediction.threshold:9.4f}  {prediction.release:7}"
        f"  {prediction.seconds * 1000:5.0f} ms"
    )
    return "\n".join([line, *(f"  note: {warning}" for warning in prediction.warnings)])


def _cells(values: dict[str, Any]) -> list[object]:
    by_model = {member["model"]: member["probability"] for member in values["members"]}
    return [
        *(values[name] for name in _PLAIN),
        *(by_model.get(name) for name in MEMBERS),
        values["seconds"],
        "; ".join(warning["text"] for warning in values["warnings"]),
        values["error"]["text"] if values["error"] else None,
    ]
