"""The release that is shipped is whole, small, and what its manifest says."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest

from neumo import contract, release
from neumo.release import RocCurve, golden
from neumo.release.check import file_hashes
from support.places import ROOT

MODELS = ROOT / "serving" / "models"
MAX_BYTES = 22_000_000


@pytest.fixture(scope="module")
def manifest():
    """The newest release's manifest."""
    return release.newest(MODELS)


def test_every_file_has_the_hash_that_the_manifest_says(manifest):
    """And there is no file beside them."""
    for name, expected in manifest.models.items():
        folder = MODELS / name / str(manifest.release)
        assert not list(file_hashes.findings(folder, expected.sha256))


def test_the_release_is_small_enough_to_ship(manifest):
    """Under 22 MB: with release 1 beside it the store stays under 32 MB."""
    parts = [
        path
        for name in manifest.models
        for path in (MODELS / name / str(manifest.release)).rglob("*")
        if path.is_file()
    ]
    assert sum(path.stat().st_size for path in parts) < MAX_BYTES


def test_the_golden_answers_hold(manifest):
    """The SavedModels answer the drawn inputs as they did when they were exported."""
    import tensorflow as tf

    images = golden.images(manifest.golden)
    for name, expected in manifest.golden.outputs.items():
        model = tf.saved_model.load(str(MODELS / name / str(manifest.release)))
        answer = model.signatures[contract.SERVING_DEFAULT](image=tf.constant(images))
        found = {key: value.numpy() for key, value in answer.items()}
        assert found.keys() == expected.keys()
        assert not list(golden.differences(expected, found, manifest.golden.tolerance))


def test_the_contract_lies_in_every_model(manifest):
    """``assets.extra/contract.json`` is this code's contract, as the release's minor has it."""
    minor = contract.minor_of(manifest.contract)
    for name in manifest.models:
        folder = MODELS / name / str(manifest.release)
        lying = json.loads((folder / contract.CONTRACT_ASSET).read_text())
        known = contract.at(contract.model(name), minor)
        wanted = json.loads(contract.to_json(known, manifest.release))
        assert lying == wanted | {"contract": manifest.contract}


def test_the_threshold_is_fitted_from_the_curve_that_the_manifest_holds(manifest):
    """Among the out-of-fold ROC curve's points, the first that reach the sensitivity wanted."""
    roc = {name: np.array(values) for name, values in manifest.roc.items()}
    goal = manifest.metrics["out_of_fold"]["threshold_at_sensitivity"]["goal"]
    first = np.argmax(roc["tpr"] >= goal)
    assert roc["threshold"][first] == pytest.approx(manifest.threshold, abs=0.02)


def test_models_config_serves_the_releases_models(manifest):
    """It is generated from the manifest, for the paths of TensorFlow Serving's image."""
    text = (MODELS / release.MODELS_CONFIG).read_text()
    assert text == release.models_config(manifest, "/models")


def test_the_wheel_carries_the_newest_release(manifest):
    """The list in pyproject.toml names every part of it, and no older one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    number = manifest.release
    parts = ["models.config", f"releases/{number}.json", f"releases/{number}"]
    parts += [f"{name}/{number}" for name in manifest.models]
    assert listed == {f"serving/models/{p}": f"neumo_serving/shipped/{p}" for p in parts}


def test_its_cards_are_those_of_its_evaluation(manifest, tmp_path):
    """Model card and data sheet in both languages, as ``neumo card`` writes them; none by hand."""
    from neumo_training.commands import card

    number = str(manifest.release)
    folder = MODELS / "releases" / number
    written = ["--manifest", str(folder.with_suffix(".json")), "--out", str(tmp_path)]
    assert card.main([str(folder / "evaluation.json"), *written]) == 0
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert texts == {path.name: path.read_text() for path in folder.glob("*.md")}
    assert len(texts) == 4


def test_no_patient_is_named_in_what_is_shipped(manifest):
    """The manifest and the evaluation hold numbers and hashes, no file names of films."""
    evaluation = MODELS / "releases" / str(manifest.release) / "evaluation.json"
    text = json.dumps(json.loads(manifest.to_json())) + evaluation.read_text()
    for word in ("person", "IM-", ".jpeg"):
        assert word not in text


def test_the_roc_curve_that_jupyter_draws_is_the_manifests(manifest):
    """The marked point and the area are those that the manifest's own metrics tell."""
    curve = RocCurve.of(manifest)
    told = manifest.metrics["out_of_fold"]["ensemble"]
    assert curve.sensitivity == pytest.approx(told["sensitivity"])
    assert curve.specificity == pytest.approx(told["specificity"])
    assert curve.area == pytest.approx(told["auc"])
    assert f"threshold {manifest.threshold:.3f}" in curve._repr_html_()
