"""A file of bearer tokens, one a line."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from neumo.errors import ConfigError

LEAST_LETTERS = 16
"""A shorter token could be guessed."""


def read(file: Path) -> tuple[bytes, ...]:
    """The digests of the tokens in ``file``; raises ``ConfigError`` for what cannot be."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {file}: cannot be read ({error})") from error
    found = digests(text, f"--token-file {file}")
    if not found:
        raise ConfigError(f"--token-file {file}: no token in it: write one a line")
    return found


def digests(text: str, source: str) -> tuple[bytes, ...]:
    """Those of the tokens in ``text``, one a line; raises ``ConfigError`` where one is short."""
    # Several may hold at a time: a new one is added before the old one is taken away.
    tokens = [line.strip() for line in text.splitlines() if line.strip()]
    if any(len(token) < LEAST_LETTERS for token in tokens):
        text = f"a token has fewer than {LEAST_LETTERS} letters: make one by openssl rand -hex 32"
        raise ConfigError(f"{source}: {text}")
    # Only digests are kept: neither a dump nor a log can give a token away.
    return tuple(sha256(token.encode()).digest() for token in tokens)


def stamp(file: Path | None) -> tuple[int, int, int] | None:
    """What changes when the file does; Kubernetes exchanges a link, so it is followed."""
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
