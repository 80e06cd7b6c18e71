"""One film, one probability, wherever it is computed."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo import contract, image, release
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.config import shipped_release
from support import keras_answers
from support.patience import patience

SAME = 1e-5
ENCODED_BOUND = 1e-3
"""How far ``encoded`` may be from the SDK's own reading of the same file, see the README."""


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The release that a training run exported, served."""
    manifest = release.newest(run.store)
    config = tmp_path_factory.mktemp("served") / "models.config"
    config.write_text(release.models_config(manifest, str(run.store)))
    with EmbeddedServer([f"--model_config_file={config}"]) as server:
        yield server


def asked(url, sources):
    """Both members' probabilities through the SDK: [film, member]."""
    with neumo.Client(url, timeout=patience(60), screen=False) as client:
        return np.array([[m.probability for m in client.predict(s).members] for s in sources])


def test_keras_grpc_and_rest_give_the_same_probability(run, exported):
    """From the trained model in this process to both ports of the server: within 1e-5."""
    films = phantom.draw(11, 8)
    keras_says = np.stack(
        [keras_answers.probabilities(run.workdir, m.name, films) for m in contract.MEMBERS], axis=1
    )
    over_grpc, over_rest = asked(exported.grpc_url, films), asked(exported.http_url, films)
    np.testing.assert_allclose(over_grpc, keras_says, atol=SAME)
    np.testing.assert_allclose(over_rest, keras_says, atol=SAME)
    np.testing.assert_array_equal(over_rest, over_grpc)


def test_the_shipped_models_give_the_same_probability_for_real_films(served, val_films):
    """The SavedModels in this process and both ports agree on the validation films."""
    import tensorflow as tf

    pixels = tf.constant(np.stack([image.read(film).pixels for film in val_films]))
    folders = [shipped_release.folders()[member.name] for member in contract.MEMBERS]
    here = [
        tf.saved_model.load(str(folder)).signatures["serving_default"](image=pixels)
        for folder in folders
    ]
    expected = np.stack([found["probability"].numpy() for found in here], axis=1)
    for url in (served.grpc_url, served.http_url):
        np.testing.assert_allclose(asked(url, val_films), expected, atol=SAME)


def post_encoded(url, member, content):
    """What ``curl`` with a base64 film gets of bare TensorFlow Serving's API."""
    import base64

    import requests

    row = {"b64": base64.b64encode(content).decode()}
    body = json.dumps({"signature_name": "encoded", "instances": [{"image_bytes": row}]})
    answer = requests.post(f"{url}/v1/models/{member}:predict", data=body, timeout=patience(60))
    return answer.json()["predictions"][0]


def test_the_encoded_signature_is_within_its_bound_on_drawn_films(served, tmp_path):
    """A JPEG sent whole gives nearly what the SDK gives."""
    for number, pixels in enumerate(phantom.chests(21, 3)):
        path = tmp_path / f"{number}.jpeg"
        Image.fromarray(pixels[:, :, 0]).resize((1300, 1000)).save(path, quality=92)
        _compare_encoded(served, path)


def test_the_encoded_signature_is_within_its_bound_on_real_films(served, val_films):
    """On the validation films, too."""
    for film in val_films:
        _compare_encoded(served, film)


def _compare_encoded(served, path):
    with neumo.Client(served.grpc_url) as client:
        prediction = client.predict(path)
    for member in prediction.members:
        found = post_encoded(served.http_url, member.model, path.read_bytes())
        assert found["release"] == prediction.release
        assert found["threshold"] == pytest.approx(prediction.threshold)
        assert abs(found["probability"] - member.probability) < ENCODED_BOUND


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_the_asynchronous_client_gives_the_same_answers(served, scheme):
    """Many at a time, over both transports, each film its own answer."""
    url = served.grpc_url if scheme == "grpc" else served.http_url
    films = list(phantom.chests(41, 8)) * 4
    expected = asked(served.grpc_url, films[:8]).mean(axis=1)

    async def ask():
        async with neumo.AsyncClient(url, timeout=patience(60)) as client:
            return await asyncio.gather(*(client.predict(film) for film in films))

    found = [prediction.probability for prediction in asyncio.run(ask())]
    np.testing.assert_allclose(found, np.tile(expected, 4), atol=SAME)


def test_a_batch_gives_each_film_its_own_answer(served):
    """Eight films in one request are answered as eight requests are."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    films = phantom.chests(31, 8)
    alone = asked(served.grpc_url, films)
    with grpc.insecure_channel(served.grpc_url.removeprefix("grpc://")) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for column, member in enumerate(contract.MEMBERS):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = member.name
            request.inputs["image"].CopyFrom(tf.make_tensor_proto(films))
            answer = stub.Predict(request, timeout=patience(60))
            together = tf.make_ndarray(answer.outputs["probability"])
            np.testing.assert_allclose(together, alone[:, column], atol=SAME)
