"""The program ``neumo`` against the real server: films, folders, and every kind of bad input."""

from __future__ import annotations

import csv
import io
import json
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from neumo import image, release

EXPECTED_KEYS = {
    "file",
    "label",
    "probability",
    "threshold",
    "release",
    "unanimous",
    "screened",
    "members",
    "warnings",
    "seconds",
    "timings",
    "error",
}


def one_line(done, status):
    """The single line on stderr of a run that ended with ``status``."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def huge_png(side):
    """A small file whose header says ``side`` x ``side``."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * (side + 1) * 64)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def jpeg():
    """A whole JPEG."""
    buffer = io.BytesIO()
    pixels = np.random.RandomState(0).randint(0, 256, (300, 300)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def png(side):
    """A PNG of ``side`` pixels."""
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


BAD_FILES = [
    (
        "text called scan.jpeg",
        "scan.jpeg",
        b"Dear colleague, the film is attached.",
        "not an image",
    ),
    ("a truncated JPEG", "scan.jpeg", jpeg()[:2000], "damaged or cut off"),
    ("an empty file", "scan.png", b"", "the file is empty"),
    ("a 1 x 1 image", "dot.png", png(1), "1 x 1"),
    ("a 30,000 x 30,000 PNG", "wall.png", huge_png(30_000), "more than 64 megapixels"),
]


@pytest.mark.parametrize(
    ("name", "content", "text"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES]
)
def test_a_bad_image_is_one_line_that_says_what_to_do(neumo_program, tmp_path, name, content, text):
    """Exit status 2; ``--json`` parses all the same and holds the error."""
    (tmp_path / name).write_bytes(content)
    line = one_line(neumo_program("predict", tmp_path / name), 2)
    assert line.startswith(f"neumo: {tmp_path / name}: ")
    assert text in line
    done = neumo_program("predict", "--json", tmp_path / name)
    (answer,) = json.loads(done.stdout)
    assert answer["error"]["type"] == "ImageError"
    assert answer["label"] is None


def test_a_folder_without_images_is_one_line(neumo_program, tmp_path):
    """Exit status 2."""
    (tmp_path / "letter.txt").write_text("Dear colleague")
    assert "no image in this folder" in one_line(neumo_program("predict", tmp_path), 2)


def test_a_file_that_is_not_there_is_one_line(neumo_program, tmp_path):
    """Exit status 2."""
    assert "no such file" in one_line(neumo_program("predict", tmp_path / "a.png"), 2)


@pytest.mark.parametrize("scheme", ["grpc", "http"])
@pytest.mark.parametrize("command", ["predict", "status"])
def test_a_server_that_is_not_there_is_one_line(neumo_program, drawn_film, scheme, command):
    """Exit status 3, and what to start."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}"
        arguments = [command, drawn_film] if command == "predict" else [command]
        line = one_line(neumo_program(*arguments, server=server), 3)
    assert "start one with: neumo serve" in line


def test_a_bad_film_among_good_ones_loses_nothing(neumo_program, drawn_film, tmp_path):
    """The good ones are answered, the bad one is a line; exit status 2."""
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    done = neumo_program("predict", "--json", drawn_film, bad, drawn_film)
    assert "the file is empty" in one_line(done, 2)
    first, second, third = json.loads(done.stdout)
    assert first["label"] == third["label"] is not None
    assert second["error"]["type"] == "ImageError"


def test_all_validation_films_are_answered_as_files_and_as_a_folder(neumo_program, val_films):
    """At their original size; both ways give the same JSON but for the times."""
    folder = val_films[0].parents[1]
    answers = []
    for arguments in (val_films, [folder]):
        done = neumo_program("predict", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        found = json.loads(done.stdout)
        assert len(found) == len(val_films) == 16
        assert all(answer.keys() == EXPECTED_KEYS for answer in found)
        assert [answer["file"] for answer in found] == [str(film) for film in val_films]
        answers.append([(a["label"], a["probability"], a["release"]) for a in found])
    assert answers[0] == answers[1]


def test_a_table_names_label_members_threshold_and_release(neumo_program, drawn_film):
    """One line for each film, for people."""
    header, row, *_ = neumo_program("predict", drawn_film).stdout.splitlines()
    assert header.split() == [
        "film",
        "label",
        "probability",
        "tuned",
        "residual",
        "threshold",
        "release",
        "time",
    ]
    assert row.split()[1] in ("NORMAL", "PNEUMONIA")


def test_csv_has_a_row_for_each_film(neumo_program, drawn_film):
    """Numbers that a spreadsheet reads."""
    (row,) = csv.DictReader(io.StringIO(neumo_program("predict", "--csv", drawn_film).stdout))
    assert row["file"] == str(drawn_film)
    mean = (float(row["pneumonia_tuned"]) + float(row["pneumonia_residual"])) / 2
    assert float(row["probability"]) == pytest.approx(mean)


def test_a_heat_map_is_drawn_beside_the_film(neumo_program, drawn_film, tmp_path):
    """``--plot`` writes a picture that can be opened."""
    target = tmp_path / "heat.png"
    done = neumo_program("predict", "--plot", target, drawn_film)
    assert done.returncode == 0, done.stderr
    with Image.open(target) as picture:
        assert picture.width > picture.height > 256


def test_status_names_the_ready_release(neumo_program):
    """For people and as JSON."""
    newest = release.newest(release.shipped()).release
    assert neumo_program("status").stdout.splitlines()[-1] == f"ready: release {newest}"
    found = json.loads(neumo_program("status", "--json").stdout)
    assert found["ready_releases"] == [newest]
    assert [model["model"] for model in found["models"]] == [
        "pneumonia_tuned",
        "pneumonia_residual",
        "lungs",
    ]


def test_the_demo_runs_from_any_folder(neumo_program, tmp_path):
    """It starts its own server, answers the film that a package ships, and says whose it is."""
    done = neumo_program("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in ("an adult's", "not a diagnosis", "probability", "tuned", "residual", "threshold"):
        assert text in done.stdout
    with Image.open(tmp_path / "neumo-demo" / "RG1_UNCR.png") as picture:
        assert picture.size[0] > 512


def test_the_demo_takes_any_films(neumo_program, drawn_film, tmp_path):
    """A bad one among them is a line; the others are answered."""
    bad = tmp_path / "bad.jpeg"
    bad.write_bytes(b"text")
    done = neumo_program("demo", drawn_film, bad, "--out", tmp_path / "out", cwd=tmp_path)
    assert "not an image" in one_line(done, 2)
    assert (tmp_path / "out" / "drawn.png").exists()


def test_a_film_says_what_is_special_about_it(served):
    """The demo's film is an adult's: its DICOM header says so, and the prediction repeats it."""
    import neumo
    from neumo.commands import demo

    film = image.read(demo._default_film())
    with neumo.Client(served.grpc_url) as client:
        prediction = client.predict(demo._default_film())
    assert [w.code for w in film.cautions] == ["adult"]
    assert "adult" in [w.code for w in prediction.warnings]
