"""Other models than neumo's own: their names, their number, and the image that they see."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo import contract
from neumo.ensemble import SHIPPED
from neumo.image import read
from neumo.testing import EmbeddedServer, FakeTransport, answering
from support.patience import patience

COLOUR = neumo.InputImage(48, 32, "RGB", "BILINEAR")


def test_the_shipped_ensemble_is_the_contract():
    """The value's data are what training and servers agree on."""
    assert SHIPPED.models == contract.MODELS
    assert SHIPPED.screen_only == contract.LUNGS_SCREEN_ONLY
    assert SHIPPED.image.shape == contract.IMAGE.shape[1:]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: neumo.Ensemble(()), "at least"),
        (lambda: neumo.Ensemble("ab"), "give a tuple"),
        (lambda: neumo.Ensemble(("a", "a")), "each name once"),
        (lambda: neumo.Ensemble(("a",), "a"), "each name once"),
        (lambda: neumo.Ensemble(("a", "")), "give a text"),
        (lambda: neumo.InputImage(0), "width_px is 0"),
        (lambda: neumo.InputImage(height_px=9.5), "height_px is 9.5"),
        (lambda: neumo.InputImage(mode="CMYK"), "give L or RGB"),
        (lambda: neumo.InputImage(resample="CUBIC"), "BICUBIC"),
    ],
)
def test_what_is_no_ensemble_says_so(make, says):
    """When it is made."""
    with pytest.raises(neumo.ConfigError, match=says):
        make()


def _picture():
    """Left half red, right half blue, as PNG."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :48, 0], pixels[:, 48:, 2] = 200, 100
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()


def test_a_film_is_read_as_the_models_see_it():
    """Other sides, in colour; a film that was read for others is not taken."""
    film = read(_picture(), COLOUR)
    assert film.pixels.shape == (32, 48, 3)
    assert film.pixels[0, 0].tolist() == [200, 0, 0]
    assert (film.width_px, film.height_px) == (96, 64)
    with pytest.raises(neumo.ImageError, match="read for models that see another image"):
        read(film)


@pytest.mark.parametrize("names", [("one",), ("one", "two", "three")])
def test_one_member_or_three_are_averaged(names):
    """Each by its name; where nothing screens, nothing says that it did not."""
    ensemble = neumo.Ensemble(names, image=COLOUR)
    scores = dict(zip(names, (0.9, 0.2, 0.1), strict=False))
    fake = FakeTransport(answering(scores, ensemble=ensemble))
    with neumo.Client(ensemble=ensemble, transport=fake) as client:
        prediction = client.predict(_picture())
        assert [status.model for status in client.status()] == list(names)
        with pytest.raises(neumo.ConfigError, match=r"Ensemble\(explain=True\)"):
            client.explain(_picture())
    assert prediction.probability == pytest.approx(sum(scores.values()) / len(names))
    assert [member.model for member in prediction.members] == list(names)
    assert "not_screened" not in {caution.code for caution in prediction.warnings}
    assert not prediction.screened


def test_another_screen_refuses_by_its_name():
    """What it is called is the ensemble's."""
    ensemble = neumo.Ensemble(("a", "b"), "gate", neumo.InputImage(64, 64), explain=True)
    scores = {"a": 0.2, "b": 0.4, "gate": 0.1}
    with (
        neumo.Client(
            ensemble=ensemble, transport=FakeTransport(answering(scores, ensemble=ensemble))
        ) as client,
        pytest.raises(neumo.NotAChestRadiograph),
    ):
        client.predict(_picture())
    scores["gate"] = 0.9
    with neumo.Client(
        ensemble=ensemble, transport=FakeTransport(answering(scores, ensemble=ensemble))
    ) as client:
        explanation = client.explain(_picture())
    assert explanation.prediction.screened
    assert explanation.heatmap.shape == explanation.film.shape == (64, 64)
    assert explanation.lungs.shape == (64, 64)


def test_labels_and_screen_are_the_ensembles():
    """Labels are by its members' names, and what cannot screen is not required to."""
    ensemble = neumo.Ensemble(("a", "b"))
    neumo.Client(ensemble=ensemble, labels={"a": "stable"}).close()
    with pytest.raises(neumo.ConfigError, match="the members are a, b"):
        neumo.Client(ensemble=ensemble, labels={"pneumonia_tuned": "stable"})
    with pytest.raises(neumo.ConfigError, match="no model that screens"):
        neumo.Client(ensemble=ensemble, screen="required")
    with (
        neumo.Client(ensemble=ensemble) as client,
        pytest.raises(neumo.ConfigError, match="no model that screens"),
    ):
        client.with_options(screen="required")


def test_models_that_see_another_image_are_not_the_ensembles():
    """The served signatures are compared with the value's data."""
    served = neumo.Ensemble(("a",), image=neumo.InputImage(64, 64))
    fake = FakeTransport(answering({"a": 0.5}, ensemble=served))
    with (
        neumo.Client(ensemble=neumo.Ensemble(("a",), image=COLOUR), transport=fake) as client,
        pytest.raises(neumo.ContractError, match="input image is DT_UINT8"),
    ):
        client.predict(_picture())


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """A server of two Keras models that know nothing of neumo: how red, and how blue."""
    keras = pytest.importorskip("keras", reason="the SDK alone is installed")
    from neumo_training.savedmodels.ensemble_export import write_member

    store = tmp_path_factory.mktemp("strangers")
    for name, channel in (("reds", 0), ("blues", 2)):
        picture = keras.Input((32, 48, 3))
        mean = keras.layers.GlobalAveragePooling2D()(picture)
        dense = keras.layers.Dense(1, use_bias=False)
        score = dense(mean)
        weights = np.zeros((3, 1), np.float32)
        weights[channel] = 1.0
        dense.set_weights([weights])
        write_member(keras.Model(picture, score), name, store, image=COLOUR, threshold=0.2)
    entries = [
        f'config {{ name: "{name}" base_path: "{store / name}" model_platform: "tensorflow" }}'
        for name in ("reds", "blues")
    ]
    config = store / "models.config"
    config.write_text("model_config_list { " + " ".join(entries) + " }")
    with EmbeddedServer([f"--model_config_file={config}"]) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_stranger_s_two_keras_models_are_served_and_asked(strangers, transport):
    """From Keras to a prediction, over both transports."""
    url = strangers.http_url if transport == "rest" else strangers.grpc_url
    ensemble = neumo.Ensemble(("reds", "blues"), image=COLOUR)
    with neumo.Client(url, ensemble=ensemble, timeout=patience(30)) as client:
        prediction = client.predict(_picture())
    found = {member.model: member.probability for member in prediction.members}
    assert found == {
        "reds": pytest.approx(100 / 255, abs=0.02),
        "blues": pytest.approx(50 / 255, abs=0.02),
    }
    assert (prediction.label, prediction.release) == ("PNEUMONIA", 1)
    assert prediction.probability == pytest.approx(sum(found.values()) / 2)
