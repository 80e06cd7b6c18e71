"""What TensorFlow Serving answers, row by row, with the upstream file that says so.

``pytest tests/serving/test_conformance.py --server HOST:PORT --rest HOST:PORT`` judges any server
over the models that ``python tests/store.py`` writes.
"""

from __future__ import annotations

import pytest

from support.conformance import (
    rows_examples,
    rows_methods,
    rows_models,
    rows_monitoring,
    rows_predict,
    rows_refusals,
    rows_rest_examples,
    rows_rest_models,
    rows_rest_predict,
    rows_rest_refusals,
    rows_rest_text,
    rows_rest_values,
    rows_threads,
    rows_upstream,
)
from support.conformance.row_judge import judge

GRPC = [
    *rows_predict.ROWS,
    *rows_refusals.ROWS,
    *rows_models.ROWS,
    *rows_examples.ROWS,
    *rows_methods.GRPC,
    *rows_threads.GRPC,
    *rows_upstream.GRPC,
]
REST = [
    *rows_rest_predict.ROWS,
    *rows_rest_refusals.ROWS,
    *rows_rest_text.ROWS,
    *rows_rest_values.ROWS,
    *rows_rest_models.ROWS,
    *rows_rest_examples.ROWS,
    *rows_monitoring.ROWS,
    *rows_methods.REST,
    *rows_upstream.REST,
]


def _named(rows):
    return [pytest.param(row, id=row.id) for row in rows]


def _ask(row, judged, request):
    if row.source.startswith("ours:") and request.config.option.server:
        pytest.skip(f"{row.source}: the original is not judged by it")
    judge(row, judged(row.server))


@pytest.mark.parametrize("row", _named(GRPC))
def test_grpc(row, judged, request):
    """A call is answered or refused as the row says."""
    _ask(row, judged, request)


@pytest.mark.parametrize("row", _named(rows_threads.CROWDS))
def test_grpc_calls_at_once(row, judged, request):
    """So many calls are answered as the row says, and the others refused."""
    _ask(row, judged, request)


@pytest.mark.parametrize("row", _named(REST))
def test_rest(row, judged, request):
    """A request is answered or refused as the row says."""
    _ask(row, judged, request)


@pytest.mark.parametrize("rows", [[*GRPC, *rows_threads.CROWDS], REST], ids=["gRPC", "REST"])
def test_every_row_says_one_thing_of_its_own_and_where_it_is_from(rows):
    """Identifiers are unique, and a source is a file or says that it is ours."""
    assert len({row.id for row in rows}) == len(rows)
    for row in rows:
        assert row.source.startswith("ours: ") or row.source.endswith((".cc", ".py", ".json")), (
            row.id
        )
