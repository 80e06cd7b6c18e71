"""Films stay in memory: nothing of them is written or said."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydicom.data import get_testdata_file

from neumo import contract
from neumo.testing import FakeTransport, answering
from support import films
from support.gateway_process import answering_from, ask, form, request, write_nothing

FILE_NAME = "secretfile-dupont.dcm"


@pytest.fixture
def asked(web):
    """The answers to everything that could give a film away: whole, broken, refused, explained."""
    film = films.file("DICOM")
    large = films.enlarged(8)
    assert len(large) > 16 * 2**20
    sent = [
        request("/v1/predictions", *form(film, large, film[: len(film) // 2], name=FILE_NAME)),
        request("/v1/explanations", *form(large, name=FILE_NAME)),
        request("/v1/predictions", film + b"x", {"Content-Type": "text/plain"}),
        request(f"/v1/predictions/{FILE_NAME}", film),
        request(
            f"/v1/predictions?name={FILE_NAME}", film.replace(b"CHEST", b"\xff\xfe\xfd\xfc\xfb")
        ),
        request("/v1/predictions", *form(film, field=FILE_NAME)),
        b"GET /" + FILE_NAME.encode() + b" nonsense\r\n\r\n",
    ]

    async def talk():
        return [await ask(web.port, one) for one in sent]

    answers = asyncio.run(talk())
    assert [answer.status for answer in answers] == [200, 200, 415, 404, 200, 400, 400]
    return answers


COMPRESSED = ("JPEG-lossy.dcm", "JPGExtended.dcm", "JPEG2000.dcm", "MR_small_jpeg_ls_lossless.dcm")
"""pydicom's own; the second is a JPEG of 12 bits, over which its decoders have much to say."""


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_and_broken_dicom_leaves_no_decoders_words_in_the_log(web, name):
    """Neither tracebacks nor what a library warns of: it may quote the film."""
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"this pydicom does not bring {name}")
    whole = Path(path).read_bytes()
    at = len(whole) // 2
    broken = (whole, whole[:at], whole[:at] + bytes(200) + whole[at + 200 :], whole[:-100])

    async def talk():
        return [await ask(web.port, request("/v1/predictions", one)) for one in broken]

    before = len(web.said)
    assert {answer.status for answer in asyncio.run(talk())} <= {200, 422}
    asyncio.run(ask(web.port, request("/healthz", verb="GET")))
    assert web.said[before:] == []


def test_what_libraries_log_or_warn_of_is_not_said():
    """Whatever level they set when they are imported; what the gateway says is."""
    program = (
        "import logging, warnings\n"
        "from neumo_serving.commands import web\n"
        "web._log_ours_alone()\n"
        "import pydicom\n"
        "for name in ('pydicom', 'pydicom.pixels.decoders', 'PIL', 'asyncio', 'unheard.of'):\n"
        "    logging.getLogger(name).setLevel(logging.DEBUG)\n"
        "    logging.getLogger(name).error('SECRET')\n"
        "warnings.warn('SECRET')\n"
        "logging.getLogger('neumo_serving.gateway').warning('heard')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "neumo web: heard\n")


SECRETS = (FILE_NAME, "secretfile", "dupont", films.NAME, films.NUMBER, "SECRET")


@pytest.mark.usefixtures("asked")
def test_no_name_or_number_of_a_patient_is_said(web):
    """Nor is a file's name; the gateway says where it is ready, and nothing else."""
    said = "".join(web.said)
    assert not [secret for secret in SECRETS if secret.lower() in said.lower()]
    assert [line.split(": ")[1] for line in web.said] == ["operators", "ready"]


def test_no_name_or_number_of_a_patient_is_answered(asked):
    """The client knows them; whoever it shows the answer to need not."""
    bodies = b"".join(answer.body for answer in asked).decode().lower()
    assert not [secret for secret in SECRETS if secret.lower() in bodies]


@pytest.mark.usefixtures("asked")
def test_nothing_is_written(temporary_folder, web):
    """Though the process could write to no file, uploads of 16 MiB and more were answered."""
    assert web.process.poll() is None
    assert list(temporary_folder.iterdir()) == []


def test_the_gateways_process_could_not_have_written(tmp_path):
    """The limit under which it runs does what it should."""
    program = "import sys; open(sys.argv[1], 'wb', buffering=0).write(b'x')"
    tried = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "film")],
        capture_output=True,
        text=True,
        preexec_fn=write_nothing,
        check=False,
    )
    assert tried.returncode != 0
    assert "File too large" in tried.stderr
    assert (tmp_path / "film").read_bytes() == b""


def test_telemetry_that_is_configured_learns_nothing(monkeypatch):
    """FastAPI would record addresses and errors by itself where OpenTelemetry is set up."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    async def talk():
        transport = FakeTransport(answering({member.name: 0.5 for member in contract.MEMBERS}))
        async with answering_from(transport) as running:
            await ask(running.port, request(f"/v1/predictions?name={FILE_NAME}", b"no film"))
            await ask(running.port, request("/v1/predictions", films.file("DICOM")))

    asyncio.run(talk())
    told = " ".join(span.to_json() for span in exporter.get_finished_spans()).lower()
    assert not [secret for secret in SECRETS if secret.lower() in told]
