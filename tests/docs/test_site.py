"""The site is built, offline and without a warning; no link in it leads nowhere."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from blocks import DOCS, ROOT, blocks

import neumo

REFERENCE = DOCS / "sdk" / "reference.md"
RULES = ROOT / "k8s" / "components" / "monitoring" / "prometheusrule.yaml"
MAX_PNG_BYTES = 150_000


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := named.get(name))}
        self.links += [value for name in ("href", "src") if (value := named.get(name))]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "-E", "--keep-going"]
    done = subprocess.run(
        [*command, "-d", out / "doctrees", DOCS, out / "html"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


def test_no_link_leads_nowhere(site):
    """Each link within the site names a page that is there, and an anchor that is on it."""
    pages = {path: _read(path) for path in _pages(site)}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].anchors if target in pages else set()
            if not target.is_file() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in known
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


def test_the_page_asks_nobody(site):
    """No page of the site loads anything from elsewhere: it reads offline."""
    for path in _pages(site):
        loaded = re.findall(
            r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?://[^"]+)"',
            path.read_text(encoding="utf-8"),
        )
        assert not loaded, f"{path.relative_to(site)} loads {loaded}"


@pytest.mark.parametrize("name", neumo.__all__)
def test_each_public_name_has_its_example(name):
    """The reference has a section for each name of ``neumo``, with its docstring and an example."""
    text = REFERENCE.read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert section, f"no section {name}"
    assert re.search(rf"^\.\. auto\w+:: neumo\.{name}$", section[1], re.MULTILINE)
    examples = re.findall(r"^```(?:python|pycon)\n(.*?)^```", section[1], re.DOTALL | re.MULTILINE)
    assert any(re.search(rf"\b{name}\b", example) for example in examples), f"no example of {name}"


@pytest.mark.parametrize("method", ["__init__", "predict_many"])
def test_the_tables_of_arguments_are_the_signatures(method):
    """The reference's tables name each argument, with its default, in order."""
    text = REFERENCE.read_text(encoding="utf-8")
    title = {"__init__": "Client", "predict_many": "predict_many"}[method]
    table = re.search(rf"\*\*Arguments of `{title}`\*\*\n\n((?:\|.*\n)+)", text)
    assert table
    rows = [
        [c.strip().strip("`") for c in row.split("|")[1:3]] for row in table[1].split("\n")[2:-1]
    ]
    signature = inspect.signature(getattr(neumo.Client, method))
    expected = [
        [one.name, "" if one.default is one.empty else repr(one.default)]
        for one in signature.parameters.values()
        if one.name != "self"
    ]
    assert rows == expected


def test_each_alert_has_a_runbook():
    """The runbooks are those of the alerts, each with something to run."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    alerts = [rule["alert"] for group in rules["spec"]["groups"] for rule in group["rules"]]
    text = (DOCS / "runbooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (Neumo\w+)$", text, re.MULTILINE) == alerts
    for alert in alerts:
        section = text.partition(f"## {alert}\n")[2].partition("\n## ")[0]
        assert "```console" in section, f"nothing to run for {alert}"


def test_the_five_questions_are_answered_by_files_that_exist():
    """The architecture page names paths, and each is there."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Five questions")[2].partition("\n## ")[0]
    rows = [line for line in section.split("\n") if line.startswith("| Where")]
    assert len(rows) == 5
    for row in rows:
        paths = re.findall(r"`([a-z0-9_]+/[^`]+)`", row)
        assert paths, row
        for path in paths:
            assert (ROOT / path).exists(), f"no {path}"


def test_files_that_the_pages_name_exist():
    """A path in a text, of a folder of this repository, is a file or a folder of it."""
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md"]:
        if "_generated" in page.parts:
            continue
        text = page.read_text(encoding="utf-8")
        for path in re.findall(r"`((?:client|serving|training|k8s|tests|docs)/[\w./-]+)`", text):
            if not path.endswith("/N.json"):  # any release's
                assert (ROOT / path).exists(), f"{page.relative_to(ROOT)}: no {path}"


def test_pictures_are_small_and_seen_by_all():
    """A screenshot is below 150 kB, is on a page, and has words for who cannot see it."""
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for picture in (DOCS / "_static").glob("*.png"):
        assert picture.stat().st_size < MAX_PNG_BYTES
        assert re.search(rf"!\[[^\]]{{20,}}\]\([^)]*{picture.name}\)", text), picture.name


def test_the_committed_inventories_are_what_the_script_writes():
    """``python docs/inventories.py`` changes nothing."""
    sys.path.insert(0, str(DOCS))
    import inventories

    for project in inventories.INVENTORIES:
        written = (inventories.FOLDER / f"{project}.inv").read_bytes()
        assert written == inventories.inventory(project)


def test_the_readme_is_short():
    """At most 120 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_links_of_the_readme_lead_somewhere():
    """They are files of this repository: the site's build does not see them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(links) > 15
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_measurements_tell_how():
    """Each row of the measurements has its command."""
    text = (DOCS / "measurements.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("\n") if line.startswith("| ") and "---" not in line]
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 3, row
        assert cells[2] == "by" or "`" in cells[2] or cells[2].startswith("the same"), row


def test_the_spanish_guide_quotes_the_page():
    """What it says that the page says, the page says."""
    page = ROOT / "serving" / "neumo_serving" / "gateway" / "page" / "es.json"
    words = set(json.loads(page.read_text(encoding="utf-8")).values())
    quoted = re.findall(
        "«(.+?)»", (DOCS / "es" / "guia-del-operador.md").read_text(encoding="utf-8")
    )
    assert len(quoted) > 5
    assert not set(quoted) - words


def test_the_spanish_pages_say_that_they_are(site):
    """Browsers and screen readers are told the language."""
    for path in _pages(site):
        language = "es" if path.parent.name == "es" else "en"
        assert f'<html lang="{language}"' in path.read_text(encoding="utf-8")


def test_blocks_are_found():
    """The pages have blocks at all: a collector that finds none would let everything pass."""
    assert sum(len(blocks(page)) for page in DOCS.rglob("*.md")) > 50


def _pages(site: Path) -> list[Path]:
    """The site's pages, without the templates that the theme leaves beside its styles."""
    return [path for path in site.rglob("*.html") if "_static" not in path.parts]


def _read(path: Path) -> _Links:
    parser = _Links()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser
