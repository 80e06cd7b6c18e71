"""The OpenAPI document as a page that needs no script, and nothing from elsewhere. Pure.

By hand, as FastAPI's own page loads its script and styles from elsewhere; all that is put in is
escaped.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

EXAMPLE = "curl -F films=@scan.jpeg THIS-ADDRESS/v1/predictions"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid; }
code, pre { font: 0.9em/1.4 ui-monospace, monospace; }
h1, h2, h3, td, code { overflow-wrap: anywhere; }
pre { overflow-x: auto; border: 1px solid; padding: 0.75rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0; }
"""


def page(document: dict[str, Any]) -> str:
    """The page about ``document``."""
    info = document["info"]
    operations = [
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    shapes = [_shape(name, shape) for name, shape in document["components"]["schemas"].items()]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{title}: API</title><link rel="stylesheet" href="/docs.css"></head><body>',
            f"<main><h1>{title}: API</h1><p>{escape(info['description'])}</p>",
            '<p><a href="/openapi.json">openapi.json</a> is the same for programs.</p>',
            f"<p>For example:</p><pre>{escape(EXAMPLE)}</pre>",
            *operations,
            "<h2>Shapes</h2>",
            *shapes,
            "</main></body></html>",
        ]
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody")
    lines = [
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description') or operation['summary'])}</p>",
    ]
    if body:
        kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in body["content"])
        lines.append(f"<p>{escape(body['description'])} As {kinds}.</p>")
    rows = [_answer(status, answer) for status, answer in operation["responses"].items()]
    head = "<tr><th>Status</th><th>Answer</th><th>Content</th></tr>"
    return "\n".join([*lines, f"<table>{head}", *rows, "</table>"])


def _answer(status: str, answer: dict[str, Any]) -> str:
    told = ", ".join(
        f"{escape(kind)} {_link(content.get('schema', {}))}"
        for kind, content in answer.get("content", {}).items()
    )
    return (
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td><td>{told}</td></tr>"
    )


def _link(schema: dict[str, Any]) -> str:
    name = escape(schema.get("$ref", "").rpartition("/")[2])
    return f'<a href="#{name}">{name}</a>' if name else ""


def _shape(name: str, shape: dict[str, Any]) -> str:
    text = escape(json.dumps(shape, indent=1))
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><pre>{text}</pre>'
