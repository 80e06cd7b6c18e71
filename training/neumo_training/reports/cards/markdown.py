"""Numbers as Markdown; what is absent is said to be not measured, in the language at hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from neumo_training.reports import key_names
from neumo_training.reports.cards.wording import Words

Document = dict[str, Any]


def found(document: Document, *path: str, default: Any = None) -> Any:
    """What lies at ``path``; ``default`` where any of it is absent."""
    at: Any = document
    for key in path:
        at = at.get(key) if isinstance(at, dict) else None
    return default if at is None else at


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: Words) -> str:
    """A Markdown table; one word where there is no row."""
    lines = [_line(row) for row in rows]
    return "\n".join([_line(head), _line(["---"] * len(head)), *lines]) if lines else words.unknown


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def interval(estimate: Document | None, words: Words, sign: str = "") -> str:
    """A value with its interval; ``sign`` "+" for differences."""
    return key_names.interval(estimate, absent=words.unknown, to=words.to, sign=sign)


def number(value: float | None, words: Words) -> str:
    """Three decimals."""
    return key_names.number(value, absent=words.unknown)


def plain(value: object, words: Words) -> str:
    """As it is."""
    return words.unknown if value is None else str(value)


def counts(by_name: dict[str, int] | None, called: dict[str, str], words: Words) -> str:
    """``{"NORMAL": 5}`` with each key by what it is ``called``."""
    if by_name is None:
        return words.unknown
    return ", ".join(f"{count} {called.get(n, n)}" for n, count in by_name.items()) or words.none
