"""Tokens, headers and certificates, before servers that check them: the same on both transports."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import grpc
import pytest
import trustme

import neumo
from neumo import contract, settings
from neumo._proto import serving_pb2 as pb
from support.patience import patience

TOKEN = "s3cret-token"  # noqa: S105 - a test's own
STATUS = pb.GetModelStatusResponse(
    model_version_status=[pb.ModelVersionStatus(version=1, state="AVAILABLE")]
)
JSON = b'{"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": {}}]}'


class Certificates:
    """An authority, a server's certificate and a caller's, as PEM files in ``folder``."""

    def __init__(self, folder):
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.certificate, self.key = folder / "client.pem", folder / "client.key"
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        self.other_ca = folder / "other.pem"
        authority.cert_pem.write_to_path(self.ca)
        trustme.CA().cert_pem.write_to_path(self.other_ca)
        for issued, chain, key in (
            (authority.issue_cert("127.0.0.1"), self.server, self.server_key),
            (authority.issue_cert("client@example.org"), self.certificate, self.key),
        ):
            chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
            issued.private_key_pem.write_to_path(key)


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Certificates for the whole module."""
    return Certificates(tmp_path_factory.mktemp("pem"))


@contextmanager
def grpc_server(pem, seen, asks_callers):
    """A gRPC front that wants the token, and a certificate where it ``asks_callers``; its URL."""

    def answer(request, context):
        seen.append(dict(context.invocation_metadata()))
        if seen[-1].get("authorization") != f"Bearer {TOKEN}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "token expired")
        return STATUS.SerializeToString()

    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(4), handlers=(Handler(),))
    pair = [(pem.server_key.read_bytes(), pem.server.read_bytes())]
    credentials = grpc.ssl_server_credentials(
        pair, pem.ca.read_bytes() if asks_callers else None, asks_callers
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"grpcs://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def http_server(pem, seen, asks_callers):
    """The same front for REST."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append({name.lower(): value for name, value in self.headers.items()})
            welcome = seen[-1].get("authorization") == f"Bearer {TOKEN}"
            body = JSON if welcome else b'{"error": "token expired"}'
            self.send_response(200 if welcome else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """A caller that is turned away is not the server's error."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem.server, pem.server_key)
    if asks_callers:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pem.ca)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(params=[grpc_server, http_server], ids=["grpcs", "https"])
def front(request, pem):
    """Starts a front by either transport: ``front(asks_callers)`` gives its URL and what it saw."""
    with ExitStack() as stack:

        def start(asks_callers=False):
            seen = []
            return stack.enter_context(request.param(pem, seen, asks_callers)), seen

        yield start


def ask_blocking(url, **options):
    """The models' status by ``Client``."""
    with neumo.Client(url, timeout=patience(10), **options) as client:
        return client.status()


def ask_awaiting(url, **options):
    """The same by ``AsyncClient``."""

    async def asked():
        async with neumo.AsyncClient(url, timeout=patience(10), **options) as client:
            return await client.status()

    return asyncio.run(asked())


@pytest.fixture(params=[ask_blocking, ask_awaiting], ids=["Client", "AsyncClient"])
def ask(request):
    """The models' status by either client."""
    return request.param


def test_a_token_and_metadata_go_with_every_call(front, pem, ask):
    """As headers of the same name on both transports."""
    url, seen = front()
    metadata = {"X-Ward": "3b"}
    models = ask(url, token=TOKEN, metadata=metadata, tls=neumo.Tls(ca=pem.ca))
    assert models[0].versions[0].state is neumo.VersionState.AVAILABLE
    assert seen[-1]["authorization"] == f"Bearer {TOKEN}"
    assert seen[-1]["x-ward"] == "3b"


@pytest.mark.parametrize("token", [None, "expired"])
def test_a_token_that_is_missing_or_expired_is_permission_denied(front, pem, ask, token):
    """The server's words are told, the token is not."""
    url, _ = front()
    with pytest.raises(neumo.PermissionDenied, match="token expired") as raised:
        ask(url, token=token, tls=neumo.Tls(ca=pem.ca))
    assert "Bearer" not in str(raised.value)


def test_a_server_of_another_authority_is_not_trusted(front, pem, ask):
    """Nothing is sent to it."""
    url, seen = front()
    with pytest.raises(neumo.PermissionDenied, match="check the token or the certificate"):
        ask(url, token=TOKEN, tls=neumo.Tls(ca=pem.other_ca))
    assert not seen


def test_without_an_authority_the_well_known_ones_are_asked(front, ask):
    """A server that made its own certificate is not trusted by default."""
    url, seen = front()
    with pytest.raises(neumo.PermissionDenied):
        ask(url, token=TOKEN)
    assert not seen


def test_a_server_that_checks_its_callers_accepts_our_certificate(front, pem, ask):
    """Mutual TLS: the certificate and its key are presented."""
    url, seen = front(asks_callers=True)
    ask(url, token=TOKEN, tls=neumo.Tls(pem.ca, pem.certificate, pem.key))
    assert len(seen) == len(contract.MODELS)


def test_a_server_that_checks_its_callers_turns_others_away(front, pem, ask):
    """Without a certificate nothing is answered."""
    url, seen = front(asks_callers=True)
    with pytest.raises((neumo.PermissionDenied, neumo.Unavailable)):
        ask(url, token=TOKEN, tls=neumo.Tls(pem.ca))
    assert not seen


@pytest.mark.parametrize(
    ("url", "options", "line"),
    [
        ("grpc://models.example.org", {"token": TOKEN}, "travel readable"),
        ("http://models.example.org", {"token": TOKEN}, "travel readable"),
        ("grpcs://localhost", {"token": "two\nlines"}, "not printable ASCII"),
        ("grpcs://localhost", {"metadata": {"a b": "c"}}, "no header's name"),
        ("grpcs://localhost", {"metadata": {"grpc-timeout": "c"}}, "no header's name"),
        ("grpcs://localhost", {"metadata": {"a": "b\r\nc: d"}}, "not printable ASCII"),
        ("grpcs://localhost", {"tls": neumo.Tls(ca="/nowhere.pem")}, "cannot be read"),
        ("https://localhost", {"tls": neumo.Tls(ca=b"no PEM")}, "holds no certificate"),
        ("grpcs://localhost", {"tls": neumo.Tls(ca=b"no PEM")}, "holds no certificate"),
        ("grpcs://h", {"token": TOKEN, "metadata": {"Authorization": "x"}}, "give one of them"),
        ("https://h", {"token": str, "metadata": {"authorization": "x"}}, "give one of them"),
        ("grpcs://localhost", {"tls": neumo.Tls(certificate="/c.pem")}, "give both"),
        ("grpc://localhost", {"tls": neumo.Tls()}, "use a grpcs:// or https:// URL"),
    ],
)
def test_what_cannot_be_sent_is_one_line(url, options, line):
    """And never repeats a secret."""
    with pytest.raises(neumo.ConfigError, match=line) as raised:
        neumo.Client(url, **options)
    assert TOKEN not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("url", ["grpc://localhost", "http://127.0.0.1", "unix:///run/neumo.sock"])
def test_a_token_may_go_to_this_machine(url):
    """Where nobody else can read it on the way."""
    neumo.Client(url, token=TOKEN).close()


def test_the_environment_names_a_token_and_an_authority():
    """An authority says whom to trust, so it changes nothing for a URL without TLS."""
    environ = {"NEUMO_TOKEN": TOKEN, "NEUMO_CA": "/ca.pem"}
    found = settings.resolve("grpcs://host", environ=environ)
    assert (found.token, found.tls) == (TOKEN, neumo.Tls(ca="/ca.pem"))
    assert settings.resolve("grpc://host", environ=environ).tls is None
    assert TOKEN not in repr(found)


def test_a_token_of_a_function_is_asked_for_each_call(front, pem, ask):
    """Tokens expire while a client lives."""
    url, seen = front()
    given = []

    def token():
        given.append(TOKEN)
        return TOKEN

    ask(url, token=token, tls=neumo.Tls(ca=pem.ca))
    assert len(given) == len(seen) == len(contract.MODELS)
    assert seen[-1]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("given", ["two\nlines", None, 7])
def test_a_function_that_gives_no_token_is_one_line(front, pem, ask, given):
    """And so is one that fails; nothing is sent."""
    url, seen = front()
    with pytest.raises(neumo.ConfigError, match="not printable ASCII"):
        ask(url, token=lambda: given, tls=neumo.Tls(ca=pem.ca))

    def failing():
        raise OSError("of the application")

    with pytest.raises(neumo.ConfigError, match=r"token\(\) failed: OSError"):
        ask(url, token=failing, tls=neumo.Tls(ca=pem.ca))
    assert not seen


def test_certificates_may_be_given_as_bytes(front, pem, ask):
    """Where they come from a vault and are no files."""
    url, seen = front(asks_callers=True)
    files = (pem.ca, pem.certificate, pem.key)
    tls = neumo.Tls(*(path.read_bytes() for path in files))
    assert b"PRIVATE" not in repr(tls).encode()
    ask(url, token=TOKEN, tls=tls)
    assert len(seen) == len(contract.MODELS)


def test_a_key_of_another_certificate_is_told_where_the_client_is_made(pem):
    """Alike on both transports, and not as a server that is away."""
    for url in ("grpcs://localhost", "https://localhost"):
        with pytest.raises(neumo.ConfigError, match="do not go together"):
            neumo.Client(url, tls=neumo.Tls(pem.ca, pem.certificate, pem.server_key))


def test_certificates_are_read_again_after_they_were_replaced(front, pem, tmp_path):
    """By a client that goes on: its next connection has them."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(pem.other_ca.read_bytes())
    url, seen = front()
    with neumo.Client(
        url, token=TOKEN, tls=neumo.Tls(ca=authority), timeout=patience(10), retries=0
    ) as client:
        with pytest.raises(neumo.PermissionDenied):
            client.status()
        authority.write_bytes(b"half a fi")  # it is just being written
        with pytest.raises(neumo.PermissionDenied):
            client.status()
        authority.write_bytes(pem.ca.read_bytes())
        client.status()
    assert len(seen) == len(contract.MODELS)


def test_an_authority_that_another_one_signed_is_trusted_alike(front, tmp_path, ask):
    """A hospital's own, whose root is not at hand: gRPC takes it, so REST does."""
    root = trustme.CA()
    between = root.create_child_ca()
    issued = between.issue_cert("127.0.0.1")
    made = Certificates(tmp_path)
    made.server.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(made.server_key)
    between.cert_pem.write_to_path(made.ca)
    for start in (grpc_server, http_server):
        seen = []
        with start(made, seen, asks_callers=False) as url:
            ask(url, token=TOKEN, tls=neumo.Tls(ca=made.ca))
        assert seen


def test_a_netrc_is_not_read(monkeypatch, tmp_path, front, pem, ask):
    """It would replace the token, and send a password to whom none was promised."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1\nlogin somebody\npassword secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    url, seen = front()
    ask(url, token=TOKEN, tls=neumo.Tls(ca=pem.ca))
    assert seen[-1]["authorization"] == f"Bearer {TOKEN}"
    with pytest.raises(neumo.PermissionDenied):
        ask(url, tls=neumo.Tls(ca=pem.ca))
    assert "authorization" not in seen[-1]


def test_the_environments_own_authorities_are_not_read(monkeypatch, front, pem, ask):
    """What requests, curl and gRPC each know by a variable is not the SDK's: NEUMO_CA is."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"):
        monkeypatch.setenv(name, str(pem.ca))
    url, seen = front()
    with pytest.raises(neumo.PermissionDenied):
        ask(url, token=TOKEN)
    assert not seen
    monkeypatch.setenv("NEUMO_CA", str(pem.ca))
    ask(url, token=TOKEN)
    assert seen


def test_a_server_knows_who_asks(front, pem, ask):
    """A ``User-Agent`` of our own on both transports, and the application's where it names one."""
    url, seen = front()
    tls = neumo.Tls(ca=pem.ca)
    ask(url, token=TOKEN, tls=tls)
    assert seen[-1]["user-agent"].startswith(f"neumo/{version('neumo')}")
    ask(url, token=TOKEN, tls=tls, metadata={"User-Agent": "ward/3"})
    assert seen[-1]["user-agent"].startswith("ward/3")
