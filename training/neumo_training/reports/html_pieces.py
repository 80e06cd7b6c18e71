"""Pieces of a self-contained HTML page, for every report; every text is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; white-space: nowrap; font-weight: 600; padding: .3rem 0; }
th, td { padding: .25rem .7rem .25rem 0; text-align: left; border-bottom: 1px solid #ddd;
  vertical-align: top; }
td.number, th.number { text-align: right; }
.scroll { overflow-x: auto; } .scroll td, .scroll tbody th { white-space: nowrap; }
.caution { border-left: 4px solid #b4442c; padding: .4rem .8rem; background: #fbf0ed; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: .8rem 0; break-inside: avoid; } figcaption { font-size: .9rem; color: #444; }
img { max-width: 100%; height: auto; }
@media print { body { max-width: none; margin: 0; font-size: 11px; }
  caption, .scroll td, .scroll tbody th { white-space: normal; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def document(title: str, body: Iterable[str]) -> str:
    """A whole page in English that loads nothing."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def section(title: str, *body: str) -> str:
    """A heading and what is under it."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(body) + "\n</section>"


def paragraph(text: str) -> str:
    """One paragraph of text."""
    return f"<p>{escape(text)}</p>"


def caution(text: str) -> str:
    """A paragraph that must not be overlooked."""
    return f'<p class="caution">{escape(text)}</p>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; each row's first cell is its header."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def plots(*figures: str) -> str:
    """Figures side by side where there is room."""
    return '<div class="plots">\n' + "\n".join(figures) + "\n</div>"


def svg(content: bytes, caption: str) -> str:
    """A plot with its caption; as an image, so that two plots' identifiers cannot meet."""
    return picture("data:image/svg+xml;base64," + base64.b64encode(content).decode(), caption)


def picture(uri: str, caption: str) -> str:
    """A picture given as a data URI, with its caption."""
    text = escape(caption)
    return f'<figure><img src="{escape(uri)}" alt="{text}"><figcaption>{text}</figcaption></figure>'
