"""Runs the blocks of a page, in order, in one folder; Python blocks share their names."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import parsing
from blocks import Block, Command, commands

from support.patience import patience

_LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_COMMAND_TIMEOUT_S = 240


@dataclass
class Stage:
    """A working folder, and the addresses that stand for the page's ``localhost``."""

    folder: Path
    addresses: dict[str, str]
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})

    def play(self, block: Block) -> None:
        """Run ``block``, or parse it where it says so."""
        if block.mark == "parsed":
            self._parse(block)
        elif block.mark == "file":
            (self.folder / block.about).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(_compiled(block, self._here(block.text)), self.names)  # noqa: S102 - our own pages
        elif block.language == "pycon":
            self._doctest(block)
        elif block.language in {"console", "sh"}:
            for command in commands(block):
                self._run(block, command)

    def _parse(self, block: Block) -> None:
        if block.language == "python":
            _compiled(block, block.text)
        for command in commands(block) if block.language in {"console", "sh"} else ():
            try:
                parsing.check(command.text)
            except AssertionError as error:
                raise AssertionError(f"{block.page}:{command.line}: {error}") from error

    def _doctest(self, block: Block) -> None:
        examples = doctest.DocTestParser().get_doctest(
            self._here(block.text), self.names, block.place, block.page, block.line
        )
        said = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=_LOOSE, verbose=False)
        runner.run(examples, out=said.write, clear_globs=False)
        self.names.update(examples.globs)
        assert not runner.failures, f"{block.place}\n{said.getvalue()}"

    def _run(self, block: Block, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._here(command.text)],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=patience(_COMMAND_TIMEOUT_S),
            check=False,
        )
        place = f"{block.page}:{command.line}: {command.text}"
        wanted = self._status(command)
        assert done.returncode == wanted, f"{place}\n{done.stdout}{done.stderr}"
        if command.output:
            said = f"{done.stdout}{done.stderr}".strip("\n") + "\n"
            checker = doctest.OutputChecker()
            shown = f"{self._here(command.output)}\n"
            assert checker.check_output(shown, said, _LOOSE), f"{place}\n{said}"

    def _status(self, command: Command) -> int:
        """0, but for a command that is shown to be refused."""
        return 2 if command.output.startswith("neumo: ") else 0

    def _here(self, text: str) -> str:
        for written, actual in self.addresses.items():
            text = text.replace(written, actual)
        return text


def _compiled(block: Block, text: str) -> Any:
    return compile("\n" * block.line + text, block.page, "exec", dont_inherit=True)
