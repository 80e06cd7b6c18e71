"""Whether a version's files are those that its manifest names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from neumo.release import manifest as release


def findings(folder: Path, expected: Mapping[str, str]) -> Iterator[str]:
    """What differs between the files below ``folder`` and ``expected``, SHA-256 by path."""
    if not folder.is_dir():
        yield f"{folder} is missing; copy the release again"
        return
    try:
        found = release.sha256_of_files(folder)
    except OSError as error:
        yield f"{folder} cannot be read: {error.strerror}"
        return
    for path in sorted(expected.keys() | found.keys()):
        if path not in found:
            yield f"{path} is missing; copy the release again"
        elif path not in expected:
            yield f"{path} is not in the manifest; a release has no other files"
        elif found[path] != expected[path]:
            yield f"{path} is not the file of the manifest: its SHA-256 is {found[path]}"
