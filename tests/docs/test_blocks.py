"""Every command and every Python block of the site, the README and CONTRIBUTING."""

from __future__ import annotations

import pytest
from blocks import DIRECTIVES, RUN, SHOWN, Block, blocks, commands, pages

IDS = [f"{page.parent.name}/{page.name}" for page in pages()]


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=IDS)
def test_what_a_page_says_to_do_works(page, request):
    """The blocks of a page run one after the other, as a reader would run them."""
    todo = [block for block in blocks(page) if block.language in RUN]
    stage = request.getfixturevalue("stage" if _runs(todo) else "bare_stage")
    for block in todo:
        stage.play(block)


@pytest.mark.parametrize("page", pages(), ids=IDS)
def test_no_block_is_passed_over(page):
    """Each block is run, or parsed for a reason that is told, or data without a command."""
    for block in blocks(page):
        language = block.language.strip("{}")
        if block.language.startswith("{"):
            assert language in DIRECTIVES, f"{block.place}: {block.language}"
        else:
            assert language in (*RUN, *SHOWN), f"{block.place}: {block.language or 'no language'}"
        if block.mark == "parsed":
            assert block.language in RUN, f"{block.place}: data is not parsed"
            assert len(block.about.split()) >= 3, f"{block.place}: no reason why it is not run"
        if block.language in {"console", "sh"}:
            assert commands(block), f"{block.place}: no command"
        if language in SHOWN and block.mark != "file":
            first = [line.split(" ")[0] for line in block.text.split("\n")]
            told = {"$", "neumo", "docker", "kubectl", "pip", "make", "import", ">>>"}
            assert not told & set(first), f"{block.place}: a command in a block of data"


FALSE = {
    "Python that fails": ("python", "assert 1 == 2\n", ""),
    "a doctest": ("pycon", ">>> 1 + 1\n3\n", ""),
    "a command that fails": ("console", "$ false\n", ""),
    "other output": ("console", "$ echo one\ntwo\n", ""),
    "no such option": ("console", "$ neumo predict --nosuch a.png\n", "parsed"),
    "no such command": ("console", "$ neumo nosuch\n", "parsed"),
    "no such target": ("console", "$ make nosuch\n", "parsed"),
    "no such file": ("console", "$ kubectl apply -k k8s/overlays/nosuch\n", "parsed"),
    "no such Deployment": ("console", "$ kubectl rollout status deployment/nosuch\n", "parsed"),
    "no such extra": ("console", "$ pip install 'neumo[nosuch]'\n", "parsed"),
    "no such profile": ("console", "$ docker compose --profile nosuch up\n", "parsed"),
    "no such program": ("console", "$ nosuch\n", "parsed"),
    "not Python": ("python", "def\n", "parsed"),
}


@pytest.mark.parametrize("case", FALSE)
def test_what_is_wrong_in_a_block_is_found(case, bare_stage):
    """Running and parsing find what a page must not say."""
    language, text, mark = FALSE[case]
    block = Block("page.md", 1, language, text, mark, "it is wrong here" if mark else "")
    with pytest.raises((AssertionError, SyntaxError)):
        bare_stage.play(block)


def _runs(todo):
    return any(block.mark != "parsed" for block in todo)
