"""The program `neumo`: finds commands, and turns every mistake into one line and a status."""

import os
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

from neumo.commands import program as neumo_program

FAKES = '''
from neumo.errors import ConfigError, ContractError, ImageError, NotAChestRadiograph, Unavailable

def well(argv):
    """Do well.

    More about it.
    """
    print("did", *argv)
    return 0

def config(argv):
    raise ConfigError("bad\\n  option")

def image(argv):
    raise NotAChestRadiograph("not a chest")

def contract(argv):
    raise ContractError("another contract")

def serving(argv):
    raise Unavailable("pneumonia_tuned", "grpc://h:1", "refused")

def interrupted(argv):
    raise KeyboardInterrupt

def third(argv):
    import a_package_that_nobody_has.part

def bug(argv):
    raise AttributeError("a mistake of ours")
'''


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Commands that fail in every way, declared as packages declare theirs."""
    (tmp_path / "fake_commands.py").write_text(FAKES)
    monkeypatch.syspath_prepend(tmp_path)
    names = ("well", "config", "image", "contract", "serving", "interrupted", "bug")
    found = [EntryPoint(name, f"fake_commands:{name}", neumo_program.GROUP) for name in names]
    found.append(EntryPoint("third", "fake_commands:third [serving]", neumo_program.GROUP))
    found.append(EntryPoint("absent", "fake_commands:absent [serving]", neumo_program.GROUP))
    found.append(EntryPoint("unbuilt", "neumo.commands.unbuilt:main", neumo_program.GROUP))
    monkeypatch.setattr(neumo_program, "entry_points", lambda group: found)


def program(*arguments: str, **options) -> subprocess.CompletedProcess:
    """The program as a user runs it."""
    command = [sys.executable, "-m", "neumo.commands.program", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.usefixtures("fakes")
class TestStatus:
    """What went wrong decides the exit status."""

    def test_well(self, capsys):
        """A command gets its arguments, and its status is the program's."""
        assert neumo_program.main(["well", "a", "b"]) == 0
        assert capsys.readouterr().out == "did a b\n"

    @pytest.mark.parametrize(
        ("name", "status", "line"),
        [
            ("config", 2, "neumo: bad option\n"),
            ("image", 2, "neumo: not a chest\n"),
            ("contract", 3, "neumo: another contract\n"),
            ("interrupted", 130, ""),
        ],
    )
    def test_errors(self, capsys, name, status, line):
        """Each kind of error has its status, and one line on stderr."""
        assert neumo_program.main([name]) == status
        assert capsys.readouterr() == ("", line)

    def test_serving(self, capsys):
        """A server that is not there is status 3, with its address."""
        assert neumo_program.main(["serving"]) == 3
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "grpc://h:1" in error

    def test_bugs_are_not_hidden(self):
        """A mistake in neumo itself is not dressed up as the user's."""
        with pytest.raises(AttributeError):
            neumo_program.main(["bug"])

    def test_missing_package(self, capsys):
        """A third party's package that is missing leads to the extra that brings it."""
        assert neumo_program.main(["third"]) == 2
        wanted = neumo_program.missing("third", ("serving",), "tensorflow", sys.version_info[:2])
        assert capsys.readouterr().err == f"{wanted}\n"

    @pytest.mark.parametrize("name", ["absent", "unbuilt"])
    def test_missing_part_of_neumo(self, capsys, name):
        """A part of neumo that is missing is not blamed on an extra."""
        assert neumo_program.main([name]) == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_help_lists_every_command(self, capsys):
        """Help shows the first line of each command's docstring, also beside broken ones."""
        assert neumo_program.main(["--help"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert any(line.split() == ["well", "Do", "well."] for line in lines)
        assert all(len(line) <= 100 for line in lines)

    def test_unknown_command(self, capsys):
        """A misspelt command is answered with the nearest one."""
        assert neumo_program.main(["wel"]) == 2
        assert capsys.readouterr().err == "neumo: no command 'wel': did you mean well?\n"
        assert neumo_program.main(["xyzzy"]) == 2
        assert "neumo --help" in capsys.readouterr().err


class TestMissing:
    """The line about a package that is missing."""

    def test_extra(self):
        """The entry point's extra is named."""
        line = neumo_program.missing("serve", ("serving",), "tensorflow", (3, 13))
        assert line == "neumo serve needs more packages: pip install 'neumo[serving]'"

    def test_python_without_tensorflow(self):
        """On a Python that TensorFlow has no wheels for, installing would not help."""
        line = neumo_program.missing("serve", ("serving",), "tensorflow", (3, 14))
        assert line == "neumo serve needs TensorFlow and so Python 3.11 to 3.13; this is 3.14"

    def test_extra_without_tensorflow_on_a_new_python(self):
        """An extra without TensorFlow installs on every Python."""
        line = neumo_program.missing("rollout", ("k8s",), "kubernetes", (3, 14))
        assert "pip install 'neumo[k8s]'" in line

    @pytest.mark.parametrize("module", ["neumo_serving.engine", "neumo.nothing"])
    def test_neumos_own(self, module):
        """A module of neumo's own is no extra's fault."""
        assert "reinstall" in neumo_program.missing("serve", ("serving",), module, (3, 12))


class TestProgram:
    """The program run as a user runs it."""

    def test_version(self):
        """It names its version."""
        result = program("--version")
        assert result.returncode == 0
        assert result.stdout.startswith("neumo ")

    def test_no_command(self):
        """Without a command it says which there are, and that this was no use of it."""
        result = program()
        assert result.returncode == 2
        assert "predict" in result.stdout

    def test_every_declared_command_of_the_sdk_has_a_summary(self):
        """The SDK's own commands load and say what they do."""
        for entry in entry_points(group=neumo_program.GROUP):
            if entry.module.startswith("neumo.commands"):
                assert (entry.load().__doc__ or "").strip(), entry.name

    @pytest.mark.parametrize(
        "arguments",
        [
            ["predict"],
            ["predict", "--timeout", "0", "a.png"],
            ["predict", "--timeout", "nan", "a.png"],
            ["predict", "--timeout", "soon", "a.png"],
            ["predict", "--release", "x", "a.png"],
            ["predict", "--json", "--csv", "a.png"],
            ["predict", "--server", "ftp://h", "a.png"],
            ["predict", "--nonsense", "a.png"],
            ["status", "--server", ":::"],
            ["status", "extra"],
            ["demo", "--nonsense"],
        ],
    )
    def test_wrong_command_lines(self, arguments, tmp_path):
        """A wrong option is one line that says where to read on or what to give."""
        result = program(*arguments, cwd=tmp_path)
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("neumo: ")

    @pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise on Windows")
    def test_reader_that_leaves(self):
        """`neumo ... | head` ends without a word when head has read enough."""
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run(
            [sys.executable, "-m", "neumo.commands.program", "--help"],
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writer)
        assert result.stderr == b""
        assert result.returncode == 141

    def test_no_tensorflow_is_imported(self):
        """Help imports nothing that takes seconds."""
        code = (
            "import sys; from neumo.commands import program; program.main(['--help']); "
            "sys.exit('tensorflow' in sys.modules)"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert result.returncode == 0
