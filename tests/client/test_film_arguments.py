"""Arguments of the command line become the films they mean."""

import os
from pathlib import Path

import pytest

from neumo.commands import film_paths, picture_paths
from neumo.errors import ConfigError, ImageError


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder as hospitals send them."""
    for name in ("b.jpeg", "a.PNG", "notes.txt", "sub/c.dcm", ".hidden.png", ".cache/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("sub/IM000001", "DICOMDIR"):
        (tmp_path / name).write_bytes(bytes(128) + b"DICM")
    return tmp_path


def names(found: film_paths.Found, folder: Path) -> list[str]:
    """The files found, relative to ``folder``."""
    return [path.relative_to(folder).as_posix() for path in found.files]


def test_folder_means_the_films_below(folder):
    """Films by suffix or magic, sorted, from all levels; neither hidden files nor the index."""
    found = film_paths.find([str(folder)])
    assert names(found, folder) == ["a.PNG", "b.jpeg", "sub/IM000001", "sub/c.dcm"]
    assert found.refused == ()


def test_file_named_is_taken_as_it_is(folder):
    """A file that is named is not judged by its suffix."""
    assert names(film_paths.find([str(folder / "notes.txt")]), folder) == ["notes.txt"]


def test_order_of_arguments_is_kept(folder):
    """Arguments are answered in the order given, repeated ones too."""
    given = [str(folder / "b.jpeg"), str(folder / "a.PNG"), str(folder / "b.jpeg")]
    assert names(film_paths.find(given), folder) == ["b.jpeg", "a.PNG", "b.jpeg"]


def test_pattern_is_expanded(folder):
    """A pattern that the shell left is expanded, across folders with two stars."""
    assert names(film_paths.find([str(folder / "*.jpeg")]), folder) == ["b.jpeg"]
    assert names(film_paths.find([str(folder / "**" / "*.dcm")]), folder) == ["sub/c.dcm"]


def test_file_with_brackets_in_its_name(folder):
    """A file whose name looks like a pattern is that file."""
    (folder / "film[1].png").write_bytes(b"x")
    assert names(film_paths.find([str(folder / "film[1].png")]), folder) == ["film[1].png"]


def test_missing_file_is_left_to_the_reader(folder):
    """A missing file stays in the list: reading it says that it is missing."""
    assert names(film_paths.find([str(folder / "nothing.png")]), folder) == ["nothing.png"]


@pytest.mark.parametrize("argument", ["empty", "*.gif"])
def test_nothing_found(tmp_path, argument):
    """A folder without films and a pattern without files are refused, others still found."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "film.png").write_bytes(b"x")
    found = film_paths.find([str(tmp_path / argument), str(tmp_path / "film.png")])
    assert [type(error) for _, error in found.refused] == [ImageError]
    assert names(found, tmp_path) == ["film.png"]


def test_an_empty_name_is_not_this_folder():
    """What a script passes by mistake is refused, and does not read every film around."""
    found = film_paths.find([""])
    assert not found.files
    assert [str(error) for _, error in found.refused] == ["an empty name: give a film or a folder"]


def test_link_in_a_circle(folder):
    """A folder that links to itself is walked once."""
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    assert len(film_paths.find([str(folder)]).files) == 4


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_impossible_name(name):
    """A name that the system refuses is left to the reader, too."""
    assert film_paths.find([name]).files == (Path(name),)


def test_names_are_shown_without_control_characters():
    """A name cannot move the terminal's cursor or break the encoding."""
    undecodable = os.fsdecode(b"\xff") if os.name == "posix" else "\udcff"
    assert film_paths.shown(f"a\x1b[2Jb\n{undecodable}é.png") == "a\ufffd[2Jb\ufffd\ufffdé.png"


class TestPictures:
    """Where heat maps go."""

    def test_one_film_one_picture(self):
        """For one film the name given is the picture's."""
        assert picture_paths.targets("out.png", [Path("a.jpeg")]) == [Path("out.png")]

    def test_folder_for_several(self, tmp_path):
        """For several films a folder gets one PNG each, none twice."""
        films = [Path("a/x.jpeg"), Path("b/x.png"), Path("y.dcm")]
        made = picture_paths.targets(f"{tmp_path}/new/", films)
        assert [path.name for path in made] == ["x.png", "x-2.png", "y.png"]
        assert (tmp_path / "new").is_dir()

    def test_one_picture_for_several(self):
        """Several films in one picture is a mistake, and the line says what to give."""
        with pytest.raises(ConfigError, match=r"out.png/"):
            picture_paths.targets("out.png", [Path("a.png"), Path("b.png")])

    def test_film_is_never_overwritten(self, tmp_path):
        """A picture never takes the place of a film."""
        with pytest.raises(ConfigError, match="overwrite"):
            picture_paths.targets(str(tmp_path), [tmp_path / "a.png"])

    def test_folder_that_cannot_be_made(self, tmp_path):
        """A folder below a file cannot be made, and says so."""
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(ConfigError, match="no such folder"):
            picture_paths.targets(f"{tmp_path}/file/pictures/", [Path("a.png")])
