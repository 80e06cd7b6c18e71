"""Large lists of numbers over REST: read quickly, and as ``json`` reads them."""

from __future__ import annotations

import json
import os
import random

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from neumo._wire.json_numbers import to_json
from neumo_serving.request_faults import Fault
from neumo_serving.rest_api import number_lists, predict_json
from neumo_serving.rest_api.number_lists import Numbers
from neumo_serving.rest_api.predict_json import Document

ROUNDS = int(os.environ.get("NUMERALS_ROUNDS", "40"))
DTYPES = ["FLOAT", "DOUBLE", "UINT8", "INT8", "INT32", "INT64", "UINT64", "STRING", "BOOL"]


def seeded(seed):
    """Chance that is the same in every run."""
    return random.Random(seed)


def signature(dtype, names=("x",)):
    """A signature whose inputs all have this dtype."""
    made = meta_graph_pb2.SignatureDef()
    for name in names:
        made.inputs[name].dtype = types_pb2.DataType.Value(f"DT_{dtype}")
    return {"serving_default": made}


def outcome(loads, body, signatures):
    """The arrays that a request is read as, or what it is refused with."""
    try:
        document = Document("", loads(body))
        arrays = predict_json.inputs(document, signatures).arrays
    except (Fault, ValueError) as error:
        return type(error).__name__, str(error)
    return {name: (str(array.dtype), array.tolist()) for name, array in arrays.items()}


def check(body, dtype, names=("x",)):
    """The quick way and the slow one give the same."""
    signatures = signature(dtype, names)
    assert outcome(number_lists.loads, body, signatures) == outcome(json.loads, body, signatures)


def number(chance):
    """A number as JSON may hold it."""
    kind = chance.random()
    if kind < 0.9:
        return str(chance.randrange(256))
    if kind < 0.97:
        return str(chance.choice([-1, 1]) * chance.randrange(10 ** chance.randrange(1, 21)))
    return chance.choice(["-0", "1.5", "1e3", "-2.5E-3", "0.1", "1e999", "16777217", "1e39"])


def listed(chance, shape, make):
    """Nested lists, with blanks here and there."""
    if not shape:
        return make(chance)
    blank = chance.choice(["", "", " ", "\n", "\t "])
    parts = [listed(chance, shape[1:], make) for _ in range(shape[0])]
    return f"[{blank}{f',{blank}'.join(parts)}{blank}]"


def broken(chance, text):
    """The text with one character changed, dropped or added."""
    place = chance.randrange(len(text))
    character = chance.choice('0123456789-+.eE[],{}" \n\\x')
    kept = chance.choice([0, 1])
    return text[:place] + chance.choice([character, ""]) + text[place + kept :]


@pytest.mark.parametrize("dtype", DTYPES)
def test_lists_of_numbers_are_read_as_json_reads_them(dtype):
    """Values, shapes and errors are the same, however the numbers are written."""
    chance = seeded(dtype)
    for _ in range(ROUNDS):
        rank = chance.randrange(1, 5)
        shape = [chance.choice([1, 2, 3, 7]) for _ in range(rank - 1)]
        shape.insert(chance.randrange(rank), 1 + 2000 // max(1, int(np.prod(shape))))
        plain = chance.random() < 0.5
        make = (lambda c: str(c.randrange(128))) if plain else number
        text = listed(chance, shape, make)
        form = chance.choice(['{"inputs":%s}', '{"inputs": {"x": %s}}', '{"instances": %s}'])
        check((form % text).encode(), dtype)
        check(broken(chance, form % text).encode(), dtype)


def test_rows_of_named_lists_are_read_as_json_reads_them():
    """Each row has its own lists; rows of unequal size are refused alike."""
    chance = seeded(0)
    for sizes in ([(3, 400)] * 3, [(3, 400), (3, 401)], [(3, 400), (400, 3)]):
        rows = [
            f'{{"x": {listed(chance, size, number)}, "y": {listed(chance, (600,), number)}}}'
            for size in sizes
        ]
        check(f'{{"instances": [{", ".join(rows)}]}}'.encode(), "DOUBLE", ("x", "y"))


@pytest.mark.parametrize(
    "form",
    [
        '{"signature_name": "%s", "inputs": %s}',
        '{"note": "%s", "inputs": {"x": %s}}',
        '{"note": "a \\" b", "other": "%s", "inputs": %s}',
        '{"other": %s, "inputs": %s}',
        '{"inputs": %s, "inputs": %s}',
        '{"inputs": %s, "instances": %s}',
        '{"inputs": {"x": [%s, %s]}}',
        '{"inputs": {"x": {"y": %s}, "z": %s}}',
        '{"inputs": {"x": %s} "z": %s}',
        "[%s, %s]",
    ],
)
def test_lists_in_unusual_places_are_left_to_json(form):
    """In a text, below another key, twice, or in a document that is none."""
    text = listed(seeded(1), (40, 40), lambda chance: str(chance.randrange(256)))
    for dtype in ("FLOAT", "UINT8"):
        check((form % (text, text)).encode(), dtype)


def test_a_film_is_read_without_an_object_for_every_number():
    """As the SDK writes it, and as ``json`` does."""
    film = np.random.RandomState(0).randint(0, 256, (1, 256, 256, 1)).astype(np.uint8)
    for text in (to_json(film), json.dumps(film.tolist()).encode()):
        body = b'{"signature_name": "x", "inputs": {"image": ' + text + b"}}"
        found = number_lists.loads(body)["inputs"]["image"]
        assert isinstance(found, Numbers)
        assert found.nested() == film.tolist()
