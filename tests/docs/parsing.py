"""Commands that are not run, checked all the same: by their own parser, by files, by names."""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import yaml
from blocks import ROOT

K8S_VERBS = {
    *("apply", "create", "describe", "get", "label", "logs", "port-forward", "rollout", "scale"),
    *("set", "top"),
}
OTHER_PACKAGES = {"jupyterlab"}


class _Parsed(BaseException):
    """The command line was understood."""


def check(command: str) -> None:
    """Raise ``AssertionError`` where ``command`` names what does not exist, or cannot be parsed."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in {"|", "||", "&&", ";", "&", ")", "("}:
            _check_one(words)
            words = []
        else:
            words.append(word)


def _check_one(words: list[str]) -> None:
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return
    program, rest = words[0], words[1:]
    if program in {"python", "python3"} and rest[:2] == ["-m", "pip"]:
        program, rest = "pip", rest[2:]
    assert program in CHECKS, f"no check for {program!r}: {words}"
    CHECKS[program](rest)


def _neumo(rest: list[str]) -> None:
    from neumo.commands import program

    with _only_parsing():
        try:
            status: Any = program.main(rest)
        except _Parsed:
            return
        except SystemExit as end:
            status = end.code
    assert status == 0, f"neumo {shlex.join(rest)} is not understood"


@contextmanager
def _only_parsing() -> Any:
    """Within it, a command that has parsed its command line goes no further."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(self: argparse.ArgumentParser, *args: Any, **named: Any) -> None:
        parse(self, *args, **named)
        raise _Parsed

    argparse.ArgumentParser.parse_args = parse_and_stop  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        argparse.ArgumentParser.parse_args = parse  # type: ignore[method-assign]


def _python(rest: list[str]) -> None:
    if rest[0] == "-m":
        assert rest[1] == "venv", rest
        return
    assert (ROOT / rest[0]).is_file(), f"no file {rest[0]}"


def _pytest(rest: list[str]) -> None:
    for word in rest:
        if word.startswith("tests/"):
            assert (ROOT / word.partition("::")[0]).exists(), f"no file {word}"


def _make(rest: list[str]) -> None:
    done = subprocess.run(
        ["make", "-n", *rest], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _pip(rest: list[str]) -> None:
    assert rest[0] == "install", rest
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for word in rest[1:]:
        if word.startswith("-") or word == ".":
            continue
        name = re.fullmatch(r"(?:(neumo|\.)(?:\[([a-z0-9,]+)\])?|(.*))", word)
        assert name is not None
        if name[3]:
            assert name[3] in OTHER_PACKAGES, word
        for extra in (name[2] or "").split(","):
            assert not extra or extra in project["optional-dependencies"], f"no extra {extra}"


def _docker(rest: list[str]) -> None:
    if rest[0] == "compose":
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
        known = {p for s in compose["services"].values() for p in s.get("profiles", [])}
        for flag, value in itertools.pairwise(rest):
            assert flag != "--profile" or value in known, f"no profile {value}"
        assert {"up", "down", "ps", "logs"} & set(rest), rest
        services = rest[rest.index("logs") + 1 :] if "logs" in rest else []
        for one in services:
            assert one.startswith("-") or one in compose["services"], f"no service {one}"
        return
    assert rest[0] in {"build", "push", "run"}, rest
    if rest[0] == "build":
        assert (ROOT / rest[rest.index("-f") + 1]).is_file(), rest
    assert any("neumo-" in word for word in rest), rest


def _kubectl(rest: list[str]) -> None:
    flags = ("-n", "-k", "-f")
    verbs = [w for i, w in enumerate(rest) if not w.startswith("-") and rest[i - 1] not in flags]
    assert verbs[0] in K8S_VERBS, rest
    for flag, value in itertools.pairwise(rest):
        if flag == "-k":
            assert (ROOT / value / "kustomization.yaml").is_file(), f"no {value}"
        if flag == "-f":
            assert (ROOT / value).is_file(), f"no {value}"
    names = _names()
    for word in verbs[1:]:
        kind, slash, name = word.partition("/")
        if slash and kind in {"deployment", "service", "hpa"}:
            assert name in names, f"no {kind} {name} in k8s"


def _names() -> set[str]:
    """Every name in the manifests."""
    text = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "k8s").rglob("*.yaml"))
    return set(re.findall(r"(?:name: |/metadata/name, value: )([a-z0-9-]+)", text))


def _curl(rest: list[str]) -> None:
    assert any("localhost" in word or "models.example.org" in word for word in rest), rest


def _git(rest: list[str]) -> None:
    assert rest[0] in {"clone", "tag", "push", "log", "mv", "switch"}, rest


def _sphinx(rest: list[str]) -> None:
    assert (ROOT / "docs" / "conf.py").is_file()
    assert "docs" in rest, rest


def _anything(rest: list[str]) -> None:
    """A shell's own, or a program that is everywhere."""


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "neumo": _neumo,
    "python": _python,
    "python3": _python,
    "pytest": _pytest,
    "make": _make,
    "pip": _pip,
    "docker": _docker,
    "kubectl": _kubectl,
    "curl": _curl,
    "git": _git,
    "sphinx-build": _sphinx,
    "cd": _anything,
    "cp": _anything,
    "mv": _anything,
    "du": _anything,
    "export": _anything,
    "source": _anything,
}
