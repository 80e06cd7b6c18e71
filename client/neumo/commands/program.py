"""The program ``neumo``: finds the subcommand, runs it, and turns errors into one line.

Exit status: 0 done, 1 an unsound release, 2 a mistake in the command line or an image, 3 serving,
74 what is printed cannot be written (EX_IOERR of BSD's sysexits), 75 a release of which nothing can
be told yet (EX_TEMPFAIL), 130 interrupted.
"""

from __future__ import annotations

import difflib
import errno
import io
import os
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import TextIO, TypeAlias

from neumo.errors import ConfigError, ImageError, NeumoError

Command: TypeAlias = Callable[[list[str]], int]

GROUP = "neumo.commands"
OK, USAGE, SERVING, UNWRITTEN, INTERRUPTED, BROKEN_PIPE = 0, 2, 3, 74, 130, 141

_NO_ROOM = {errno.EBADF, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT}

_OWN_PACKAGES = ("neumo", "neumo_serving", "neumo_training", "neumo_k8s")
_TENSORFLOW_EXTRAS = ("serving", "training")
_NO_TENSORFLOW = (3, 14)
"""The first Python that TensorFlow 2.20 has no wheels for."""


def main(argv: list[str] | None = None) -> int:
    """Run ``neumo`` with ``argv`` (default: the process's); the exit status."""
    _open_streams()
    # Before anything is printed: an error's own line may hold a name that cannot be.
    for stream in (sys.stdout, sys.stderr):
        _print_any_character(stream)
    try:
        status = _to_the_end(sys.argv[1:] if argv is None else argv)
    except (ConfigError, ImageError) as error:
        status = _complain(error, USAGE)
    except NeumoError as error:
        status = _complain(error, SERVING)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        _close_quietly(sys.stdout)
        status = BROKEN_PIPE
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _close_quietly(sys.stdout)
        reason = error.strerror or type(error).__name__
        status = _say(f"neumo: output cannot be written ({reason}): send it elsewhere", UNWRITTEN)
    return status


def missing(name: str, extras: tuple[str, ...], module: str, python: tuple[int, int]) -> str:
    """The line about a command that cannot import ``module``.

    ``extras`` are those that the command's entry point names; ``python`` is the version running.
    """
    if module.partition(".")[0] in _OWN_PACKAGES or not extras:
        return f"neumo {name} cannot find its module {module}: reinstall neumo"
    if python >= _NO_TENSORFLOW and set(extras) & set(_TENSORFLOW_EXTRAS):
        running = ".".join(map(str, python))
        return f"neumo {name} needs TensorFlow and so Python 3.11 to 3.13; this is {running}"
    return f"neumo {name} needs more packages: pip install 'neumo[{','.join(extras)}]'"


def _to_the_end(arguments: list[str]) -> int:
    """Run the command and write out what it printed; ``OSError`` where that cannot be."""
    try:
        status = _dispatch(arguments)
    except SystemExit as end:  # argparse's, after a help text or a mistake
        status = end.code if isinstance(end.code, int) else OK
    # Here, where a closed pipe or a full disk can still be told; at exit it cannot.
    sys.stdout.flush()
    return status


def _dispatch(arguments: list[str]) -> int:
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    name = arguments[0] if arguments else "--help"
    if name in {"-h", "--help"}:
        print(_help(commands))
        return OK if arguments else USAGE
    if name == "--version":
        print(f"neumo {version('neumo')}")
        return OK
    if name not in commands:
        near = difflib.get_close_matches(name, commands, 1)
        advice = f"did you mean {near[0]}?" if near else "neumo --help lists them"
        raise ConfigError(f"no command {name!r}: {advice}")
    return _run(commands[name], arguments[1:])


def _run(entry: EntryPoint, arguments: list[str]) -> int:
    try:
        return int(_load(entry)(arguments))
    except ModuleNotFoundError as error:
        return _say(_missing(entry, error), USAGE)


def _load(entry: EntryPoint) -> Command:
    """The command's function; ``ModuleNotFoundError`` where the package lacks it."""
    try:
        command: Command = entry.load()
    except AttributeError as error:
        raise ModuleNotFoundError(str(error), name=entry.module) from error
    return command


def _missing(entry: EntryPoint, error: ModuleNotFoundError) -> str:
    python = (sys.version_info.major, sys.version_info.minor)
    return missing(entry.name, tuple(entry.extras), error.name or str(error), python)


def _help(commands: dict[str, EntryPoint]) -> str:
    width = max(map(len, commands), default=0)
    lines = [f"  {name:{width}}  {_summary(commands[name])}" for name in sorted(commands)]
    return "\n".join(
        [
            "usage: neumo COMMAND ...",
            "",
            "Pneumonia in radiographs of children's chests. Research use, not a medical device.",
            "",
            *lines,
            "",
            "neumo COMMAND --help says more; neumo --version names the version.",
        ]
    )


def _summary(entry: EntryPoint) -> str:
    """The first line of the command's docstring, or what it needs."""
    try:
        text = _load(entry).__doc__ or ""
    except ModuleNotFoundError as error:
        return f"({_missing(entry, error)})"
    return text.strip().partition("\n")[0]


def _complain(error: NeumoError, status: int) -> int:
    return _say(f"neumo: {' '.join(str(error).split())}", status)


def _say(line: str, status: int) -> int:
    print(line, file=sys.stderr)
    return status


class _ClosedStream(io.TextIOBase):
    """Standard output that was closed before the program began: Python has None for it."""

    def write(self, _: str, /) -> int:
        """Fail, where ``print`` to None would lose the answer without a word."""
        raise OSError(errno.EBADF, "standard output is closed")


def _open_streams() -> None:
    """Put something in the place of streams that are closed."""
    if sys.stdout is None:
        sys.stdout = _ClosedStream()
    if sys.stderr is None:
        # Else what is meant for it would be printed among the answers.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end


def _print_any_character(stream: TextIO) -> None:
    """Names of files may hold what the terminal's encoding lacks: escape it, do not fail."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _close_quietly(stream: TextIO) -> None:
    """Whoever read our output is gone: nothing more may be written, not even at exit."""
    if isinstance(stream, _ClosedStream):
        return
    # The interpreter flushes once more at exit, and would print a traceback of its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
