"""The code blocks of the site's pages: found, and either run or, with a reason, parsed.

A comment before a block says what is done with it::

    <!-- parsed: it needs docker -->        not run, only parsed, for this reason
    <!-- file: test_app.py -->              written to a file of that name, for what follows

Without one it is run. ``console`` blocks have their commands after ``$``; other lines are what
they print, in which ``...`` stands for anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
RUN = ("python", "pycon", "console", "sh")
"""Languages of blocks that are run."""
SHOWN = ("text", "json", "yaml", "toml", "http")
"""Languages of blocks that are data."""
# What literalinclude shows is a test's own code, and run there.
DIRECTIVES = ("eval-rst", "include", "literalinclude", "toctree", "image", "figure")
DIRECTIVES += ("note", "warning", "tip")
PARSED_PAGES = {"CONTRIBUTING.md": "targets of make and tests, minutes to half an hour each"}
"""Pages none of whose blocks is run, and why."""
_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|:{3,})(?P<info>.*)$")
_MARK = re.compile(r"<!-- (parsed|file): (.+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its text, and what the comment before it says."""

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    about: str = ""

    @property
    def place(self) -> str:
        """Where a reader finds it."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what is shown of its output ("" for nothing)."""

    text: str
    output: str
    line: int


def pages() -> list[Path]:
    """Every page of the site, and what else a reader sees as text."""
    own = (p for p in DOCS.rglob("*.md") if not p.relative_to(DOCS).parts[0].startswith("_"))
    return [*sorted(own), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def blocks(page: Path) -> list[Block]:
    """The blocks of ``page``, in order."""
    lines = page.read_text(encoding="utf-8").split("\n")
    found: list[Block] = []
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            number += 1
            continue
        end = next(
            n
            for n in range(number + 1, len(lines))
            if lines[n].strip() == fence["marks"] and lines[n].startswith(fence["indent"])
        )
        language = fence["info"].strip().split(" ")[0]
        mark, about = _mark(_before(lines, number))
        if page.name in PARSED_PAGES and not language.startswith("{"):
            language, mark, about = language or "sh", "parsed", PARSED_PAGES[page.name]
        text = "\n".join(line.removeprefix(fence["indent"]) for line in lines[number + 1 : end])
        found.append(
            Block(
                str(page.relative_to(ROOT)),
                number + 1,
                language,
                text + "\n",
                mark,
                about,
            )
        )
        number = end + 1
    return found


def commands(block: Block) -> list[Command]:
    """The commands of a block of ``console`` or ``sh``."""
    if block.language == "sh":
        lines = re.sub(r"\\\n\s*", "", block.text).split("\n")
        return [Command(line, "", block.line) for line in lines if _is_command(line)]
    found: list[tuple[list[str], list[str], int]] = []
    lines = block.text.split("\n")
    number = 0
    while number < len(lines):
        if lines[number].startswith("$ "):
            said = [lines[number][2:]]
            line = block.line + number + 1
            while said[-1].endswith("\\"):
                number += 1
                said[-1] = said[-1][:-1]
                said.append(lines[number].lstrip("> ").strip())
            found.append((said, [], line))
        elif found:
            found[-1][1].append(lines[number])
        elif lines[number].strip():
            raise ValueError(f"{block.place}: output before the first command")
        number += 1
    return [
        Command(" ".join(said).strip(), "\n".join(output).strip("\n"), line)
        for said, output, line in found
    ]


def _is_command(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _mark(comment: str) -> tuple[str, str]:
    said = _MARK.fullmatch(comment)
    return (said[1], said[2].strip()) if said else ("", "")


def _before(lines: list[str], number: int) -> str:
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return lines[above].strip() if above >= 0 else ""
