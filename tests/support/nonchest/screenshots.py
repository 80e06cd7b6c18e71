"""What a headless Chromium shows of pages of many kinds, and of neumo's own."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image
from playwright.sync_api import Error, sync_playwright

from support.browser import CHROMIUM, FLAGS
from support.gateway_process import gateway
from support.nonchest.pictures import Picture

NOBODY = "grpc://127.0.0.1:1"
"""Where no server answers: neumo's page opens without one."""
WINDOWS_PX = ((1280, 800), (1920, 1080), (412, 915))
_STYLE = """
:root { color-scheme: light dark } body { font: 16px sans-serif; margin: 1.5em }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } }
.row { display: flex; gap: 1em; flex-wrap: wrap } .card { flex: 1 1 10em; padding: 1em;
border: 1px solid #888; border-radius: 8px; min-height: 7em } td, th { padding: .3em 1em;
border-bottom: 1px solid #888 } .dark { background: #000; color: #9c9; height: 38em }
.pane { flex: 1; background: linear-gradient(#333, #777, #222); border: 2px solid #555 }
.photo { height: 12em; flex: 1 1 12em;
background: radial-gradient(circle at 30% 30%, #ffd, #36a, #012) }
.day { height: 6em; border: 1px solid #888 }
.grid { display: grid; grid-template-columns: repeat(7, 1fr) }
.bubble { width: 60%; border-radius: 1em; padding: .7em; margin: .6em; background: #6af6 }
.bubble:nth-child(2n) { margin-left: 35% } .middle { max-width: 20em; margin: 18vh auto }
"""
_WORDS = "the patient came in spring and left before summer, as the record of that year says. "


def _many(piece: str, count: int) -> str:
    """``piece`` repeated, with its number at every ``#``."""
    return "".join(piece.replace("#", str(number)) for number in range(1, count + 1))


def _in(style: str, content: str) -> str:
    return f"<div class='{style}'>{content}</div>"


PAGES = {
    "article": "<h1>On records</h1>" + _many(f"<p>#. {_WORDS * 4}</p>", 9),
    "table": f"<table>{_many('<tr><td>#<td>#.5 mg<td>bed #<td>seen</tr>', 60)}</table>",
    "form": _many("<p><label>Field # <input value=#></label>", 14) + "<button>Save</button>",
    "tiles": _in("row", _many(_in("card", "<h3>#</h3>a day"), 24)),
    "code": _in(
        "dark", f"<pre>{_many(f'#  def step_#(value): return value + #{chr(10)}', 60)}</pre>"
    ),
    "viewer": _in("row dark", _many("Study #<br>", 3) + _in("pane", "") * 2),
    "empty viewer": _in("dark", "Patient: -<br>Study: -<br>W 400 L 40"),
    "photographs": _in("row", _in("photo", "") * 15),
    "calendar": "<h2>May</h2>" + _in("grid", _many(_in("day", "#"), 35)),
    "chat": _many(_in("bubble", _WORDS), 10),
    "sign in": _in(
        "middle", "<h2>Sign in</h2><input><p><input type=password><p><button>Go</button>"
    ),
    "drawing": (
        "<svg viewBox='0 0 100 60' width='95%'><circle cx=30 cy=30 r=20 fill='#888' />"
        "<rect x=55 y=10 width=30 height=40 fill='#46a' />"
        "<path d='M5 55 Q 50 0 95 55' stroke='#a40' fill=none /></svg>"
    ),
}


def take() -> Iterator[Picture]:
    """Each page in each window, light and dark; raises ``OSError`` where there is no Chromium."""
    if not CHROMIUM.exists():
        raise FileNotFoundError(f"no {CHROMIUM}")
    try:
        yield from _shots()
    except Error as error:
        raise OSError(f"Chromium failed: {error.message.splitlines()[0]}") from error


def _shots() -> Iterator[Picture]:
    with sync_playwright() as playwright, gateway(NOBODY) as web:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for width, height in WINDOWS_PX:
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                for kind, body in PAGES.items():
                    page.set_content(f"<style>{_STYLE}</style>{body}")
                    yield Picture(kind, Image.open(io.BytesIO(page.screenshot())))
                for address in ("/", "/docs"):
                    page.goto(web.url + address)
                    yield Picture(f"neumo web {address}", Image.open(io.BytesIO(page.screenshot())))
                page.close()
        browser.close()
