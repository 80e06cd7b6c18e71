"""``neumo web``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from neumo.commands.arguments import Parser, number_from, whole_from
from neumo.commands.program import OK
from neumo.errors import ConfigError
from neumo_serving.gateway.gateway_settings import MIB, AccessRules, Limits, Network, Settings

TOKEN_VARIABLE = "NEUMO_WEB_TOKEN"  # noqa: S105 - the variable's name


def main(argv: list[str]) -> int:
    """Serve the web page and the JSON API, which ask a server's models."""
    settings = read(argv, os.environ)
    logging.basicConfig(level=logging.INFO, format="neumo web: %(message)s")
    # What they say quotes requests.
    for name in ("uvicorn", "python_multipart", "PIL", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

    from neumo_serving.gateway import gateway_server  # noqa: PLC0415 - slow to import

    # The port first: a gateway that cannot have it asks no model server.
    listening = gateway_server.bound(settings.host, settings.port)
    _warn(settings)
    gateway_server.run(settings, listening)
    return OK


def read(argv: list[str], environ: Mapping[str, str]) -> Settings:
    """The settings for a command line; raises ``ConfigError`` for what cannot be."""
    chosen = _parser().parse_args(argv)
    limits = Limits(
        chosen.max_films,
        chosen.max_film_mib * MIB,
        chosen.max_request_mib * MIB,
        chosen.max_held_mib * MIB,
        chosen.films_at_once,
        chosen.deadline,
        chosen.rate,
        chosen.burst,
    )
    # A limit above the next larger one would promise what is always refused.
    if limits.max_film_bytes > limits.max_request_bytes:
        raise ConfigError("--max-film-mib is above --max-request-mib: raise that, too")
    if limits.max_request_bytes > limits.max_held_bytes:
        raise ConfigError("--max-request-mib is above --max-held-mib: raise that, too")
    if chosen.user_header and not chosen.trust_proxy:
        raise ConfigError("--user-header needs --trust-proxy: else anybody could send it")
    tokens = _tokens(chosen.token_file, environ)
    access = AccessRules(tokens, chosen.user_header, tuple(chosen.trust_proxy))
    return Settings(chosen.server, chosen.host, chosen.port, chosen.drain_wait, limits, access)


def _parser() -> argparse.ArgumentParser:
    parser = Parser("neumo web", description=main.__doc__)
    usual, limits = Settings(), Limits()
    add = parser.add_argument
    add(
        "--server",
        metavar="URL",
        help="where the models are (default: NEUMO_SERVER, then this machine)",
    )
    add("--host", default=usual.host, help="address to listen on (default: %(default)s)")
    add(
        "--port", type=whole_from(0, 65535), default=usual.port, help="default: %(default)s; 0: any"
    )
    access = parser.add_argument_group("who may ask")
    access.add_argument(
        "--token-file",
        metavar="FILE",
        help=f"bearer tokens, one a line, of which /v1 wants one (default: {TOKEN_VARIABLE})",
    )
    access.add_argument(
        "--user-header",
        metavar="NAME",
        help="header in which a trusted proxy (OIDC) names the user: /v1 wants it",
    )
    access.add_argument(
        "--trust-proxy",
        metavar="NETWORK",
        type=_network,
        action="append",
        default=[],
        help="network of proxies, such as 10.0.0.0/8, whose X-Forwarded-For counts; repeatable",
    )
    _add_limits(parser.add_argument_group("how much"), limits)
    add(
        "--drain-wait",
        metavar="SECONDS",
        type=number_from(0.0),
        default=usual.drain_wait_s,
        help="at SIGTERM, be unready for so long before connections close (default: %(default)g)",
    )
    return parser


def _add_limits(group: argparse._ArgumentGroup, usual: Limits) -> None:
    mib = whole_from(1, 2**20)
    wholes = (
        ("--max-films", usual.max_films, whole_from(1, 1000), "films in one request"),
        ("--max-film-mib", usual.max_film_bytes // MIB, _film_mib, "size of a film"),
        ("--max-request-mib", usual.max_request_bytes // MIB, mib, "size of a request"),
        ("--max-held-mib", usual.max_held_bytes // MIB, mib, "memory for all uploads"),
        (
            "--films-at-once",
            usual.films_at_once,
            whole_from(1, 10_000),
            "films asked about at a time, then 429",
        ),
        ("--burst", usual.burst, whole_from(1, 2**31), "films that a client may send at once"),
    )
    for name, default, reads, told in wholes:
        text = f"{told} (default: %(default)s)"
        group.add_argument(name, metavar="N", type=reads, default=default, help=text)
    group.add_argument(
        "--rate",
        metavar="N",
        type=number_from(0.0),
        default=usual.rate,
        help="films a second that a client may send for long; 0: any (default: %(default)g)",
    )
    group.add_argument(
        "--deadline",
        metavar="SECONDS",
        type=number_from(0.1),
        default=usual.deadline_s,
        help="longest time for one request, its upload included (default: %(default)g)",
    )


def _tokens(file: str | None, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The digests of the tokens in ``file``, else of the environment's."""
    text = environ.get(TOKEN_VARIABLE, "")
    if file is not None:
        try:
            text = Path(file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--token-file {file}: cannot be read ({error})") from error
    # Several may hold at a time: a new one is added before the old one is taken away.
    tokens = [line.strip() for line in text.splitlines() if line.strip()]
    if file is not None and not tokens:
        raise ConfigError(f"--token-file {file}: no token in it: write one a line")
    # Only digests are kept: neither a dump nor a log can give a token away.
    return tuple(sha256(token.encode()).digest() for token in tokens)


def _warn(settings: Settings) -> None:
    access, log = settings.access, logging.getLogger(__name__)
    # Behind a proxy that signs users in the header is what keeps strangers out.
    is_open = not access.token_digests and not access.user_header
    if is_open and settings.host not in {"127.0.0.1", "::1", "localhost"}:
        log.warning("anybody who reaches %s may ask: see --token-file", settings.host)


def _film_mib(text: str) -> int:
    # The limit is the SDK's, whose module imports numpy: the help must not wait for that.
    from neumo.image import MAX_FILE_BYTES  # noqa: PLC0415

    return whole_from(1, MAX_FILE_BYTES // MIB)(text)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a network such as 10.0.0.0/8: {text}") from None
