"""A real browser before the gateway's page."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

from support.patience import patience
from support.places import ROOT

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENSHOTS = ROOT / ".cache" / "screenshots"
"""For a person to look at; git ignores it, because films are in it."""

ADULT = Path(str(importlib.util.find_spec("data_store").origin)).parent / "data" / "RG1_UNCR.dcm"  # type: ignore[union-attr]
_PATIENCE_MS = patience(120_000)
_REFUSED_BY_POLICY = re.compile("Content Security Policy|Refused to", re.IGNORECASE)


@dataclass
class Visit:
    """An open page; ``faults`` are what a browser's console would show in red."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def give(self, *films: Path) -> None:
        """Choose ``films`` and wait until each has its answer or its problem."""
        before = self.finished.count()
        self.page.set_input_files("#chooser", films)
        self.wait_for(before + len(films))

    def wait_for(self, count: int) -> None:
        """Wait until ``count`` films of the list are finished."""
        self.finished.nth(count - 1).wait_for()

    @property
    def finished(self) -> Locator:
        """The list's films that have an answer or a problem."""
        return self.page.locator("#films li:is(.PNEUMONIA, .NORMAL, .failed)")

    @property
    def heading(self) -> Locator:
        """The result's verdict, or its problem."""
        return self.page.locator("#result-title")

    @property
    def result(self) -> Locator:
        """The result."""
        return self.page.locator("#result")

    def pixels(self) -> npt.NDArray[np.int64]:
        """What the film's canvas shows: [height, width, 3] of red, green and blue."""
        address: str = self.page.eval_on_selector(".screen > canvas", "c => c.toDataURL()")
        png = base64.b64decode(address.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int64)

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


Opener = Callable[..., Visit]


def visit(browser: Browser, address: str, **context: object) -> Visit:
    """Open ``address`` in a browser of its own, by Playwright's options for a context."""
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(_PATIENCE_MS)
    opened = Visit(page)

    def told(message: ConsoleMessage) -> None:
        if message.type == "error" and _REFUSED_BY_POLICY.search(message.text):
            opened.faults.append(message.text)

    def asked(request: Request) -> None:
        opened.requests.append(request)

    page.on("console", told)
    page.on("pageerror", lambda error: opened.faults.append(str(error)))
    page.on("request", asked)
    page.goto(address)
    page.locator("#service:not(:empty)").wait_for()
    return opened
