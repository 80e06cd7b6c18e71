"""Copy what the server of one release serves: ``python pack.py STORE RELEASE TO``.

It is ``RELEASE`` and the one before it in ``STORE``, with the ``models.config`` of ``RELEASE``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from neumo import release
from neumo.errors import ConfigError

SERVED_FROM = "/models"


def pack(store: Path, number: int, to: Path) -> list[int]:
    """Write the releases that an image of release ``number`` holds into ``to``, and return them.

    Raises ``ConfigError`` where ``store`` has no release ``number``.
    """
    numbers = release.numbers(store)
    if number not in numbers:
        known = ", ".join(map(str, numbers)) or "none"
        raise ConfigError(f"no release {number} in the store, which has {known}")
    chosen = [one for one in numbers if one <= number][-release.SERVED_VERSIONS :]
    (to / release.MANIFEST_FOLDER).mkdir(parents=True)
    for one in chosen:
        path = Path(release.MANIFEST_FOLDER, f"{one}.json")
        manifest = release.read(store / path)
        for model in manifest.models:
            shutil.copytree(store / model / str(one), to / model / str(one), ignore=_clutter)
        shutil.copyfile(store / path, to / path)
    config = release.models_config(manifest, SERVED_FROM)
    (to / release.MODELS_CONFIG).write_text(config, encoding="utf-8")
    return chosen


def _clutter(_: str, names: list[str]) -> list[str]:
    return [name for name in names if release.is_clutter(name)]


def main(argv: list[str]) -> None:
    """Pack what the command line says; a mistake is one line."""
    store, number, to = argv
    if not number.isdecimal():
        sys.exit("which release? docker build --build-arg RELEASE=N")
    try:
        packed = pack(Path(store), int(number), Path(to))
    except ConfigError as error:
        sys.exit(str(error))
    sys.stdout.write(f"packed: {', '.join(map(str, packed))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
