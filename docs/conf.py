"""The site's build: `make docs`. Nothing of it asks the network."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

import generated  # noqa: E402 - lies beside this file

import neumo  # noqa: E402

project = "neumo"
author = "the neumo project"
version = release = version_of("neumo")
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
]
exclude_patterns = ["_build", "_generated", "inventories"]
nitpicky = True

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
suppress_warnings: list[str] = []

# Small inventories of the names that the docstrings use: see inventories.py.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", "inventories/python.inv"),
    "numpy": ("https://numpy.org/doc/stable", "inventories/numpy.inv"),
    "pillow": ("https://pillow.readthedocs.io/en/stable", "inventories/pillow.inv"),
    "requests": ("https://requests.readthedocs.io/en/latest", "inventories/requests.inv"),
}
intersphinx_disabled_reftypes = ["std:*"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autoclass_content = "both"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
# Aliases keep their names instead of being spelt out.
autodoc_type_aliases = {
    "Source": "neumo.Source",
    "Progress": "neumo.Progress",
    "Label": "neumo.Label",
    "Transport": "Transport",
}
# Private names in public signatures: readers need not follow them.
nitpick_ignore = [
    ("py:class", "Transport"),  # what FakeTransport is; only tests give one
    ("py:class", "neumo._wire.calls.Call"),  # what FakeTransport's function gets
    (
        "py:class",
        "neumo.contract.Model",
    ),  # what an Ensemble comes to
    ("py:class", "neumo.contract.Signature"),
]

html_theme = "pydata_sphinx_theme"
html_title = "neumo"
html_static_path = ["_static"]
html_css_files = ["neumo.css"]
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
# The whole table of contents beside each page: the site is small enough to be seen at once.
html_sidebars = {"**": ["globaltoc.html"]}
html_theme_options: dict[str, Any] = {
    "logo": {"text": "neumo"},
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_center": [],
    "collapse_navigation": False,
    "navigation_with_keys": False,
}
copyright = "the neumo project. A research tool, not a medical device."  # noqa: A001 - Sphinx's name

# `sphinx-build -b linkcheck docs dist/linkcheck` asks the network, so `make docs` leaves it out:
# links within the site are checked by the build and by tests/docs.
linkcheck_ignore = [
    r"https?://localhost",
    r"https?://127\.0\.0\.1",
    r"https?://[a-z.]*example\.org",
    r"https://doi\.org",  # publishers refuse programs
]


def setup(app: Any) -> None:  # noqa: ANN401 - Sphinx's application; not imported for a type alone
    """Write what is made of the code, and tell readers' browsers which pages are Spanish."""
    generated.write(DOCS / "_generated")
    app.connect("html-page-context", _language)
    app.connect("missing-reference", _public_name)
    app.connect("autodoc-process-signature", _short)


def _short(*event: Any) -> tuple[str | None, str | None]:  # noqa: ANN401
    """A signature as the code writes it: aliases by their names, arrays without their shapes."""

    def short(text: str | None) -> str | None:
        if text is None:
            return None
        text = re.sub(r"~?(?:\w+\.)*TypeAliasForwardRef\('([\w.]+)'\)", r"\1", text)
        array = r"~?numpy\.ndarray\[tuple\[[^\]]*\], ~?numpy\.dtype\[~?(numpy\.\w+)\]\]"
        return re.sub(array, r"numpy.typing.NDArray[\1]", text)

    return short(event[-2]), short(event[-1])


def _language(_app: Any, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:  # noqa: ANN401
    if page.startswith("es/"):
        context["language"] = "es"


def _public_name(app: Any, env: Any, node: Any, content: Any) -> Any:  # noqa: ANN401
    """A class by the module that defines it, or by its bare name: pages show ``neumo.NAME``."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in neumo.__all__:
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node.get("refdoc", ""), app.builder, "obj", f"neumo.{name}", node, content
    )
