"""What a release's SavedModels are, and that a model store is never half written."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.framework import types_pb2

from neumo import contract, image, release
from neumo.errors import ConfigError
from neumo.release import phantom
from neumo_training.networks import framing, lungs_network
from neumo_training.savedmodels import export_signatures, image_decoding, release_writer
from support import keras_answers

VAL = Path(__file__).parents[3] / "shared/data/chest_xray/val"
MEMBERS = [member.name for member in contract.MEMBERS]
MODELS = [model.name for model in contract.MODELS]


@pytest.fixture(scope="module")
def loaded(run):
    """Release 1's SavedModels, read back from disk."""
    return {name: tf.saved_model.load(str(run.store / name / "1")) for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_signatures_are_the_contracts(loaded, name):
    """Every signature has the contract's tensors with the contract's dtypes and shapes."""
    for expected in contract.model(name).signatures:
        found = loaded[name].signatures[expected.name]
        taken = found.structured_input_signature[1]
        given = found.structured_outputs
        assert {k: (v.dtype, tuple(v.shape)) for k, v in taken.items()} == {
            t.name: (tf_dtype(t), t.shape) for t in expected.inputs
        }
        assert {k: (v.dtype, v.shape.rank) for k, v in given.items()} == {
            t.name: (tf_dtype(t), len(t.shape)) for t in expected.outputs
        }


def tf_dtype(tensor):
    """TensorFlow's dtype of one of the contract's tensors."""
    return tf.dtypes.as_dtype(types_pb2.DataType.Value(tensor.dtype))


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_answers_the_calibrated_mean_of_its_folds(run, loaded, name):
    """Exporting changes no probability by more than 1e-5."""
    images = phantom.draw(5, 6)
    expected = keras_answers.probabilities(run.workdir, name, images)
    answer = loaded[name].signatures["serving_default"](image=tf.constant(images))
    assert len(list((run.workdir / name).glob("fold-*"))) == 3
    np.testing.assert_allclose(answer["probability"], expected, atol=1e-5)
    assert set(answer["release"].numpy()) == {1}


def test_lungs_draws_what_the_network_finds(run, loaded):
    """The mask is the network's at the film's size; chest and threshold are between 0 and 1."""
    import keras

    images = phantom.draw(5, 4)
    lungs = keras.models.load_model(run.workdir / "lungs" / "best.keras")
    found = lungs(framing.overview(images), training=False)
    enlarged = tf.image.resize(found[lungs_network.MASK], (256, 256))[..., 0] > 0.0
    answer = loaded["lungs"].signatures["serving_default"](image=tf.constant(images))
    assert (answer["mask"].numpy() == enlarged.numpy()).mean() > 0.9999
    np.testing.assert_allclose(answer["chest"], tf.sigmoid(found["chest"])[:, 0], atol=1e-5)
    assert 0.0 < answer["threshold"].numpy()[0] <= 0.5


@pytest.mark.parametrize("name", MODELS)
def test_an_encoded_film_is_answered_as_its_pixels_are(loaded, name):
    """Bit for bit: over REST the SDK sends files, and ``lungs`` answers without its mask."""
    images = np.concatenate([phantom.draw(5, 2), noise()])
    signatures = loaded[name].signatures
    expected = signatures["serving_default"](image=tf.constant(images))
    files = tf.constant([encoded(Image.fromarray(one[:, :, 0]), format="PNG") for one in images])
    found = signatures["encoded"](image_bytes=files)
    assert found.keys() == expected.keys() - {"mask"}
    for output in found:
        np.testing.assert_array_equal(found[output], expected[output])


@pytest.mark.parametrize("name", MODELS)
def test_the_contract_travels_with_the_model(run, name):
    """``assets.extra/contract.json`` is the contract, with this release's number."""
    written = json.loads((run.store / name / "1" / contract.CONTRACT_ASSET).read_text())
    assert written["contract"] == contract.version()
    assert (written["model"], written["release"]) == (name, 1)


@pytest.mark.parametrize("name", MODELS)
def test_warm_up_records_cover_every_signature(run, name):
    """The official protobuf reads each record, and each names a signature of the model."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = run.store / name / "1" / contract.WARMUP_ASSET
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    asked = {log.predict_log.request.model_spec.signature_name for log in logs}
    assert asked == {signature.name for signature in contract.model(name).signatures}


def test_the_manifest_names_every_file_and_its_golden_answers_hold(run, loaded):
    """Hashes match the files on disk, and the golden inputs give the golden outputs."""
    manifest = release.newest(run.store)
    golden = manifest.golden
    images = phantom.draw(golden.seed, golden.count)
    assert phantom.sha256(images) == golden.inputs_sha256
    for name, files in manifest.models.items():
        assert files.sha256 == release.sha256_of_files(run.store / name / "1")
        found = loaded[name].signatures["serving_default"](image=tf.constant(images))
        for key, values in golden.outputs[name].items():
            each = np.asarray(found[key], np.float64).reshape(len(images), -1).mean(axis=1)
            np.testing.assert_allclose(each, values, atol=golden.tolerance)


def test_models_config_lists_the_releases_models(run):
    """TensorFlow Serving's own protobuf parses ``models.config``; two versions are served."""
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    text = (run.store / release.MODELS_CONFIG).read_text()
    parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    configs = {c.name: c for c in parsed.model_config_list.config}
    assert configs.keys() == set(MODELS)
    for name, found in configs.items():
        assert found.base_path == f"/models/{name}"
        assert found.model_version_policy.latest.num_versions == release.SERVED_VERSIONS


def test_a_release_never_changes(run):
    """Exporting over an existing release is refused in one line, forced or not."""
    for forced in (False, True):
        with pytest.raises(ConfigError, match=r"release 1 is in .* and a release never changes"):
            release_writer.export(run.workdir, run.store, 1, forced=forced)


def test_an_export_without_a_number_is_a_release_of_your_own(run, tmp_path):
    """It takes the time as its number, above every release that neumo ships."""
    store = tmp_path / "models"
    shutil.copytree(run.store, store)
    number = release_writer.export(run.workdir, store).release
    assert number > release.FIRST_OWN
    assert release.numbers(store) == [1, number]


def test_a_number_of_neumos_own_releases_must_be_forced(run, tmp_path):
    """Nobody takes one by mistake."""
    with pytest.raises(ConfigError, match="are the ones that neumo ships"):
        release_writer.export(run.workdir, tmp_path / "models", 3)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("calls_survived", range(5))
def test_an_export_that_dies_leaves_no_half_version(run, tmp_path, monkeypatch, calls_survived):
    """Whichever rename the export dies at, what is in place is whole, and a retry completes."""
    store, survived = tmp_path / "models", iter(range(calls_survived))
    rename = Path.replace

    def dying(self, target):
        if next(survived, None) is None:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        release_writer.export(run.workdir, store, 1, forced=True)
    monkeypatch.undo()
    for version in store.glob("*/1"):
        tf.saved_model.load(str(version))
        assert (version / contract.WARMUP_ASSET).exists()
    if calls_survived < 4:
        assert release.numbers(store) == []
    release_writer.export(run.workdir, store, 1 if calls_survived < 4 else 2, forced=True)
    newest = release.newest(store)
    for name, files in newest.models.items():
        version = store / name / str(newest.release)
        assert files.sha256 == release.sha256_of_files(version)
    assert not (store / ".staging").exists()


@pytest.mark.parametrize("number", [0, -1])
def test_a_releases_number_is_at_least_1(run, tmp_path, number):
    """TensorFlow Serving's versions are; one line says so, and nothing is written."""
    with pytest.raises(ConfigError, match="a release's number is from 1 to"):
        release_writer.export(run.workdir, tmp_path / "models", number)
    assert not (tmp_path / "models").exists()


def test_results_that_were_edited_are_one_clear_line(tmp_path):
    """What to do about it is in it."""
    (tmp_path / "results.json").write_text('{"threshold": 0.')
    with pytest.raises(
        ConfigError, match=r"not the results of a run .* neumo train writes it anew"
    ):
        release_writer.export(tmp_path, tmp_path / "models")


def test_an_unfinished_run_cannot_be_exported(tmp_path):
    """One line says what to do first."""
    with pytest.raises(ConfigError, match="no finished run here; first: neumo train"):
        release_writer.export(tmp_path, tmp_path / "models")


def test_the_heat_map_finds_a_marked_patch():
    """Grad-CAM of a model that looks for brightness is hot where a bright patch was pasted."""
    features = np.zeros((1, 8, 8, 1), np.float32)
    features[0, 5, 2] = 1.0
    heat = export_signatures.grad_cam(tf.constant(features), tf.ones_like(features))[0].numpy()
    row, column = np.unravel_index(np.argmax(heat), heat.shape)
    assert (row // 4, column // 4) == (5, 2)
    assert heat.max() == 1.0
    assert heat.min() == 0.0


@pytest.mark.parametrize("box", [framing.WHOLE, (0.1, 0.15, 0.95, 0.9)])
def test_the_exported_heat_map_lies_in_the_frame_of_the_film(tmp_path, box):
    """A model that sees bright patches shows a pasted one where it is, whatever the crop."""
    servable = export_signatures.MemberModule(
        _finds(box), [_patch_finder()], export_signatures.Calibration(), 0.5, 1
    )
    tf.saved_model.save(servable, str(tmp_path), signatures=servable.signatures())
    explain = tf.saved_model.load(str(tmp_path)).signatures["explain"]
    for y, x in ((64, 180), (128, 80), (200, 128)):
        film = np.full((1, 256, 256, 1), 60, np.uint8)
        film[0, y - 12 : y + 12, x - 12 : x + 12] = 250
        heat = explain(image=tf.constant(film))["heatmap"][0].numpy()
        assert min(heat.shape) >= contract.HEATMAP_MIN_SIZE_PX
        scale = contract.IMAGE_SIZE_PX / heat.shape[0]
        found = (np.array(np.unravel_index(np.argmax(heat), heat.shape)) + 0.5) * scale
        assert np.abs(found - (y, x)).max() < 16
        outside = np.ones(heat.shape, bool)
        top, left, bottom, right = (round(v * len(heat)) for v in box)
        outside[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = False
        assert (heat[outside] == 0.0).all()


def _finds(box):
    """A network that sees lungs such that they are framed by ``box``, margin included."""
    import keras

    size = lungs_network.SIZE_PX
    top, left, bottom, right = box
    margin = (1 - 1 / (1 + 2 * framing.MARGIN)) / 2
    high, wide = margin * (bottom - top), margin * (right - left)
    drawn = np.full((1, size, size, 1), -9.0, np.float32)
    rows, columns = slice_of(top + high, bottom - high), slice_of(left + wide, right - wide)
    drawn[:, rows, columns] = 9.0
    film = keras.Input((size, size, 1))
    mask = keras.layers.Lambda(lambda x: x * 0.0 + drawn)(film)
    chest = keras.layers.GlobalAveragePooling2D()(film)
    return keras.Model(film, {lungs_network.MASK: mask, lungs_network.CHEST: chest})


def slice_of(start, end):
    """The pixels of the lungs' network between two shares of a side."""
    return slice(round(start * lungs_network.SIZE_PX), round(end * lungs_network.SIZE_PX))


def _patch_finder():
    """A CNN whose only feature is local brightness."""
    import keras

    from neumo_training.networks.member_networks import FEATURES

    size = framing.CROP_SIZE_PX
    film = keras.Input((size, size, 1))
    mean = keras.layers.Conv2D(1, 8, 8, kernel_initializer=keras.initializers.Constant(1 / 64))
    x = keras.layers.Activation("relu", name=FEATURES)(mean(film))
    x = keras.layers.GlobalAveragePooling2D()(x)
    head = keras.layers.Dense(1)
    model = keras.Model(film, head(x))
    head.set_weights([np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    return model


def encoded(picture, **options):
    """The bytes of a file that holds ``picture``."""
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    return buffer.getvalue()


def drawn(mode, size):
    """A phantom of another size and mode."""
    return Image.fromarray(phantom.draw(9, 1)[0, :, :, 0]).resize(size).convert(mode)


FORMATS = [
    ("L", {"format": "PNG"}),
    ("RGB", {"format": "PNG"}),
    ("L", {"format": "JPEG", "quality": 90}),
    ("RGB", {"format": "JPEG", "quality": 90}),
    ("L", {"format": "BMP"}),
    ("L", {"format": "GIF"}),
]


def noise():
    """Two films of noise of the models' own size, uint8 [2, 256, 256, 1]."""
    return np.random.default_rng(5).integers(0, 256, (2, 256, 256, 1), dtype=np.uint8)


def test_a_film_of_the_models_size_is_not_touched():
    """It is not resized, so that pixels and files are answered alike."""
    films = noise()
    files = [encoded(Image.fromarray(one[:, :, 0]), format="PNG") for one in films]
    np.testing.assert_array_equal(image_decoding.decode(tf.constant(files)).numpy(), films)


def distance(content):
    """The largest difference in grey levels, graph against Pillow, and how many pixels differ."""
    expected = image.read(content).pixels.astype(int)
    found = image_decoding.decode(tf.constant([content])).numpy()[0].astype(int)
    return np.abs(found - expected).max(), (found != expected).mean()


@pytest.mark.parametrize("size", [(224, 224), (1000, 1400)])
@pytest.mark.parametrize(("mode", "options"), FORMATS)
def test_decoding_in_the_graph_is_pillows_to_one_level(mode, options, size):
    """``encoded`` sees the SDK's pixels: at most one in a thousand is one grey level away."""
    furthest, share = distance(encoded(drawn(mode, size), **options))
    assert furthest <= 1
    assert share < 0.001


@pytest.mark.parametrize(("mode", "options"), FORMATS)
def test_enlarging_in_the_graph_is_pillows_to_two_levels(mode, options):
    """An image smaller than 256 pixels meets ties in rounding, never more than two levels."""
    furthest, _ = distance(encoded(drawn(mode, (64, 300)), **options))
    assert furthest <= 2


@pytest.mark.skipif(not VAL.is_dir(), reason="the public data set is not on this machine")
def test_decoding_in_the_graph_is_pillows_on_real_films():
    """On the 16 validation films at their original size, too, one grey level is the most."""
    for path in sorted(VAL.rglob("*.jpeg")):
        furthest, share = distance(path.read_bytes())
        assert furthest <= 1
        assert share < 0.001
