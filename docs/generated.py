"""What the site shows of the code itself: tables of errors, cautions, flags, problems; a picture.

``conf.py`` calls ``write`` before each build; the files are in ``docs/_generated``, which git
ignores, and the pages include them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path

import house_picture

import neumo
from neumo import cautions, errors
from neumo._transports import status_codes
from neumo_serving.config.flags import flag_table
from neumo_serving.gateway import problems
from neumo_serving.gateway.gateway_settings import MIB, Limits


def write(folder: Path) -> None:
    """Write every generated file to ``folder``."""
    folder.mkdir(exist_ok=True)
    for name, make in FILES.items():
        path = folder / name
        text = make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def error_classes() -> list[type[neumo.NeumoError]]:
    """Every public error, the root first, as ``neumo.errors`` defines them."""
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.NeumoError)
    ]


def errors_table() -> str:
    """Each error: its parent, when it is raised, the advice in its text."""
    rows = []
    for kind in error_classes():
        parent = kind.__bases__[0].__name__
        advice = getattr(kind, "advice", "")
        rows.append(
            (
                f"{{py:exc}}`neumo.{kind.__name__}`",
                "" if parent == "Exception" else f"`{parent}`",
                _first_line(kind),
                advice,
            )
        )
    return _table(("class", "is a", "when", "what its text advises"), rows)


def codes_table() -> str:
    """Each class by the gRPC codes and HTTP statuses that mean it."""
    rows = []
    for kind in error_classes():
        codes = sorted(code for code, of in status_codes.OF_GRPC.items() if of is kind)
        statuses = sorted(status for status, of in status_codes.OF_HTTP.items() if of is kind)
        if codes or statuses:
            rows.append(
                (
                    f"`{kind.__name__}`",
                    ", ".join(f"`{code}`" for code in codes),
                    ", ".join(map(str, statuses)),
                )
            )
    return _table(("class", "gRPC codes", "HTTP statuses"), rows)


def cautions_table() -> str:
    """Each caution of the SDK: its code and its sentence."""
    rows = [(f"`{one.code}`", one.text) for one in cautions.ALL]
    return _table(("`code`", "`text`"), rows)


def flags_table() -> str:
    """Each flag of ``neumo serve``, by group."""
    rows = [
        (group, f"`--{flag.name}`", _default(flag.name, flag.default), flag.help)
        for group, flags in flag_table.GROUPS.items()
        for flag in flags
    ]
    return _table(("group", "flag", "default", "does"), rows)


def refused_flags_table() -> str:
    """Each flag of the original that is refused, and why."""
    return _table(
        ("flag", "why it is refused"), ((f"`--{one.name}`", one.why) for one in flag_table.REFUSED)
    )


def problems_table() -> str:
    """Each problem of the gateway: its type, its status and its title."""
    rows = []
    for name, status in problems.STATUSES.items():
        made = problems.make(name, "")
        retry = "yes" if "Retry-After" in made.headers else ""
        rows.append((f"`{made.type}`", str(status), made.title, retry))
    return _table(("`type`", "`status`", "`title`", "`Retry-After`"), rows)


def limits_table() -> str:
    """Each limit of the gateway and its default."""
    usual = Limits()
    rows = []
    for name in Limits.__slots__:
        value = getattr(usual, name)
        if name.endswith("_bytes"):
            rows.append((f"`{name}`", f"{value // MIB} MiB"))
        elif name == "films_at_once":
            rows.append((f"`{name}`", "4 for each core of the machine"))
        else:
            rows.append((f"`{name}`", f"{value:g}"))
    return _table(("limit", "default"), rows)


def _default(name: str, default: object) -> str:
    if name in {"grpc_max_threads", "rest_api_num_threads"}:
        return "4 for each core"  # the same page on every machine
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default != "" else ""


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def line(row: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"

    return "".join(map(line, [head, ("---",) * len(head), *rows]))


FILES: dict[str, Callable[[], str]] = {
    "errors.md": errors_table,
    "codes.md": codes_table,
    "cautions.md": cautions_table,
    "flags.md": flags_table,
    "refused-flags.md": refused_flags_table,
    "problems.md": problems_table,
    "limits.md": limits_table,
    "house.svg": house_picture.svg,
}
