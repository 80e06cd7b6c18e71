"""The picture of the house: its rooms and what they import, drawn from the code's own imports.

``python docs/house_picture.py OUT.svg``. A room is a folder or a module directly below a package.
A room stands above those that it imports; a line is left out where another way already says it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import house  # noqa: E402 - tests/house.py: what imports what

SDK = "neumo"
LEFT_OUT = ("__init__", "__main__", "_proto", "py")
"""Doors, and what protoc generates: each of them would only repeat its neighbours' lines."""
ALIASES = ("notebook",)
"""Modules that hold nothing but an old address."""

_CHARACTER, _PAD, _BOX, _GAP, _FLOOR, _HEAD, _MARGIN = 6.6, 10, 26, 12, 64, 34, 16

Edges = dict[str, set[str]]


@dataclass
class Panel:
    """A package: its rooms by floor, the highest first, and where each is drawn."""

    package: str
    below: Edges
    rows: list[list[str]] = field(default_factory=list)
    at: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    width: float = 0.0

    @property
    def height(self) -> float:
        """How high it is, pixels."""
        return _HEAD + _FLOOR * len(self.rows) - _GAP

    def widen(self, width: float) -> None:
        """Make it as wide, its rooms spread."""
        times = width / self.width
        for room, (x, y, own) in self.at.items():
            self.at[room] = ((x + own / 2) * times - own / 2, y, own)
        self.width = width


def rooms(graph: Edges, package: str) -> Edges:
    """What each room of ``package`` imports of the others."""
    below: Edges = defaultdict(set)
    for name, others in graph.items():
        room = _room(name, package)
        if room is None:
            continue
        below[room] |= {r for r in (_room(o, package) for o in others) if r not in (None, room)}  # type: ignore[misc]
    return {room: {b for b in below[room] if b in below} for room in sorted(below)}


def of_the_sdk(graph: Edges, package: str) -> list[str]:
    """The SDK's modules that ``package`` imports."""
    return sorted(
        {
            other
            for name, others in graph.items()
            if name.partition(".")[0] == package
            for other in others
            if other.partition(".")[0] == SDK
        }
    )


def floors(below: Edges) -> dict[str, int]:
    """The floor of each room: one above the highest that it imports; the lowest is 0."""
    known: dict[str, int] = {}

    def floor(room: str, above: tuple[str, ...]) -> int:
        if room in known:
            return known[room]
        under = [floor(b, (*above, room)) for b in sorted(below[room]) if b not in above]
        height = 1 + max(under, default=-1)
        if not above or not any(b in above for b in below[room]):
            known[room] = height
        return height

    return {room: floor(room, ()) for room in below}


def reduced(below: Edges) -> Edges:
    """``below`` without the lines that a longer way already says."""

    def reach(room: str, seen: set[str]) -> set[str]:
        for other in below[room]:
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    return {
        room: {
            other
            for other in others
            if not any(other in reach(b, {b}) for b in others if b not in {other, room})
        }
        for room, others in below.items()
    }


def panel(graph: Edges, package: str) -> Panel:
    """The panel of ``package``, its rooms placed."""
    below = rooms(graph, package)
    of = floors(below)
    made = Panel(package, below)
    for floor in range(max(of.values(), default=0), -1, -1):
        made.rows.append(sorted(room for room in below if of[room] == floor))
    widths = [sum(_width(r) + _GAP for r in row) - _GAP for row in made.rows]
    made.width = max([*widths, _CHARACTER * len(package) + 60]) + 2 * _MARGIN
    order: dict[str, float] = {}
    for number, row in enumerate(made.rows):
        above = {
            room: [order[a] for a, b in below.items() if room in b and a in order] for room in row
        }
        row.sort(key=lambda r: (sum(above[r]) / len(above[r]) if above[r] else 0.5, r))
        total = sum(_width(r) + _GAP for r in row) - _GAP
        x = (made.width - total) / 2
        for room in row:
            made.at[room] = (x, _HEAD + _FLOOR * number, _width(room))
            order[room] = (x + _width(room) / 2) / made.width
            x += _width(room) + _GAP
    return made


def svg() -> str:
    """The picture."""
    graph = house.graph()
    others = [panel(graph, name) for name in house.PACKAGES if name != SDK]
    sdk = panel(graph, SDK)
    width = max(sdk.width, sum(p.width + 2 * _GAP for p in others)) + 2 * _MARGIN
    top = max(p.height for p in others)
    parts: list[str] = []
    spare = (width - sum(p.width for p in others)) / (len(others) + 1)
    x = spare
    sdk_y = top + 90
    sdk.widen(width - 2 * _MARGIN)
    for each in others:
        y = top - each.height + _MARGIN
        parts += _drawn(each, x, y)
        used = of_the_sdk(graph, each.package)
        centre = x + each.width / 2
        if used:
            parts.append(_line(centre, y + each.height, centre, sdk_y, "between"))
            told = f"{len(used)} modules of the SDK"
            parts.append(f'<text x="{centre + 8:.0f}" y="{sdk_y - 30:.0f}">{told}</text>')
        x += each.width + spare
    parts += _drawn(sdk, (width - sdk.width) / 2, sdk_y)
    height = sdk_y + sdk.height + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="The rooms of neumo and what they import">\n'
        f"<style>{_STYLE}</style>\n{_ARROW}\n" + "\n".join(parts) + "\n</svg>\n"
    )


_STYLE = (
    "text{font:11px DejaVu Sans,Verdana,sans-serif;fill:#1d2733}"
    ".name{font-weight:bold;font-size:13px}"
    ".in{text-anchor:middle}"
    ".panel{fill:#f6f8fa;stroke:#8a97a5}"
    ".room{fill:#fff;stroke:#2b6a8f}"
    ".private{fill:#eceff2;stroke:#8a97a5;stroke-dasharray:3 2}"
    ".import{stroke:#7d8b99;fill:none;stroke-width:1}"
    ".between{stroke:#2b6a8f;fill:none;stroke-width:2}"
)
_ARROW = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
    'orient="auto"><path d="M0 0 8 4 0 8z" fill="#7d8b99"/></marker></defs>'
)


def _drawn(each: Panel, x: float, y: float) -> list[str]:
    parts = [
        f'<rect class="panel" x="{x:.0f}" y="{y:.0f}" width="{each.width:.0f}" '
        f'height="{each.height:.0f}" rx="6"/>',
        f'<text class="name" x="{x + _MARGIN:.0f}" y="{y + 21:.0f}">{each.package}</text>',
    ]
    if not each.below:
        parts.append(f'<text x="{x + _MARGIN:.0f}" y="{y + 48:.0f}">no module yet</text>')
    for room, others in sorted(reduced(each.below).items()):
        left, top, width = each.at[room]
        for other in sorted(others):
            to_left, to_top, to_width = each.at[other]
            down = to_top > top
            parts.append(
                _line(
                    x + left + width / 2,
                    y + top + (_BOX if down else 0),
                    x + to_left + to_width / 2,
                    y + to_top + (0 if down else _BOX),
                    "import",
                )
            )
    for room, (left, top, width) in sorted(each.at.items()):
        kind = "private" if room.startswith("_") else "room"
        parts.append(
            f'<rect class="{kind}" x="{x + left:.0f}" y="{y + top:.0f}" width="{width:.0f}" '
            f'height="{_BOX}" rx="3"/><text class="in" x="{x + left + width / 2:.0f}" '
            f'y="{y + top + 17:.0f}">{escape(room)}</text>'
        )
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    bend = (y2 - y1) / 2
    return (
        f'<path class="{kind}" marker-end="url(#tip)" d="M{x1:.0f} {y1:.0f}'
        f'C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"/>'
    )


def _width(room: str) -> float:
    return _CHARACTER * len(room) + 2 * _PAD


def _room(name: str, package: str) -> str | None:
    parts = name.split(".")
    if parts[0] != package or len(parts) == 1 or parts[1] in (*LEFT_OUT, *ALIASES):
        return None
    return parts[1]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(svg(), encoding="utf-8")
