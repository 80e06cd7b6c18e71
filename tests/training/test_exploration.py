"""`neumo data`: what a folder holds, what is left out and why, as lines, tables and a page."""

import json
import re
import shutil
from html.parser import HTMLParser

import pandas as pd
import pytest

from neumo.errors import ConfigError
from neumo_training.commands import data
from neumo_training.datasets import film_table, splits
from neumo_training.reports.exploration import (
    exploration_page,
    exploration_report,
    film_measures,
    film_plots,
    film_tables,
    folder_numbers,
)
from support.drawn_dataset import PATIENTS, write_films
from support.film_tables import normals_and_persons, table

HALF = PATIENTS // 2


@pytest.fixture
def folder(tmp_path):
    """Drawn films in Kaggle's layout, free to be spoilt."""
    write_films(tmp_path / "chest_xray" / "train")
    return tmp_path / "chest_xray"


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """A folder with one fault of each kind, explored, and where its report lies."""
    folder = tmp_path_factory.mktemp("spoilt")
    train = write_films(folder / "train")
    spoil(folder)
    sizes = pd.DataFrame(
        [(path.name, "NORMAL", 1600, 1200) for path in (train / "NORMAL").glob("IM-*")],
        columns=["file", "label", "width", "height"],
    )
    found = exploration_report.explore(folder, sizes)
    return found, exploration_report.write(found, folder / "out").parent


def spoil(folder):
    """An unreadable film, a duplicate, a contradiction, one in test, an odd and a misfiled name."""
    normal, ill = (folder / "train" / label for label in ("NORMAL", "PNEUMONIA"))
    (normal / "IM-0900-0001.jpeg").write_bytes(b"no image")
    shutil.copy(normal / "IM-0001-0001.jpeg", normal / "IM-0901-0001.jpeg")
    shutil.copy(normal / "IM-0002-0001.jpeg", ill / "person902_virus_1.jpeg")
    (folder / "test" / "NORMAL").mkdir(parents=True)
    shutil.copy(normal / "IM-0003-0001.jpeg", folder / "test" / "NORMAL" / "another-name.jpeg")
    (normal / "IM-0004-0001.jpeg").rename(normal / "a<b>.jpeg")
    (normal / "IM-0005-0001.jpeg").rename(normal / "person903_virus_1.jpeg")
    (normal / "notes.txt").write_text("not a film")


class TestSummary:
    """`neumo data FOLDER` counts without reading a picture."""

    def test_what_the_folder_holds(self, folder, capsys):
        """Films, types, patients, what training keeps, and the parts."""
        assert data.main([str(folder)]) == 0
        assert capsys.readouterr().out.splitlines() == [
            f"films: {PATIENTS} NORMAL, {PATIENTS} PNEUMONIA; "
            f"types: {HALF} bacteria, {PATIENTS} normal, {HALF} virus",
            f"patients: {PATIENTS} NORMAL, {PATIENTS} PNEUMONIA; 0 with both types",
            f"training keeps, one-per-patient: {PATIENTS} NORMAL, {PATIENTS} PNEUMONIA",
            f"training keeps, all-weighted: {PATIENTS} NORMAL, {PATIENTS} PNEUMONIA",
            "locked hold-out: 4 NORMAL, 4 PNEUMONIA",
            "development, in 3 folds: 20 NORMAL, 20 PNEUMONIA; curated and balanced: 40",
        ]

    def test_the_verb_may_be_named(self, folder, capsys):
        """`neumo data FOLDER` is short for `neumo data summary FOLDER`."""
        data.main([str(folder)])
        short = capsys.readouterr().out
        data.main(["summary", str(folder)])
        assert capsys.readouterr().out == short

    def test_as_json_and_csv(self, folder, tmp_path, capsys):
        """The counts for a script, the films as a table."""
        data.main([str(folder), "--json", "--csv", str(tmp_path / "films.csv")])
        assert json.loads(capsys.readouterr().out)["films"]["NORMAL"] == PATIENTS
        assert len(pd.read_csv(tmp_path / "films.csv")) == 2 * PATIENTS

    def test_everything_left_out_or_uncertain_is_a_line(self, folder, capsys):
        """Nothing is dropped in silence."""
        spoil(folder)
        data.main([str(folder)])
        lines = capsys.readouterr().out.splitlines()
        for told in (
            "names that tell no patient: 1 NORMAL, 0 PNEUMONIA: each film counts as a patient of "
            "its own, so films of one child may lie in two parts",
            "names that tell the other class: 1 NORMAL, 0 PNEUMONIA: "
            "the folder counts, not the name",
            "in a folder beside train, too: 1 test: left out of training",
            "identical files under both labels: 1 set: none of them is used",
            "identical files: 1 set: of each the first by name stays",
            "of these, under several patients: 1: the first film's patient stays",
            "left out for these reasons: 4 films",
            "files passed over, by their suffix, hidden, or since they lie in subfolders: 1",
        ):
            assert told in lines

    def test_a_single_patient_is_described_and_said_to_be_too_few(self, tmp_path, capsys):
        """Exploring goes on where training could not."""
        write_films(tmp_path / "few", patients=1)
        assert data.main([str(tmp_path / "few")]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == (
            "no hold-out and no folds, so nothing to train with: "
            "NORMAL: 1 patient is too few; 4 are the least"
        )

    def test_a_missing_class_is_one_clear_line(self, folder):
        """Both are needed."""
        shutil.rmtree(folder / "train" / "PNEUMONIA")
        with pytest.raises(ConfigError, match="needs the folders NORMAL and PNEUMONIA"):
            data.main([str(folder)])


class TestDescription:
    """The numbers of a table of films."""

    def test_duplicates_across_the_parts_of_the_split(self):
        """Where one film of a set is in the hold-out and another is not, that is counted."""
        films = normals_and_persons(40)
        chosen = splits.make(films)
        films.loc[films["group"] == "normal-39", "sha256"] = "n0"
        found = folder_numbers.describe(films, chosen)
        assert found["duplicates"]["sets_across_parts"] == 1
        assert "of these, in several parts of the split: 1: the first film's part stays" in (
            folder_numbers.statements(found)
        )

    def test_patients_with_both_types(self):
        """Viral and bacterial pneumonia of one patient, in films that are not copies."""
        rows = [
            ("NORMAL", "normal", "IM", 1, "normal-1", "n"),
            ("PNEUMONIA", "virus", "person", 1, "person-1", "v"),
            ("PNEUMONIA", "bacteria", "person", 1, "person-1", "b"),
            ("PNEUMONIA", "virus", "person", 2, "person-2", "w"),
        ]
        assert folder_numbers.describe(table(rows), None)["patients_with_both_types"] == 1

    def test_a_class_of_which_nothing_can_be_read_is_one_clear_line(self, folder):
        """There is nothing to explore."""
        for path in (folder / "train" / "NORMAL").iterdir():
            path.write_bytes(b"no image")
        with pytest.raises(ConfigError, match="no film of class NORMAL is left"):
            exploration_report.explore(folder)


class TestMeasures:
    """What each film measures."""

    def test_a_film_that_cannot_be_read_says_why(self, folder):
        """It stays in the table, with its reason."""
        (folder / "train" / "NORMAL" / "IM-0000-0001.jpeg").write_bytes(b"no image")
        measured = film_measures.measure(film_table.scan(folder))
        assert (measured["error"] != "").sum() == 1
        assert measured.iloc[0]["error"].startswith("not an image")
        assert measured.iloc[0][["width_px", "brightness"]].isna().all()

    def test_the_size_is_the_files_and_the_brightness_what_the_models_see(self, folder):
        """The drawn pneumonia films are 60 grey levels brighter."""
        films = film_table.scan(folder)
        measured = film_measures.measure(films)
        assert set(measured["width_px"]) == {224}
        brightness = measured.groupby(films["label"])["brightness"].mean()
        assert brightness["PNEUMONIA"] - brightness["NORMAL"] > 30

    @pytest.mark.parametrize(
        ("values", "auc"),
        [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 1.0), ([1, 1, 1, 1], None), ([1, 2, 1, 2], 0.5)],
    )
    def test_how_well_a_measure_alone_tells_the_classes_apart(self, values, auc):
        """By its AUC, whichever class has the larger values."""
        labels = pd.Series(["NORMAL", "NORMAL", "PNEUMONIA", "PNEUMONIA"])
        assert film_measures.separation(pd.Series(values), labels) == auc


class TestTables:
    """The tables that lie beside the page."""

    def test_each_film_and_what_each_policy_does_with_it(self, explored):
        """Kept, or the step that left it out; drawn by the weights, which sum to 1."""
        films = pd.read_csv(explored[1] / "films.csv", keep_default_na=False).set_index("name")
        for policy in ("one-per-patient", "all-weighted"):
            verdicts = films[policy]
            assert verdicts["IM-0900-0001.jpeg"] == "unreadable"
            assert verdicts["IM-0003-0001.jpeg"] == "other parts"
            assert verdicts["IM-0002-0001.jpeg"] == "contradictions"
            assert verdicts["IM-0901-0001.jpeg"] == "duplicates"
            assert verdicts["IM-0010-0001.jpeg"] == "kept"
            drawn = films[f"weight {policy}"]
            assert drawn.sum() == pytest.approx(1.0)
            assert ((drawn > 0) == (verdicts == "kept")).all()

    def test_each_patient(self, explored):
        """How many films of which type, and in which part."""
        patients = pd.read_csv(explored[1] / "patients.csv").set_index("patient")
        assert patients.loc["person-1", ["films", "virus", "bacteria"]].tolist() == [1, 1, 0]
        assert patients.loc["IM-0", "part"] == "hold-out"
        assert patients["films"].sum() == len(explored[0].films)

    def test_every_number_of_the_document(self, explored):
        """Also those of the steps."""
        counts = pd.read_csv(explored[1] / "counts.csv", keep_default_na=False)
        assert counts.set_index(["what", "of"])["count"].loc[
            [
                ("films", "NORMAL"),
                ("curation / one-per-patient / unreadable / left_out", "NORMAL"),
            ]
        ].tolist() == [PATIENTS + 2, 1]

    def test_a_patient_with_both_types_is_marked(self):
        """In the patients' table, too."""
        rows = [
            ("NORMAL", "normal", "IM", 1, "normal-1", "n"),
            ("PNEUMONIA", "virus", "person", 1, "person-1", "v"),
            ("PNEUMONIA", "bacteria", "person", 1, "person-1", "b"),
        ]
        found = film_tables.patients(table(rows).assign(part="")).set_index("patient")
        assert found["both_types"].to_dict() == {"IM-1": False, "person-1": True}


@pytest.fixture(scope="module")
def html(explored):
    """The page's text."""
    return (explored[1] / exploration_report.PAGE).read_text()


class Links(HTMLParser):
    """Every address in a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        """Keep the addresses that a browser would fetch or follow."""
        self.found += [value for name, value in attrs if name in {"src", "href", "data"}]


class TestPage:
    """The page stands alone, and shows and names no film."""

    def test_it_needs_no_other_file(self, html):
        """Everything is in it, and it forbids itself the rest."""
        links = Links()
        links.feed(html)
        assert links.found
        assert all(link.startswith("data:image/svg+xml;base64,") for link in links.found)
        assert "default-src 'none'" in html

    def test_it_says_that_it_is_no_diagnosis(self, html):
        """As everything of neumo."""
        assert exploration_page.NOTICE in html

    def test_neither_page_nor_json_name_a_film(self, html, explored):
        """They can be shown to others; the CSV files cannot."""
        text = html + (explored[1] / "report.json").read_text()
        for name in explored[0].films["name"]:
            assert name.removesuffix(".jpeg") not in text

    def test_it_tells_what_was_left_out_and_what_was_kept(self, html):
        """The same lines as the summary, and each policy's steps."""
        assert "<li>unreadable: 1 NORMAL, 0 PNEUMONIA: left out</li>" in html
        for policy in ("one-per-patient", "all-weighted"):
            assert f"<h3>{policy}</h3>" in html

    def test_it_tells_which_measure_alone_tells_the_classes_apart(self, html):
        """The drawn classes differ in brightness, and only in it by design."""
        row = re.search(r"<tr><td>brightness.*?</tr>", html)[0]
        assert float(re.findall(r"<td>([\d.]+)</td>", row)[-1]) > 0.9

    def test_the_originals_sizes_are_told_beside_the_files(self, html):
        """A copy's own size tells nothing."""
        assert "Sizes of the originals" in html
        assert "1600 (1600 to 1600)" in html

    def test_films_that_cannot_be_split(self, tmp_path):
        """The page says so in place of the parts."""
        write_films(tmp_path / "few", patients=2)
        found = exploration_report.explore(tmp_path / "few")
        assert "These films cannot be split" in exploration_page.page(found.document, found.films)

    def test_a_plot_is_the_same_every_time(self):
        """So that a report that is made again differs only in what differs."""
        counts = {"hold-out": {"NORMAL": 3, "PNEUMONIA": 4}}
        assert film_plots.bars(counts) == film_plots.bars(counts)


class TestCommand:
    """`neumo data report`."""

    def test_it_writes_all_and_says_where(self, films_folder, tmp_path, capsys):
        """The page, the JSON and three tables."""
        out = tmp_path / "out"
        assert data.main(["report", str(films_folder), "--out", str(out)]) == 0
        assert sorted(path.name for path in out.iterdir()) == [
            *("counts.csv", "films.csv", "patients.csv", "report.html", "report.json")
        ]
        last = capsys.readouterr().out.splitlines()[-1]
        assert last == f"the page is {out / 'report.html'}; no film is in it"

    def test_sizes_of_other_films_are_refused(self, films_folder, tmp_path):
        """They would say nothing about these."""
        sizes = tmp_path / "sizes.csv"
        sizes.write_text("file,label,width,height\nelse.jpeg,NORMAL,100,100\n")
        with pytest.raises(ConfigError, match="none of these films is among"):
            data.main(["report", str(films_folder), "--sizes", str(sizes)])

    @pytest.mark.parametrize(
        "text", [None, "", "file,label\na,b\n", "file,label,width,height\na,b,c,d\n"]
    )
    def test_a_file_of_sizes_that_is_none(self, films_folder, tmp_path, text):
        """One line that says what it should be."""
        sizes = tmp_path / "sizes.csv"
        if text is not None:
            sizes.write_text(text)
        with pytest.raises(ConfigError, match="not a CSV of file,label,width,height"):
            data.main(["report", str(films_folder), "--sizes", str(sizes)])

    def test_a_folder_that_cannot_be_written_to(self, films_folder, tmp_path):
        """One line."""
        (tmp_path / "file").write_text("")
        arguments = ["report", str(films_folder), "--out", str(tmp_path / "file")]
        with pytest.raises(ConfigError, match="cannot be written"):
            data.main(arguments)
