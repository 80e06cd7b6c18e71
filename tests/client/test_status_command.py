"""``neumo status``: one server, and several behind one name."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import pytest

from neumo import contract
from neumo._proto import serving_pb2 as pb
from neumo.commands import program, server_addresses
from support.grpc_server import grpc_server

NAMES = [model.name for model in contract.MODELS]
AVAILABLE = pb.ModelVersionStatus.State.AVAILABLE
LOADING = pb.ModelVersionStatus.State.LOADING


def telling(states):
    """A server whose models have these states: ``{model: {version: state}}``."""

    def answer(request, context):
        asked = pb.GetModelStatusRequest.FromString(request).model_spec.name
        if asked not in states:
            import grpc

            context.abort(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model")
        response = pb.GetModelStatusResponse()
        for version, state in sorted(states[asked].items(), reverse=True):
            response.model_version_status.add(version=version, state=state)
        return response.SerializeToString()

    return answer


def all_ready(*versions):
    """Every model of the contract, in these versions."""
    return {name: dict.fromkeys(versions, AVAILABLE) for name in NAMES}


@pytest.fixture
def served(monkeypatch):
    """Servers of these states, at addresses of one name: its URL. None is no server there."""
    with ExitStack() as stack:

        def start(*states):
            port, hosts = 0, [f"127.0.0.{10 + number}" for number in range(len(states))]
            for host, one in zip(hosts, states, strict=True):
                if one is None:
                    continue
                url = stack.enter_context(grpc_server(telling(one), f"{host}:{port}"))
                port = int(url.rpartition(":")[2])
            if len(states) == 1:
                return f"grpc://{hosts[0]}:{port}"
            _resolve(monkeypatch, "models.test", hosts)
            # They are loopbacks, which stand for one machine elsewhere.
            monkeypatch.setattr(
                server_addresses.ipaddress,
                "ip_address",
                lambda _: type("A", (), {"is_loopback": 0}),
            )
            return f"grpc://models.test:{port}"

        yield start


def _resolve(monkeypatch, name, hosts):
    true = socket.getaddrinfo

    def resolved(host, port, *rest, **options):
        if host != name:
            return true(host, port, *rest, **options)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (one, port)) for one in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


def run(capsys, url, *words):
    """Exit status, and the lines printed."""
    status = program.main(["status", "--server", url, *words])
    return status, capsys.readouterr().out.splitlines()


def test_each_address_of_the_name_has_its_own_table(served, capsys):
    """The verdict is what all of them have."""
    status, lines = run(capsys, served(all_ready(1, 2), all_ready(1)))
    assert status == 0
    assert [line for line in lines if line.startswith("grpc://")] == [
        line for line in lines if "127.0.0.1" in line
    ]
    assert sum(line.startswith("model ") for line in lines) == 2
    assert lines[-1] == "ready: release 1"


def test_a_single_address_prints_one_table(served, capsys):
    """Without an address above it."""
    status, lines = run(capsys, served(all_ready(2)))
    assert status == 0
    assert lines[0].startswith("model ")
    assert lines[-1] == "ready: release 2"


def test_a_release_is_wanted_of_every_model_at_every_address(served, capsys):
    """One that is loading anywhere fails, and is named with its address."""
    loading = all_ready(2) | {"lungs": {2: LOADING}}
    status, lines = run(capsys, served(all_ready(2), loading), "--release=2")
    assert status == 3
    assert lines[-2] == "release 2 is not served everywhere:"
    assert lines[-1].startswith("  lungs 2 at grpc://127.0.0.11:")
    assert lines[-1].endswith(": LOADING")


def test_a_release_that_is_everywhere_is_ready(served, capsys):
    """The newer ones beside it do not matter."""
    assert run(capsys, served(all_ready(1, 2), all_ready(2)), "--release=2")[0] == 0


def test_a_shipped_release_is_known_to_have_its_screen(served, capsys):
    """Also where no server has it."""
    members = {name: {2: AVAILABLE} for name in NAMES if name != "lungs"}
    url = served(members)
    assert run(capsys, url)[0] == 0
    status, lines = run(capsys, url, "--release=2")
    assert (status, lines[-1].split(" at ")[0]) == (3, "  lungs 2")


def test_a_release_of_ones_own_may_lack_the_screen(served, capsys):
    """Where no server has it, it is none of the release's."""
    members = {name: {1000001: AVAILABLE} for name in NAMES if name != "lungs"}
    assert run(capsys, served(members, members), "--release=1000001")[0] == 0


def test_an_address_that_does_not_answer_is_a_line(served, capsys):
    """The others are told all the same; nothing is ready everywhere."""
    status, lines = run(capsys, served(all_ready(2), None), "--release=2", "--timeout=2", "--json")
    assert status == 3
    document = json.loads("\n".join(lines))
    assert document["ready_releases"] == []
    assert [bool(one["error"]) for one in document["servers"]] == [False, True]
    assert len(document["lacking"]) == len(NAMES)


@pytest.mark.parametrize(
    "url",
    ["grpcs://models.test", "unix:///tmp/x", "xds:///models", "grpc://localhost:1", "grpc://"],
)
def test_what_is_asked_by_its_name(url):
    """A certificate's name, a socket, a mesh, this machine."""
    assert server_addresses.urls(url) == (url,)


def test_addresses_of_one_family_are_asked(monkeypatch):
    """A pod of both families is one server; IPv6 is written in brackets."""
    six = [("2001:db8::2", 8500, 0, 0), ("2001:db8::1", 8500, 0, 0)]
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", one) for one in six]
    found += [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 8500))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert server_addresses.urls("grpc://models") == (
        "grpc://[2001:db8::1]:8500",
        "grpc://[2001:db8::2]:8500",
    )
