"""What every page of a report keeps to: no text becomes markup, no name is silently empty."""

import re

import jinja2
import pytest

from neumo_training.reports import html_page
from neumo_training.reports.html_page import Table

HOSTILE = "<script>alert('x')</script> & \"y\""


def values(**others):
    """All that the exploration's template names, each text of it hostile."""
    table = Table(HOSTILE, (HOSTILE, "films"), [(HOSTILE, 12345)])
    plot = {"uri": HOSTILE, "caption": HOSTILE}
    return {
        "title": HOSTILE,
        "notice": HOSTILE,
        "document": {"patients_with_both_types": HOSTILE, "committed_splits": True},
        "classes": table,
        "types": table,
        "per_patient": HOSTILE,
        "told": [HOSTILE],
        "policies": [{"name": HOSTILE, "steps": table, "plot": HOSTILE}],
        "parts": {"table": table, "plot": HOSTILE},
        "sizes": [{"whose": HOSTILE, "table": table, "plots": [plot]}],
        "intensities": {"table": table, "plots": [plot]},
        **others,
    }


def test_no_text_becomes_markup():
    """Neither between tags nor within an attribute."""
    page = html_page.render("exploration.html", **values())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'="[^"]*[<>]', page)


def test_a_whole_number_has_commas_and_stands_to_the_right():
    """A column of texts does neither."""
    page = html_page.render("exploration.html", **values())
    assert '<td class="number">12,345</td>' in page
    assert '<th class="number">films</th>' in page


def test_a_name_that_is_missing_is_an_error():
    """Not an empty place in a report."""
    lacking = values()
    del lacking["told"]
    with pytest.raises(jinja2.UndefinedError, match="'told' is undefined"):
        html_page.render("exploration.html", **lacking)
