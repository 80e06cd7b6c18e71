"""Make the site's screenshots: the real page, before the real release, with drawn films alone.

``python docs/screenshots.py`` starts ``neumo serve`` and ``neumo web``, drives Chromium
(``apt-get install chromium fonts-dejavu-core``), and writes ``docs/_static/page-*.png``. No film of
a patient comes near it: it takes no file, it draws its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from neumo.embedded import EmbeddedServer
from neumo.release import phantom

OUT = Path(__file__).parent / "_static"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
SIZE = {"width": 1180, "height": 900}
SEEDS = {"es": ("dibujada", (3, 114)), "en": ("drawn", (3, 114))}
"""By language: the films' name, and what they are drawn from. On 114 the members disagree."""


def draw(folder: Path, name: str, seeds: tuple[int, ...]) -> list[Path]:
    """Files of drawn films, the size of a film that was made smaller."""
    films = [folder / f"{name}-{seed}.png" for seed in seeds]
    for film, seed in zip(films, seeds, strict=True):
        pixels = phantom.chests(seed, 1)[0, :, :, 0]
        Image.fromarray(pixels).resize((900, 1000)).save(film)
    return films


@contextmanager
def gateway(server: str) -> Iterator[str]:
    """The address of ``neumo web`` before ``server``, as a user runs it."""
    command = [sys.executable, "-m", "neumo.commands.program", "web", "--server", server]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            line = next(line for line in process.stdout or () if "ready: http://" in line)
            yield line.rpartition("ready: ")[2].strip()
        finally:
            process.kill()


def shoot(browser: Browser, address: str, language: str, films: list[Path]) -> Path:
    """The whole page in ``language`` once every film is answered, smaller, and of 80 colours."""
    page = browser.new_context(locale=language, viewport=SIZE).new_page()  # type: ignore[arg-type]
    page.goto(address)
    page.locator("#service:not(:empty)").wait_for()
    page.set_input_files("#chooser", films)
    page.locator("#films li:is(.PNEUMONIA, .NORMAL)").nth(len(films) - 1).wait_for()
    page.locator("#films li button").nth(0).wait_for()
    page.wait_for_timeout(500)
    path = OUT / f"page-{language}.png"
    page.screenshot(path=path, full_page=True)
    with Image.open(path) as picture:
        size = (picture.width * 3 // 4, picture.height * 3 // 4)
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        small = small.quantize(80, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    return path


def main() -> None:
    """Make them all, and say how large they are."""
    with (
        EmbeddedServer() as server,
        gateway(server.grpc_url) as address,
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language, (name, seeds) in SEEDS.items():
            path = shoot(browser, address, language, draw(Path(folder), name, seeds))
            sys.stdout.write(f"{path}: {path.stat().st_size // 1000} kB\n")
        browser.close()


if __name__ == "__main__":
    main()
