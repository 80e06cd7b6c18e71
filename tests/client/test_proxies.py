"""Which calls a proxy carries, by the environment: alike over gRPC and REST."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

import neumo
from neumo._transports import address, proxies
from neumo._transports.proxies import proxy_for
from support.grey_servers import GreyServer, served_by_grpc, served_by_rest
from support.patience import patience

PROXY = "http://proxy.example.org:3128"
TRANSPORTS = [("grpc", served_by_grpc), ("http", served_by_rest)]
VARIABLES = [
    name
    for lower in (
        *("http_proxy", "https_proxy", "grpc_proxy", "all_proxy"),
        *("no_proxy", "no_grpc_proxy"),
    )
    for name in (lower, lower.upper())
]


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """This machine's own proxies are not meant."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@contextmanager
def refusing_proxy():
    """A proxy that lets nothing pass; its port and the first lines that it got."""
    got = []

    def serve(listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(5)
                got.append(sock.recv(65536).split(b"\r\n")[0].decode())
                sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1], got
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def name_of(url, **environ):
    """The proxy for ``url`` by its name."""
    found = proxy_for(address.parse(url), environ)
    return None if found is None else found.name


@pytest.mark.parametrize(("scheme", "served"), TRANSPORTS, ids=["grpc", "rest"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_calls_to_this_machine_never_go_to_a_proxy(monkeypatch, scheme, served, host):
    """With a proxy for everything, as in hospitals, and no exception named."""
    server = GreyServer("127.0.0.1" if host == "localhost" else host)
    with refusing_proxy() as (port, got), served(server) as server_port:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        with neumo.Client(f"{scheme}://{host}:{server_port}", timeout=patience(10)) as client:
            client.status()
    assert not got


@pytest.mark.parametrize("scheme", ["grpc", "http"])
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_is_named_in_errors_without_its_password(monkeypatch, scheme, variable):
    """Whoever reads the line knows where to look."""
    with refusing_proxy() as (port, got):
        monkeypatch.setenv(variable, f"http://user:s3cret@127.0.0.1:{port}")
        with (
            neumo.Client(
                f"{scheme}://models.example:8500", timeout=patience(5), retries=0
            ) as client,
            pytest.raises(
                neumo.NeumoError, match=f"by way of the proxy 127.0.0.1:{port}"
            ) as raised,
        ):
            client.status()
    assert "s3cret" not in str(raised.value)
    verb = "CONNECT" if scheme == "grpc" else "GET"
    assert got[0].startswith(verb)
    assert "models.example:8500" in got[0]


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_no_proxy_is_obeyed_by_both(monkeypatch, scheme):
    """In either case of letters."""
    for variable in ("no_proxy", "NO_PROXY"):
        with refusing_proxy() as (port, got):
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
            monkeypatch.setenv(variable, "models.example")
            with (
                neumo.Client(f"{scheme}://models.example:1", timeout=2, retries=0) as client,
                pytest.raises(neumo.NeumoError) as raised,
            ):
                client.status()
        monkeypatch.delenv(variable)
        assert not got
        assert "proxy" not in str(raised.value)


@pytest.mark.parametrize(
    ("listed", "is_spared"),
    [
        ("models.example.org", True),
        ("MODELS.example.org", True),
        ("example.org", True),
        (".example.org", True),
        ("*.example.org", True),
        ("other.org, example.org ,x", True),
        ("models.example.org:8500", True),
        ("*", True),
        ("", False),
        (",", False),
        ("s.example.org", False),
        ("ample.org", False),
        ("models.example.org:1", False),
        ("org.example", False),
    ],
)
@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_what_no_proxy_lists(scheme, listed, is_spared):
    """Names with their subdomains; half a label is none."""
    url = f"{scheme}://models.example.org:8500"
    assert name_of(url, http_proxy=PROXY) == "proxy.example.org:3128"
    found = name_of(url, http_proxy=PROXY, no_proxy=listed)
    assert (found is None) == is_spared


@pytest.mark.parametrize(
    ("host", "is_spared"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("192.168.0.7", True), ("[fd00::7]", True)],
)
@pytest.mark.parametrize("scheme", ["grpcs", "https"])
def test_no_proxy_lists_networks(scheme, host, is_spared):
    """As Kubernetes' addresses are written."""
    listed = "10.0.0.0/8,192.168.0.7,fd00::/8"
    found = name_of(f"{scheme}://{host}", HTTPS_PROXY=PROXY, NO_PROXY=listed)
    assert (found is None) == is_spared


def test_each_transport_has_its_variables():
    """GRPC asks for a tunnel in any case, so either will do."""
    assert name_of("http://h", https_proxy=PROXY) is None
    assert name_of("https://h", http_proxy=PROXY) is None
    assert name_of("grpc://h", https_proxy=PROXY) == name_of("grpc://h", grpc_proxy=PROXY)
    assert name_of("grpc://h", http_proxy=PROXY, no_grpc_proxy="h") is None
    assert name_of("unix:///run/s", all_proxy=PROXY) is None


@pytest.mark.parametrize("text", ["socks5://p:1080", "ftp://p", "http://:80", "http://p:x"])
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch, text):
    """With its variable, not with its password."""
    monkeypatch.setenv("http_proxy", text)
    for url in ("grpc://models.example:1", "http://models.example:1"):
        with pytest.raises(neumo.ConfigError, match="http_proxy names no proxy"):
            neumo.Client(url)


def test_a_proxy_shows_no_password():
    """Not even in a debugger."""
    assert "s3cret" not in repr(proxies.Proxy("http://u:s3cret@p", "p"))
