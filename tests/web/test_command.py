"""``neumo web`` on the command line."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import pytest

from neumo.errors import ConfigError
from neumo_serving.commands.web import read
from neumo_serving.gateway.gateway_settings import Settings


def test_without_options_everything_is_as_the_settings_have_it():
    """It listens on this machine only."""
    assert read([], {}) == Settings()
    assert Settings().host == "127.0.0.1"


def test_help_is_quick():
    """Neither FastAPI nor the SDK's transports are imported for it."""
    program = (
        "import sys; from neumo_serving.commands import web\n"
        "try: web.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('fastapi', 'grpc', 'numpy', 'uvicorn') if n in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "[]"
    assert "--token-file" in told.stdout


def test_tokens_come_from_a_file_or_the_environment(tmp_path):
    """One a line; only their digests are kept."""
    (tmp_path / "tokens").write_text("sesame-open-the-door\n\na-newer-token-of-it\n")
    digests = tuple(sha256(t).digest() for t in (b"sesame-open-the-door", b"a-newer-token-of-it"))
    chosen = read(["--token-file", str(tmp_path / "tokens")], {"NEUMO_WEB_TOKEN": "other"})
    assert chosen.access.token_digests == digests
    assert read([], {"NEUMO_WEB_TOKEN": "sesame-open-the-door"}).access.token_digests == digests[:1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "--port: not a whole number from 0 to 65535"),
        (["--rate", "-1"], "--rate: not a number from 0"),
        (["--deadline", "soon"], "--deadline: not a number"),
        (["--max-film-mib", "100", "--max-request-mib", "50"], "raise that, too"),
        (["--max-request-mib", "1000"], "--max-held-mib: raise that, too"),
        (["--user-header", "X-User"], "--trust-proxy"),
        (["--trust-proxy", "10.0.0.1/8"], "not a network such as 10.1.2.0/28"),
        (["--token-file", "/nowhere"], "cannot be read"),
        (["--token-file", "/dev/null"], "no token in it"),
        (["--port=9", "--operators-port=9"], "are the same: give two"),
        (["--shadow-share=2", "--shadow=grpc://canary"], "not a share from 0 to 1"),
        (["--shadow-alpha=1", "--shadow=grpc://canary"], "not below 1"),
        (["--nonsense"], "see: neumo web --help"),
    ],
)
def test_a_mistake_is_one_line(arguments, words):
    """It says what to do."""
    with pytest.raises(ConfigError, match=words) as error:
        read(arguments, {})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--server", "nonsense"], "is no server's URL"),
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid"),
    ],
)
def test_what_cannot_be_served_ends_it_with_status_2(arguments, words):
    """In one line, before anything is served."""
    ended = subprocess.run(
        [sys.executable, "-m", "neumo.commands.program", "web", "--port=0", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert words in line
