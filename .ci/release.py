"""Release neumo: ``make release VERSION=0.2.0`` on a clean main.

Writes the version into every file that must name it and the changelog's heading, runs all tests
(the wheel on the oldest and newest Python among them), builds the wheel, commits and tags. Nothing
is pushed or published: the last lines say what to do.
"""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
SOURCE = ROOT / "pyproject.toml"

PLACES = {
    "pyproject.toml": r'(?m)^version = "{}"$',
    "docker-compose.yml": r"image: neumo-(?:embedded|gateway):{}$",
    "k8s/overlays/local/kustomization.yaml": r"newTag: {}$",
    "k8s/overlays/production/kustomization.yaml": r"newTag: {}$",
    "serving/embedded.Dockerfile": r"ARG VERSION={}$",
    "serving/gateway.Dockerfile": r"ARG VERSION={}$",
    "tests/images/standin/Dockerfile": r"ARG EMBEDDED=neumo-embedded:{}$",
}
"""Where the version stands: pyproject's is the one, the others are files that read no variable."""


def version() -> str:
    """The version in ``pyproject.toml``."""
    (found,) = re.findall(r'(?m)^version = "(.+)"$', SOURCE.read_text(encoding="utf-8"))
    return str(found)


def places_of(number: str) -> dict[str, int]:
    """How often each of the files names ``number`` where it names a version."""
    return {
        name: len(_pattern(name, number).findall((ROOT / name).read_text(encoding="utf-8")))
        for name in PLACES
    }


def write(old: str, new: str) -> None:
    """Put ``new`` where ``old`` stands."""
    for name in PLACES:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        path.write_text(
            _pattern(name, old).sub(lambda found: found[0].replace(old, new), text),
            encoding="utf-8",
        )


def dated(text: str, number: str, day: datetime.date) -> str:
    """The changelog ``text`` with the heading of ``number`` dated; ``ValueError`` without one."""
    heading = f"## {number} (unreleased)"
    if heading not in text:
        raise ValueError(f"CHANGELOG.md has no heading {heading!r}: write what users notice first")
    return text.replace(heading, f"## {number} ({day.isoformat()})")


def main(arguments: list[str]) -> int:
    """Release the version in ``arguments``; the exit status."""
    if len(arguments) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+", arguments[0]):
        return _refuse("give the version: make release VERSION=0.2.0")
    number = arguments[0]
    if _git("status", "--porcelain"):
        return _refuse("there are uncommitted changes: commit them first")
    if _git("tag", "--list", f"v{number}"):
        return _refuse(f"v{number} is tagged already: take the next number")
    try:
        changelog = dated(CHANGELOG.read_text(encoding="utf-8"), number, _today())
    except ValueError as error:
        return _refuse(str(error))
    CHANGELOG.write_text(changelog, encoding="utf-8")
    write(version(), number)
    for target in ("test", "wheel"):
        if subprocess.run(["make", target], cwd=ROOT, check=False).returncode:
            return _refuse(f"make {target} failed; `git checkout .` takes the version back")
    _git("commit", "--all", "--quiet", "--message", f"neumo {number}")
    _git("tag", "--annotate", f"v{number}", "--message", f"neumo {number}")
    print(f"v{number} is committed and tagged; its wheel is in dist/.")
    print("To publish: git push --follow-tags, then: uv publish dist/*")
    return 0


def _pattern(name: str, number: str) -> re.Pattern[str]:
    return re.compile(PLACES[name].format(re.escape(number)), re.MULTILINE)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _refuse(text: str) -> int:
    print(f"make release: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
