"""A folder of releases is judged: every fault is one line, and a sound one has none."""

import json
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from neumo import contract, release
from neumo.errors import ConfigError
from neumo.release import check, golden, phantom
from support.releases import (
    COUNT,
    MEMBERS,
    SEED,
    WITH_LUNGS,
    FakeModel,
    change_manifest,
    fake_model,
    hash_anew,
    write_release,
)

TUNED, RESIDUAL = MEMBERS
WEIGHTS = "variables/variables.data"


@pytest.fixture
def store(tmp_path):
    """A folder with a sound release 1."""
    write_release(tmp_path)
    return tmp_path


def lines(store, number=1, open_model=fake_model):
    """Every finding about release ``number``."""
    return [f.line for f in check.inspect(store, number, open_model)]


def change_contract(store, **changes):
    """Change what the tuned model's ``contract.json`` says, and hash the release anew."""
    path = store / TUNED / "1" / contract.CONTRACT_ASSET
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    hash_anew(store)


def answering(change):
    """Opens models whose outputs ``change(signature, outputs)`` has changed."""

    class Changed(FakeModel):
        def run(self, signature, inputs):
            outputs = dict(super().run(signature, inputs))
            change(signature, outputs)
            return outputs

    @contextmanager
    def opened(folder):
        yield Changed(folder.parent.name, 1)

    return opened


def lacking(name):
    """Opens models without the signature ``name``."""

    class Less(FakeModel):
        @property
        def signatures(self):
            return {n: s for n, s in super().signatures.items() if n != name}

    @contextmanager
    def opened(folder):
        yield Less(folder.parent.name, 1)

    return opened


def write_whole(store):
    """A release of this contract, with ``lungs``, in ``store``."""
    write_release(store, models=WITH_LUNGS)
    return store


class TestSound:
    """What is as it was exported has no findings."""

    @pytest.mark.parametrize("models", [MEMBERS, WITH_LUNGS])
    def test_a_release_with_or_without_lungs(self, tmp_path, models):
        """The manifest says which models a release has."""
        write_release(tmp_path, models=models)
        assert lines(tmp_path) == []

    def test_two_releases_side_by_side(self, tmp_path):
        """One with ``lungs`` beside an older one without."""
        write_release(tmp_path, 1)
        write_release(tmp_path, 2, WITH_LUNGS)
        assert check.releases(tmp_path) == [1, 2]
        assert lines(tmp_path, 1) == lines(tmp_path, 2) == []

    def test_a_release_of_an_earlier_minor(self, store, monkeypatch):
        """What came with a later minor is not missed in it."""
        later = contract.Signature("later", (contract.IMAGE,), (contract.CHEST,), since_minor=9)
        members = tuple(contract.Model(m.name, (*m.signatures, later)) for m in contract.MEMBERS)
        monkeypatch.setattr(contract, "MEMBERS", members)
        monkeypatch.setattr(contract, "MODELS", (*members, contract.LUNGS))
        monkeypatch.setattr(contract, "CONTRACT_MINOR", 9)
        assert lines(store, open_model=lacking("later")) == []

    def test_lungs_without_screen_is_of_minor_0(self, tmp_path):
        """Release 2 is: from minor 1 on, it would be missed."""
        write_release(tmp_path, models=WITH_LUNGS)
        for model in WITH_LUNGS:
            path = tmp_path / model / "1" / contract.CONTRACT_ASSET
            older = contract.at(contract.model(model), 0)
            text = contract.to_json(older, 1)
            path.write_text(json.dumps(json.loads(text) | {"contract": "1.0"}))
        hash_anew(tmp_path)
        change_manifest(tmp_path, contract="1.0")
        assert lines(tmp_path, open_model=lacking(contract.SCREEN)) == []
        (missing, *_) = lines(write_whole(tmp_path / "new"), open_model=lacking(contract.SCREEN))
        assert missing == "release 1, lungs: signature screen is missing"

    def test_a_release_of_a_later_minor(self, store):
        """It may have more signatures and outputs than this neumo knows."""
        for model in MEMBERS:
            path = store / model / "1" / contract.CONTRACT_ASSET
            document = json.loads(path.read_text()) | {"contract": "1.9"}
            document["signatures"]["later"] = {"inputs": {}, "outputs": {}}
            document["signatures"]["explain"]["outputs"]["more"] = {"dtype": "DT_FLOAT"}
            path.write_text(json.dumps(document))
        hash_anew(store)
        change_manifest(store, contract="1.9")
        assert lines(store) == []


class TestFiles:
    """The files are those of the manifest."""

    def test_a_tampered_weight(self, store):
        """It is named, and the model is not run."""
        (store / TUNED / "1" / WEIGHTS).write_text("other weights")
        changed, not_run = lines(store)
        assert changed.startswith(f"release 1, {TUNED}: {WEIGHTS} is not the file of the manifest")
        assert not_run == f"release 1, {TUNED}: not run, since its files are not the release's"

    def test_a_missing_file(self, store):
        """It is named."""
        (store / RESIDUAL / "1" / WEIGHTS).unlink()
        assert lines(store)[0] == (
            f"release 1, {RESIDUAL}: {WEIGHTS} is missing; copy the release again"
        )

    def test_a_file_too_many(self, store):
        """A release has no files but those of its manifest."""
        (store / RESIDUAL / "1" / "notes.txt").write_text("mine")
        assert "notes.txt is not in the manifest" in lines(store)[0]

    def test_a_model_that_was_not_copied(self, store):
        """One line says so, not one for each file."""
        shutil.rmtree(store / TUNED)
        assert [line for line in lines(store) if "is missing; copy" in line] == [
            f"release 1, {TUNED}: {store / TUNED / '1'} is missing; copy the release again"
        ]

    def test_a_release_without_its_manifest(self, store):
        """The manifest is written last: without it a copy is half done, and is judged as such."""
        release.manifest_path(store, 1).unlink()
        assert check.releases(store) == [1]
        (line,) = lines(store)
        assert "1.json is missing: half copied" in line

    def test_a_model_that_the_manifest_does_not_name(self, store):
        """A server would serve it with the others."""
        write_release(store / "other", models=WITH_LUNGS)
        shutil.copytree(store / "other" / "lungs", store / "lungs")
        assert lines(store) == [
            "release 1, lungs: the manifest does not name this model, which lies there"
        ]

    @pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()])
    def test_a_folder_without_releases(self, tmp_path, make):
        """It is a mistake in the command line, not a finding."""
        make(tmp_path / "none")
        with pytest.raises(ConfigError, match=r"releases/N\.json"):
            check.releases(tmp_path / "none")

    def test_a_release_that_is_not_there(self, store):
        """Asking for it is answered in one line."""
        (line,) = lines(store, 5)
        assert line.startswith("release 5: ")


class TestManifest:
    """The manifest is one, of this release, and can be judged by."""

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"contract": "2.0"}, "written for contract 2.0"),
            ({"contract": "1.x"}, "contract '1.x' is not major.minor"),
            ({"contract": "1.-1"}, "contract '1.-1' is not major.minor"),
            ({"contract": 1}, "contract '1' is not major.minor"),
            ({"release": 3}, "the manifest is that of release 3"),
            ({"threshold": 1.5}, "the threshold is no number in [0, 1]: 1.5"),
            ({"threshold": float("nan")}, "the threshold is no number in [0, 1]: nan"),
            ({"threshold": "high"}, "the threshold is no number in [0, 1]: 'high'"),
            ({"models": {}}, f"the manifest lacks {TUNED}, which every release has"),
            ({"golden": {}}, "not a release manifest"),
        ],
    )
    def test_what_it_says_wrongly(self, store, changes, told):
        """Each is said in the words of the manifest."""
        change_manifest(store, **changes)
        assert any(told in line for line in lines(store)), lines(store)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"count": 0}, "the count is from 1 to 256, not 0"),
            ({"count": 10**9}, "the count is from 1 to 256, not 1000000000"),
            ({"seed": "a"}, "the seed is a whole number below 2^32, not 'a'"),
            ({"seed": 8}, "seed 8 draws other inputs"),
            ({"tolerance": 1.0}, "the tolerance is at most 0.001, not 1.0"),
        ],
    )
    def test_golden_pairs_that_prove_nothing(self, store, changes, told):
        """No model is run by them, and that is said, too."""
        path = release.manifest_path(store, 1)
        pairs = json.loads(path.read_text())["golden"] | changes
        change_manifest(store, golden=pairs)
        found = lines(store)
        assert told in found[0]
        assert sum("not run" in line for line in found) == len(MEMBERS)

    def test_a_model_that_no_contract_knows(self, store):
        """It cannot be judged, and is not passed over."""
        path = release.manifest_path(store, 1)
        models = json.loads(path.read_text())["models"] | {"../else": {"sha256": {}}}
        change_manifest(store, models=models)
        assert any("../else: contract 1.1 knows no such model" in line for line in lines(store))

    @pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"contract": "1.0"}'])
    def test_a_file_that_is_no_manifest(self, store, text):
        """One line."""
        release.manifest_path(store, 1).write_text(text)
        (line,) = lines(store)
        assert "not a release manifest" in line


class TestContract:
    """``contract.json`` in each model is the contract of this model and release."""

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"contract": "2.0"}, "is of contract 2.0, the manifest of 1.1"),
            ({"model": RESIDUAL}, f"says model '{RESIDUAL}', not '{TUNED}'"),
            ({"release": 2}, "says release 2, not 1"),
            ({"positive": "NORMAL"}, "says positive 'NORMAL', not 'PNEUMONIA'"),
            ({"signatures": {}}, "describes signature serving_default otherwise or not at all"),
            ({"signatures": None}, "is missing or not a contract"),
        ],
    )
    def test_one_that_says_something_else(self, store, changes, told):
        """What differs is told."""
        change_contract(store, **changes)
        found = lines(store)
        assert any(line.startswith(f"release 1, {TUNED}: ") and told in line for line in found)

    def test_a_signature_that_its_minor_lacks(self, store):
        """More is allowed to a later minor only."""
        path = store / TUNED / "1" / contract.CONTRACT_ASSET
        signatures = json.loads(path.read_text())["signatures"]
        change_contract(store, signatures=signatures | {"more": {}})
        (line,) = lines(store)
        assert line.endswith("describes signature more, which its contract lacks")

    @pytest.mark.parametrize("told", [[], {}, {"inputs": []}, {"inputs": None, "outputs": 1}])
    def test_a_signature_of_a_later_minor_that_describes_no_tensors(self, store, told):
        """It is a finding, not an accident."""
        change_manifest(store, contract="1.9")
        path = store / TUNED / "1" / contract.CONTRACT_ASSET
        signatures = json.loads(path.read_text())["signatures"]
        change_contract(store, contract="1.9", signatures=signatures | {"explain": told})
        found = [line for line in lines(store) if line.startswith(f"release 1, {TUNED}: ")]
        assert [line.partition("contract.json ")[2] for line in found] == [
            "describes signature explain otherwise or not at all"
        ]


class TestAnswers:
    """The models, run, answer as they did when they were exported."""

    def test_heat_that_lies_elsewhere_than_is_recorded(self, store):
        """Where the manifest records it; in one that does not, heat maps are judged by form."""
        with fake_model(store / TUNED / "1") as model:
            images = phantom.draw(SEED, COUNT)
            maps = model.run(contract.EXPLAIN, {contract.IMAGE.name: images})["heatmap"]
        change_manifest(store, golden_heat={TUNED: golden.heat(maps)})
        assert lines(store) == []

        def change(signature, outputs):
            if signature == contract.EXPLAIN:
                heat = np.array(outputs["heatmap"], np.float32)
                heat[:, : heat.shape[1] // 2] = 0.25
                outputs["heatmap"] = heat

        (line,) = lines(store, open_model=answering(change))
        assert line.startswith(f"release 1, {TUNED}: signature explain, the heat lies elsewhere")

    def test_a_model_that_does_not_load(self, store):
        """One line with the reason."""
        (store / TUNED / "1" / "saved_model.pb").write_text("rubbish")
        hash_anew(store)
        assert lines(store) == [
            f"release 1, {TUNED}: does not load: INVALID_ARGUMENT: no SavedModel"
        ]

    def test_swapped_models_whose_hashes_were_made_anew(self, store):
        """The contract in them and their answers tell."""
        tuned, residual = (store / name / "1" for name in MEMBERS)
        tuned.rename(store / "held")
        residual.rename(tuned)
        (store / "held").rename(residual)
        hash_anew(store)
        for name in MEMBERS:
            about = [line for line in lines(store) if line.startswith(f"release 1, {name}: ")]
            assert any("says model" in line for line in about)
            assert any("probability is up to 0.2 from what is recorded" in line for line in about)

    def test_a_threshold_that_is_not_the_models(self, store):
        """Every member decides by the manifest's."""
        change_manifest(store, threshold=0.6)
        found = lines(store)
        for name in MEMBERS:
            assert any(
                line.startswith(f"release 1, {name}") and "threshold" in line for line in found
            )

    def test_a_lungs_threshold_is_its_own(self, tmp_path):
        """It is judged by the golden pairs alone."""
        write_release(tmp_path, models=WITH_LUNGS)
        change_manifest(tmp_path, threshold=0.6)
        assert not any("lungs" in line for line in lines(tmp_path))

    @pytest.mark.parametrize(
        ("signature", "output", "value", "told"),
        [
            ("encoded", "probability", 0.9, "output probability is up to"),
            ("explain", "probability", 0.9, "output probability is up to"),
            ("serving_default", "release", 2, "output release is up to 1 from"),
            ("serving_default", "probability", np.nan, "probability has values outside [0, 1]"),
            ("explain", "heatmap", 3.0, "output heatmap has values outside [0, 1]"),
        ],
    )
    def test_an_output_that_is_wrong(self, store, signature, output, value, told):
        """Each signature is run; which one and which output are told."""

        def change(name, outputs):
            if name == signature:
                outputs[output] = np.full_like(outputs[output], value)

        (first, _) = lines(store, open_model=answering(change))
        assert f"signature {signature}, " in first
        assert told in first

    @pytest.mark.parametrize(
        ("heatmap", "told"),
        [
            (np.zeros((3, 8, 8), np.float32), "output heatmap is 8 x 8 pixels; 16 x 16"),
            (np.zeros((1, 16, 16), np.float32), "output heatmap has the shape (1, 16, 16) for 3"),
        ],
    )
    def test_a_heat_map_of_the_wrong_size(self, store, heatmap, told):
        """The contract says how small it may be, and that each input has one."""

        def change(name, outputs):
            if "heatmap" in outputs:
                outputs["heatmap"] = heatmap

        assert told in lines(store, open_model=answering(change))[0]

    def test_a_mask_that_moved(self, tmp_path):
        """The mean of the mask is recorded for each input, and compared."""
        write_release(tmp_path, models=WITH_LUNGS)

        def change(name, outputs):
            if "mask" in outputs:
                outputs["mask"] = np.zeros_like(outputs["mask"])

        assert lines(tmp_path, open_model=answering(change)) == [
            "release 1, lungs: signature serving_default, "
            "output mask is up to 0.375 from what is recorded, above 0.001"
        ]

    def test_a_signature_that_is_missing(self, store):
        """The SavedModel's own signatures count, not what a file says of them."""
        assert lines(store, open_model=lacking("explain"))[0].endswith(
            "signature explain is missing"
        )

    def test_a_signature_that_fails(self, store):
        """Its error is one line, and the others are judged."""

        def change(name, _):
            if name == "encoded":
                raise ConfigError("INTERNAL: no\n decoder")

        assert lines(store, open_model=answering(change))[0].endswith(
            "signature encoded fails: INTERNAL: no decoder"
        )

    @pytest.mark.parametrize("outputs", [{}, [], {TUNED: []}, {TUNED: {"release": [1.0] * 3}}])
    def test_a_model_without_golden_pairs(self, store, outputs):
        """What nothing was recorded of is not proven, and that is a finding."""
        path = release.manifest_path(store, 1)
        pairs = json.loads(path.read_text())["golden"] | {"outputs": outputs}
        change_manifest(store, golden=pairs)
        wanted = f"release 1, {TUNED}: the manifest has no golden output probability"
        assert wanted in lines(store)

    @pytest.mark.parametrize(
        ("recorded", "told"),
        [
            ({"probability": ["a"] * 3}, "output probability is recorded with what are no numbers"),
            ({"probability": [0.1]}, "output probability is recorded for 1 inputs, not 3"),
            ({"certainty": [0.1]}, "output certainty is recorded, but the model has none"),
        ],
    )
    def test_golden_pairs_that_do_not_fit(self, store, recorded, told):
        """They are a finding, not an accident."""
        path = release.manifest_path(store, 1)
        pairs = json.loads(path.read_text())["golden"]
        pairs["outputs"][TUNED] |= recorded
        change_manifest(store, golden=pairs)
        assert any(told in line for line in lines(store))


class TestConfig:
    """``models.config`` serves the newest release."""

    def test_one_of_another_release(self, tmp_path):
        """``lungs`` would not be served."""
        write_release(tmp_path, 1)
        older = (tmp_path / release.MODELS_CONFIG).read_text()
        write_release(tmp_path, 2, WITH_LUNGS)
        (tmp_path / release.MODELS_CONFIG).write_text(older)
        (line,) = lines(tmp_path, 2)
        assert "models.config is not what the manifest gives: it should serve lungs, " in line
        assert lines(tmp_path, 1) == []

    def test_one_for_another_mount(self, store):
        """Where the models are mounted is up to whoever serves them."""
        manifest = release.newest(store)
        (store / release.MODELS_CONFIG).write_text(release.models_config(manifest, "/srv/neumo"))
        assert lines(store) == []

    def test_none(self, store):
        """One line."""
        (store / release.MODELS_CONFIG).unlink()
        assert "models.config is missing or unreadable" in lines(store)[0]


def test_a_finding_is_one_line():
    """Whatever a loader says."""
    assert check.Finding(2, "lungs", "two\n lines").line == "release 2, lungs: two lines"
