"""Over REST a film goes as PNG through ``encoded``, and says the same bit for bit."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo import contract
from neumo._wire import png_images, rest_json
from neumo._wire.calls import Metadata, Predict
from neumo.release import phantom
from neumo.testing import EmbeddedServer, FakeTransport, answering
from support.patience import patience

MEMBER = contract.MEMBERS[0]
SCORES = {MEMBER.name: 0.25, contract.MEMBERS[1].name: 0.75, contract.LUNGS.name: 0.9}


def _noise(count=1, depth=1):
    shape = (count, 256, 256, depth)
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("depth", [1, 3])
def test_every_pixel_comes_back_out_of_a_png(depth):
    """Grey and RGB, of any sides."""
    pixels = _noise(depth=depth)[0, :37, :111]
    with Image.open(io.BytesIO(png_images.encode(pixels))) as image:
        assert image.mode == {1: "L", 3: "RGB"}[depth]
        np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)


def test_rest_sends_files_where_the_model_takes_them():
    """One for each film, in base64; over gRPC the pixels go as they are."""
    pixels = _noise(2)
    default, encoded = MEMBER.signature("serving_default"), MEMBER.signature("encoded")
    call = Predict(MEMBER.name, default, {"image": pixels}, 2, encoded=encoded)
    document = json.loads(call.rest_request().body)
    assert document["signature_name"] == "encoded"
    files = [base64.b64decode(one["b64"]) for one in document["inputs"]["image_bytes"]]
    assert files == [png_images.encode(one) for one in pixels]
    assert pixels.tobytes() in call.rpc_body()
    plain = Predict(MEMBER.name, default, {"image": pixels}, 2)
    assert json.loads(plain.rest_request().body)["signature_name"] == "serving_default"


def _answering_without(*lacking):
    """A server whose ``lungs`` lacks some signatures of the contract."""
    whole = answering(SCORES)

    def answer(call):
        found = whole(call)
        if isinstance(call, Metadata) and call.model == contract.LUNGS.name:
            for name in lacking:
                del found.signatures[name]
        return found

    return answer


def _encoded(fake):
    asked = [call for call in fake.asked if isinstance(call, Predict)]
    return {call.model: call.encoded and call.encoded.name for call in asked}


def test_files_go_to_every_model_that_takes_them():
    """The members always; ``lungs`` where its metadata say so, as exports do since minor 1."""
    members = {model.name: "encoded" for model in contract.MEMBERS}
    for lacking, lungs in (((), "encoded"), (("encoded", "screen"), None), (("encoded",), None)):
        fake = FakeTransport(_answering_without(*lacking))
        with neumo.Client(transport=fake) as client:
            for _ in range(2):
                client.predict(_noise()[0])
                assert _encoded(fake) == {**members, contract.LUNGS.name: lungs}


def test_an_explanation_sends_pixels():
    """``explain`` has no encoded form, and its mask comes from ``serving_default``."""
    fake = FakeTransport(answering(SCORES))
    with neumo.Client(transport=fake) as client:
        client.predict(_noise()[0])
        fake.asked.clear()
        client.explain(_noise()[0])
    assert set(_encoded(fake).values()) == {None}


def test_lists_that_nobody_reads_are_passed_over():
    """The mask of an old ``lungs``, first, in the middle and last; what is read is untouched."""
    signature = contract.LUNGS_SCREEN_ONLY
    mask = np.zeros((1, 256, 256), np.uint8).tolist()
    scores = {"chest": [0.5], "threshold": [0.25], "release": [3]}
    for place in range(4):
        outputs = list(scores.items())
        outputs.insert(place, ("mask", mask))
        for indent in (None, 4):
            body = json.dumps({"outputs": dict(outputs)}, indent=indent).encode()
            answer = rest_json.rest_answer("lungs", signature, body)
            assert {name: one.tolist() for name, one in answer.outputs.items()} == scores
    with pytest.raises(ValueError, match=r".+"):
        rest_json.rest_answer("lungs", signature, b'{"outputs": {"mask": [' + b"0," * 20_000)


@pytest.fixture(scope="module")
def server():
    """The embedded server with the shipped release."""
    pytest.importorskip("tensorflow_serving", reason="the SDK alone is installed")
    with EmbeddedServer() as running:
        yield running


@pytest.mark.slow
def test_rest_and_grpc_say_the_same_bit_for_bit(server):
    """Of films and of noise, alone and in a batch, on the release that is shipped."""
    films = [*phantom.draw(3, 2), *_noise(2)]
    told = []
    for url in (server.grpc_url, server.http_url):
        with neumo.Client(url, screen=False, timeout=patience(30)) as client:
            alone = [client.predict(film) for film in films]
            together = list(client.predict_many(films, batch_size=4))
        told.append([[m.probability for m in one.members] for one in (*alone, *together)])
    # Batches are asked alike, so that their rounding is, too.
    assert told[0] == told[1]
