"""A self-contained HTML page of a template in ``templates/``, in which every text is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

from neumo_training.reports import key_names, palette


@dataclass(frozen=True, slots=True)
class Table:
    """What a table shows; its ``rows`` are as long as its ``head``."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold whole numbers alone."""
        return [all(isinstance(row[i], int) for row in self.rows) for i in range(len(self.head))]


def render(template: str, **values: object) -> str:
    """The page that ``template`` makes of ``values``; a name that it lacks is an error."""
    return _ENVIRONMENT.get_template(template).render(values)


def svg_uri(svg: str) -> str:
    """A plot as the address of a picture."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _grouped(value: object) -> str:
    """Whole numbers with a comma between thousands, all else as it is."""
    return f"{value:,}" if isinstance(value, int) else str(value)


# autoescape is off in Jinja2 unless it is asked for, and an unknown name is an empty text.
_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("neumo_training.reports"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.globals["caution_colour"] = palette.CAUTION
_ENVIRONMENT.filters |= {
    "counts": key_names.counts,
    "grouped": _grouped,
    "interval": key_names.interval,
    "number": key_names.number,
    "percent": key_names.percent,
}
