"""Text-format messages in files, as upstream reads them (``model_servers/server.cc``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format

from neumo.errors import ConfigError
from neumo_serving._proto import by_upstreams_names
from neumo_serving.config.flags import Options


def read_flag(options: Options, flag: str, message: Any) -> bool:
    """Read the file that ``flag`` names into ``message``; whether one is named.

    Raises ``ConfigError`` where it cannot be read or parsed.
    """
    if not options[flag]:
        return False
    path = Path(options[flag])
    parse(read(path, flag), message, str(path))
    return True


def read(path: Path, flag: str) -> str:
    """The text of the file at ``path``, which ``flag`` names."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--{flag}={path} cannot be read: {error}") from error


def parse(text: str, message: Any, name: str) -> None:
    """Parse ``text`` into ``message``; ``name`` is what an error calls it."""
    try:
        # Upstream's parser is as strict: a field that it does not know is an error.
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        text = f"Error parsing text-format {message.DESCRIPTOR.full_name}: {name}:{error}"
        raise ConfigError(by_upstreams_names(text)) from error
