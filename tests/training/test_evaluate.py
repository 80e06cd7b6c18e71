"""``neumo evaluate``: one command judges a release on a folder, and says what it left out."""

import io
import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from neumo.errors import ConfigError
from neumo_training.commands import evaluate as command
from neumo_training.datasets import film_table, splits
from neumo_training.evaluation import holdout
from neumo_training.evaluation.preparation import HOLDOUT, Request, prepare
from neumo_training.reports import evaluation_summary
from neumo_training.stage_progress import StageProgress
from support.drawn_dataset import write_films

PATHS = ("masks", "sizes", "models", "out")
NAME = re.compile(r"IM-\d+-\d+|person\d+")


def evaluate(folder, *options):
    """Run the command; the document that it wrote."""
    out = next(b for a, b in pairwise(options) if a == "--out")
    assert command.main([str(folder), *map(str, options)]) == 0
    return json.loads((out / command.JSON_FILE).read_text())


def refused(**request):
    """The one line that says why ``request`` cannot be prepared."""
    with pytest.raises(ConfigError) as caught:
        prepare(Request(**request), io.StringIO())
    return str(caught.value)


def test_every_part_is_measured_or_says_why_not(judged):
    """With masks, lungs and another release, only films of one size leave a part out."""
    assert judged.document["not_measured"].keys() == {"geometry"}


def test_the_ensemble_and_each_member_have_every_metric_with_its_interval(judged):
    """The interval lies around the value, for each of the protocol's eight metrics."""
    models = judged.document["models"]
    assert list(models) == ["ensemble", "pneumonia_tuned", "pneumonia_residual"]
    for found in models.values():
        assert len(found) == 8
        assert all(e["low"] <= e["value"] <= e["high"] for e in found.values())


def test_the_confusion_is_what_the_shipped_threshold_gives(judged):
    """Toys call a film by its brightness: no false alarm, some overlooked."""
    found, models = judged.document["confusion"], judged.document["models"]
    assert found["false_positive"] == 0
    assert found["false_negative"] > 0
    sensitivity = found["true_positive"] / (found["true_positive"] + found["false_negative"])
    assert models["ensemble"]["sensitivity"]["value"] == pytest.approx(sensitivity)


def test_another_release_is_compared_on_the_same_films(judged):
    """Release 2 overlooks fewer: the paired difference is that of the two values."""
    against, ours = judged.document["against"], judged.document["models"]["ensemble"]
    assert against["release"] == 1
    difference = against["difference"]["accuracy"]
    assert difference["value"] == pytest.approx(
        ours["accuracy"]["value"] - against["metrics"]["accuracy"]["value"]
    )
    assert difference["low"] > 0.0


def test_thresholds_fitted_here_are_told_as_such(judged):
    """Only the shipped one was not fitted on the films that it is judged on."""
    fitted = {t["name"]: t["fitted_on_these_films"] for t in judged.document["thresholds"]}
    rules = ("best_balanced", "at_sensitivity", "equal_errors")
    assert fitted == {"shipped": False} | dict.fromkeys(rules, True)


def test_a_trivial_baseline_that_does_as_well_is_told_before_any_figure(judged):
    """Toys read brightness, and so do two baselines: the films show nothing more."""
    told = judged.document["baselines"]["as_good_as_the_release"]
    assert "brightness" in told
    assert "constant" not in told
    assert any(", ".join(told) in line for line in evaluation_summary.cautions(judged.document))
    assert "A trivial baseline does as well on these films" in judged.page


def test_intervals_over_runs_and_calibration_stand_beside_those_over_patients(judged):
    """48 drawn films are no run of 100, and of no run a worst one is told."""
    found = judged.document["runs"]
    assert found["intervals_over_runs"].keys() == judged.document["models"]["ensemble"].keys()
    assert found["classes"]["PNEUMONIA"] is None
    assert "no series is as long" in evaluation_summary.text(judged.document)
    assert judged.document["calibration"].keys() == {"slope", "intercept"}
    assert len(judged.document["net_benefit"]) == 19


def test_the_least_of_a_class_under_corruptions_is_told(judged):
    """Sensitivity or specificity, whichever falls lower, up to severity 3."""
    measured = judged.document["corruptions"]
    least = measured["least_of_a_class"]
    of = measured["corruptions"][least["corruption"]][least["severity"]][least["metric"]]
    assert least["value"] == of["value"]
    assert int(least["severity"]) <= 3


def test_lungs_are_compared_with_the_masks_given(judged):
    """The toy finds the dark parts, which are the masks."""
    assert judged.document["lungs"]["dice"]["mean"]["value"] == 1.0
    assert judged.document["lungs"]["refused"]["films"] == {"NORMAL": 0, "PNEUMONIA": 0}


def test_the_heat_in_the_lungs_stands_beside_their_share_of_the_film(judged):
    """Toys look where it is bright: less of their heat is in the lungs than of the film."""
    heat = judged.document["heat"]
    assert heat["masks"] == "given"
    assert heat["share"]["value"] < heat["lungs_share_of_the_film"]["value"]


def test_the_json_tells_no_name_and_no_path(judged):
    """A document can be shared: nothing in it leads to a patient or a folder."""
    text = json.dumps(judged.document)
    assert not NAME.search(text)
    assert str(judged.data) not in text


def test_a_page_with_films_says_that_it_must_not_be_shared(judged):
    """The most certain errors are shown, four at most of each kind, without their names."""
    shown = judged.page.count("data:image/jpeg")
    assert shown == min(4, judged.document["confusion"]["false_negative"])
    assert "must not be shared" in judged.page
    assert not NAME.search(judged.page)


def test_the_page_loads_nothing(judged):
    """Every picture is inline, and there is no script and no address."""
    sources = re.findall(r'(?:src|href)="([^"]*)"', judged.page)
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert "<script" not in judged.page
    assert "url(" not in judged.page


def test_a_page_without_films_shows_none(toys, tmp_path):
    """``--no-films`` gives a report that can be shared; ``--names`` one that tells whose film."""
    data = write_films(tmp_path / "films", patients=6)
    options = ("--models", toys, "--no-films", "--names", "--out", tmp_path / "out")
    document = evaluate(data, *options)
    page = (tmp_path / "out" / command.PAGE_FILE).read_text()
    assert "data:image/jpeg" not in page
    assert "must not be shared" not in page
    assert len(document["per_film"]) == 12
    assert NAME.match(document["per_film"][0]["name"])


def test_what_cannot_be_judged_is_counted_and_named_on_the_terminal(toys, tmp_path):
    """Unreadable, repeated and contradictory files are left out, each with its reason."""
    data = write_films(tmp_path / "films", patients=8)
    (data / "NORMAL" / "IM-9000-0001.jpeg").write_bytes(b"not an image")
    shutil.copy(data / "NORMAL/IM-0000-0001.jpeg", data / "NORMAL/IM-9001-0001.jpeg")
    shutil.copy(data / "NORMAL/IM-0001-0001.jpeg", data / "PNEUMONIA/person9002_virus_1.jpeg")
    said = io.StringIO()
    subject = prepare(Request(data, tmp_path / "out", toys), said).subject
    assert sorted(e.reason for e in subject.cohort.exclusions) == [
        "the same file again",
        "the same file under both labels",
        "the same file under both labels",
        "unreadable",
    ]
    assert f"left out: {data / 'NORMAL' / 'IM-9000-0001.jpeg'}: unreadable" in said.getvalue()


def test_what_is_no_film_is_counted_on_the_terminal(toys, tmp_path):
    """A file that is passed over by its name is not passed over in silence."""
    data = write_films(tmp_path / "films", patients=6)
    (data / "NORMAL" / "notes.txt").write_text("")
    said = io.StringIO()
    prepare(Request(data, tmp_path / "out", toys), said)
    assert "neumo: files passed over, by their suffix" in said.getvalue()


def test_a_damaged_mask_is_counted_on_the_terminal(judged, tmp_path):
    """Its film is judged without it, as training would be without it."""
    masks = tmp_path / "masks"
    shutil.copytree(judged.masks, masks)
    (masks / "NORMAL" / "IM-0000-0001.png").write_bytes(b"no")
    said = io.StringIO()
    request = Request(judged.data, tmp_path / "out", judged.store, masks=masks)
    rows, _ = prepare(request, said).subject.masked
    assert len(rows) == 47
    assert "neumo: left out: 1 lung masks that cannot be read" in said.getvalue()


def test_a_training_film_that_lies_in_test_too_is_left_out_as_such(toys, tmp_path):
    """Whatever its label there: it is no contradiction within the folder that is judged."""
    train = write_films(tmp_path / "kaggle/train", patients=6)
    (tmp_path / "kaggle/test/PNEUMONIA").mkdir(parents=True)
    shutil.copy(train / "NORMAL/IM-0000-0001.jpeg", tmp_path / "kaggle/test/PNEUMONIA/another.jpeg")
    subject = prepare(Request(train, tmp_path / "out", toys), io.StringIO()).subject
    assert [e.reason for e in subject.cohort.exclusions] == ["the same file in test or val, too"]


def test_the_test_folder_is_judged_where_there_is_one(toys, tmp_path):
    """Of Kaggle's folders test comes first, then train, then val."""
    write_films(tmp_path / "kaggle/train", patients=9)
    write_films(tmp_path / "kaggle/test", patients=6)
    prepared = prepare(Request(tmp_path / "kaggle", tmp_path / "out", toys), io.StringIO())
    assert len(prepared.subject.cohort.labels) == 12


def test_the_originals_sizes_make_subgroups_and_baselines(toys, tmp_path):
    """A list of sizes stands in for those of squashed files; a film that it lacks is in neither."""
    data = write_films(tmp_path / "films", patients=9)
    lines = ["file,label,width,height"]
    for label in ("NORMAL", "PNEUMONIA"):
        names = sorted(path.name for path in (data / label).iterdir())[:-1]
        lines += [f"{name},{label},{1000 + 10 * i},1000" for i, name in enumerate(names)]
    (tmp_path / "sizes.csv").write_text("\n".join(lines))
    options = ("--models", toys, "--sizes", tmp_path / "sizes.csv", "--out", tmp_path, "--no-films")
    document = evaluate(data, *options)
    assert "geometry" not in document["not_measured"]
    assert {group["by"] for group in document["geometry"]} == {"aspect_ratio", "megapixels"}
    assert {"aspect ratio", "size"} <= document["baselines"]["auc"].keys()
    ratios = [group for group in document["geometry"] if group["by"] == "aspect_ratio"]
    assert sum(sum(group["films"].values()) for group in ratios) == 16
    assert document["baselines"]["films_of_known_size"] == 16


@pytest.fixture
def held_out(toys, tmp_path):
    """A request for the hold-out of drawn films, by splits made for them."""
    data, path = write_films(tmp_path / "films", patients=40), tmp_path / "splits.json"
    path.write_text(splits.make(film_table.scan(data)).to_json())
    return Request(data, tmp_path / "out", toys, part=HOLDOUT, splits=path)


def test_only_the_hold_out_is_judged_and_the_rest_fits_the_baselines(held_out):
    """No patient is both judged and fitted on."""
    subject = prepare(held_out, io.StringIO()).subject
    groups = set(subject.cohort.table["group"])
    assert groups == splits.read(held_out.splits).holdout
    assert groups.isdisjoint(subject.fitted_on.table["group"])


def test_a_release_reads_the_hold_out_once(held_out):
    """The second reading is refused; ``again`` allows it, and it is counted."""
    first = prepare(held_out, io.StringIO())
    prepare(held_out, io.StringIO())
    assert first.answered() == 1
    with pytest.raises(ConfigError, match=r"release 2 has read this hold-out on .* --again"):
        prepare(held_out, io.StringIO())
    again = replace(held_out, again=True)
    assert prepare(again, io.StringIO()).answered() == 2


@pytest.mark.parametrize("text", ["no json", "[]", '{"readings": [{"release": 2}]}'])
def test_a_ledger_that_was_edited_is_one_clear_line(held_out, text):
    """It is not taken for an empty one."""
    held_out.out.mkdir()
    (held_out.out / holdout.LEDGER).write_text(text)
    with pytest.raises(ConfigError, match="not a ledger of readings"):
        prepare(held_out, io.StringIO())


def test_another_release_may_read_the_hold_out_too(held_out):
    """The ledger counts each release's readings on their own."""
    prepare(held_out, io.StringIO()).answered()
    other = replace(held_out, release=1)
    assert prepare(other, io.StringIO()).answered() == 1


def test_a_release_that_is_compared_with_has_read_the_hold_out(held_out):
    """The ledger of the folder names both releases."""
    prepare(replace(held_out, against=1), io.StringIO()).answered()
    with pytest.raises(ConfigError, match="release 1 has read this hold-out"):
        prepare(replace(held_out, release=1), io.StringIO())


def test_a_second_reading_is_a_caution_in_the_report(judged):
    """Whoever reads the figures learns that they were looked at before."""
    about = {**judged.document["set"], "holdout_readings": 2}
    caution, *_ = evaluation_summary.cautions({**judged.document, "set": about})
    assert "read 2 times" in caution


def test_films_that_the_release_was_trained_on_are_a_caution(judged):
    """Figures on the training folder say nothing about new films, and the report says so."""
    about = {**judged.document["set"], "holds_training_films": True}
    caution, *_ = evaluation_summary.cautions({**judged.document, "set": about})
    assert "trained on" in caution


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"release": 7}, "no release 7 here; the releases here: 1, 2"),
        ({"against": 2}, "--against 2: that is the release that is judged"),
        ({"part": HOLDOUT}, "not the films that the splits were made for"),
        ({"masks": "none"}, "no such folder; --masks takes one"),
        ({"masks": "empty"}, "no lung mask of any of these films"),
        ({"sizes": "none.csv"}, "not a CSV of file,label,width,height"),
        ({"models": "empty"}, "no release here"),
        ({"out": "file"}, "cannot be written"),
    ],
)
def test_an_option_that_cannot_be_used_is_one_clear_line(
    films_folder, toys, tmp_path, change, line
):
    """Each says what is wrong and what to give."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    paths = {
        k: tmp_path / v if isinstance(v, str) and k != "part" else v for k, v in change.items()
    }
    known = {"folder": films_folder, "models": toys, "out": tmp_path / "out"}
    assert line in refused(**{**known, **paths})


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda data: shutil.rmtree(data / "NORMAL"), "needs the folders NORMAL and PNEUMONIA"),
        (lambda data: [p.unlink() for p in (data / "NORMAL").iterdir()], "no images here"),
        (
            lambda data: [p.unlink() for p in sorted((data / "NORMAL").iterdir())[1:]],
            "NORMAL: readable films of 1 patients; an interval needs at least 5",
        ),
        (
            lambda data: [p.write_bytes(p.name.encode()) for p in (data / "PNEUMONIA").iterdir()],
            "PNEUMONIA: readable films of 0 patients",
        ),
    ],
    ids=["class missing", "class empty", "one patient", "unreadable"],
)
def test_a_folder_that_cannot_be_judged_is_one_clear_line(toys, tmp_path, spoil, line):
    """Each says which class lacks what."""
    data = write_films(tmp_path / "films", patients=6)
    spoil(data)
    assert line in refused(folder=data, models=toys, out=tmp_path / "out")


def test_masks_of_a_few_films_are_refused(films_folder, judged, tmp_path):
    """Tests with masks need both classes, as every other does."""
    for path in (judged.masks / "NORMAL").iterdir():
        (tmp_path / "NORMAL").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "NORMAL" / path.name)
    (tmp_path / "PNEUMONIA").mkdir()
    line = refused(folder=films_folder, models=judged.store, masks=tmp_path, out=tmp_path / "out")
    assert line.startswith("PNEUMONIA: films with a mask of 0 patients")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        """Always."""
        return True


def test_progress_renews_one_line_on_a_terminal():
    """The line says the share and the stage, and is gone at the end."""
    stream = Terminal()
    progress = StageProgress(4, stream)
    progress.stage("reading")
    progress.tick(2)
    progress.close()
    assert " 50 %  reading" in stream.getvalue()
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_says_about_how_long_it_will_still_take(monkeypatch):
    """Half of the films after a minute leave another minute."""
    now = iter([0.0, 60.0, 60.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    stream = Terminal()
    StageProgress(4, stream).tick(2)
    assert stream.getvalue().endswith("about 1:00 left")
