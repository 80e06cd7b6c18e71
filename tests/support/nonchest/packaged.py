"""Pictures that packages ship: Debian's, scikit-image's, pydicom-data's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support.nonchest.pictures import Picture

DEBIAN = {
    "desktop-base": 30,
    "gnome-backgrounds": 30,
    "lomiri-wallpapers": 20,
    "mate-backgrounds": 40,
    "openclipart-png": 100,
    "tuxpaint-stamps-default": 120,
    "ukui-wallpapers": 20,
    "xfdesktop4-data": 10,
}
"""Packages and how many of each one's pictures are taken at most, evenly through their names."""
DEBIAN_FONTS = "fonts-liberation"
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".bmp"})
SMALLEST_BYTES = 8_000
"""Smaller files are icons."""
CHEST_FILMS = frozenset({"RG1_J2KI.dcm", "RG1_J2KR.dcm", "RG1_UNCI.dcm", "RG1_UNCR.dcm"})
"""pydicom-data's chest radiographs: one adult's, in four compressions. Its others are CT, MR,
ultrasound, a shin bone, a bone scan, test patterns, a segmentation and a face."""


def debian_package(name: str, cache: Path) -> Path:
    """The unpacked package; nothing is installed. Raises ``OSError`` where it cannot be had."""
    folder = cache / name
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _quietly(["apt-get", "download", name], cache)
        archive = sorted(cache.glob(f"{name}_*.deb"))[-1]
        _quietly(["dpkg-deb", "-x", archive.name, f"{name}.part"], cache)
        (cache / f"{name}.part").rename(folder)
        archive.unlink()
    return folder


def debian(name: str, cache: Path) -> Iterator[Picture]:
    """Some of the pictures of one of ``DEBIAN``."""
    return _some(debian_package(name, cache), name, DEBIAN[name])


def scikit_image(cache: Path) -> Iterator[Picture]:
    """The pictures in scikit-image's wheel, which is unpacked beside ``cache``, not installed."""
    folder = cache / "scikit-image"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
        cache.mkdir(parents=True, exist_ok=True)
        _quietly([*command, "--no-deps", "--target", str(part.absolute()), "scikit-image"], cache)
        part.rename(folder)
    return _some(folder / "skimage" / "data", "scikit-image", 1000)


def pydicom_data(*, chest: bool) -> Iterator[Picture]:
    """Its chest films, or all that are none; raises ``OSError`` where it is not installed."""
    found = importlib.util.find_spec("data_store")
    if found is None or found.origin is None:
        raise FileNotFoundError("pydicom-data is not installed")
    for path in sorted((Path(found.origin).parent / "data").glob("*.dcm")):
        if (path.name in CHEST_FILMS) == chest:
            yield Picture(path.stem, path)


def _some(folder: Path, kind: str, count: int) -> Iterator[Picture]:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink()
        if path.stat().st_size >= SMALLEST_BYTES
    )
    step = max(1.0, len(paths) / count)
    for k in range(min(count, len(paths))):
        yield Picture(kind, paths[int(k * step)])


def _quietly(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "it says nothing").splitlines()[-1]
        raise OSError(f"{' '.join(command[:2])} failed: {last}")
