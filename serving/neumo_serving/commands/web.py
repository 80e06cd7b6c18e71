"""``neumo web``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from neumo.commands.arguments import Parser, number_from, whole_from
from neumo.commands.program import OK
from neumo.errors import ConfigError
from neumo_serving.gateway import token_file
from neumo_serving.gateway.gateway_settings import (
    MIB,
    AccessRules,
    Limits,
    Network,
    Settings,
    ShadowRules,
    is_loopback,
)

MOST_PROXIES = 256
"""A network of more than so many is warned of: more than proxies will have addresses in it."""
TOKEN_VARIABLE = "NEUMO_WEB_TOKEN"  # noqa: S105 - the variable's name


def main(argv: list[str]) -> int:
    """Serve the web page and the JSON API, which ask a server's models."""
    settings = read(argv, os.environ)
    _log_ours_alone()

    from neumo_serving.gateway import gateway_server  # noqa: PLC0415 - slow to import

    # The ports first: a gateway that cannot have them asks no model server.
    listening = gateway_server.bound(settings.host, settings.port, "--port")
    operators = gateway_server.bound(
        settings.operators_host, settings.operators_port, "--operators-port"
    )
    _warn(settings)
    gateway_server.run(settings, listening, operators)
    return OK


def _log_ours_alone() -> None:
    """Log what the gateway says, and nothing of a library: their words quote requests and films."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("neumo web: %(message)s"))
    # By name and not by level: some libraries set their loggers' levels when they are imported.
    handler.addFilter(lambda record: record.name.partition(".")[0] == "neumo_serving")
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)


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
    # Which of the two is asked, a request's port alone tells.
    if chosen.port == chosen.operators_port != 0:
        raise ConfigError("--port and --operators-port are the same: give two")
    return Settings(
        server=chosen.server,
        host=chosen.host,
        port=chosen.port,
        drain_wait_s=chosen.drain_wait,
        limits=limits,
        access=_access(chosen, environ),
        shadow=_shadow(chosen),
        operators_host=chosen.operators_host,
        operators_port=chosen.operators_port,
    )


def _access(chosen: argparse.Namespace, environ: Mapping[str, str]) -> AccessRules:
    if chosen.user_header and not chosen.trust_proxy:
        raise ConfigError("--user-header needs --trust-proxy: else anybody could send it")
    if chosen.token_file is None:
        found = token_file.digests(environ.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE)
    else:
        found = token_file.read(chosen.token_file)
    return AccessRules(
        found,
        chosen.user_header,
        tuple(chosen.trust_proxy),
        chosen.proxy_hops,
        chosen.token_file,
        frozenset(chosen.allowed_host),
    )


def _shadow(chosen: argparse.Namespace) -> ShadowRules | None:
    if chosen.shadow is None:
        return None
    if not chosen.shadow_alpha < 1.0:
        raise ConfigError("--shadow-alpha is not below 1: it is how often the judgement may err")
    return ShadowRules(
        chosen.shadow,
        chosen.shadow_share,
        chosen.shadow_alpha,
        chosen.shadow_max_flips,
        chosen.shadow_max_refusals,
        chosen.shadow_max_failures,
        chosen.shadow_max_change,
        chosen.shadow_slow_factor,
    )


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
    add(
        "--operators-host",
        metavar="HOST",
        default=usual.operators_host,
        help="address for /metrics and /v1/shadow (default: %(default)s)",
    )
    add(
        "--operators-port",
        metavar="PORT",
        type=whole_from(0, 65535),
        default=usual.operators_port,
        help="their port, which wants no token: publish it to nobody else (default: %(default)s)",
    )
    access = parser.add_argument_group("who may ask")
    access.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="bearer tokens, one a line, of which /v1 wants one; read again when it changes "
        f"(default: {TOKEN_VARIABLE})",
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
        help="proxies, such as 10.1.2.3 or 10.1.2.0/28, whose X-Forwarded-For counts; repeatable",
    )
    access.add_argument(
        "--proxy-hops",
        metavar="N",
        type=whole_from(1, 16),
        default=AccessRules().proxy_hops,
        help="proxies between a client and here; the last is a trusted one (default: %(default)s)",
    )
    access.add_argument(
        "--allowed-host",
        metavar="NAME",
        type=str.lower,
        action="append",
        default=[],
        help="name by which this gateway may be asked; repeatable; *: any (default: this machine's "
        "alone on 127.0.0.1; elsewhere addresses and names without a dot, any with a token)",
    )
    _add_limits(parser.add_argument_group("how much"), limits)
    _add_shadow(parser.add_argument_group("a canary in the shadow"))
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


def _add_shadow(group: argparse._ArgumentGroup) -> None:
    usual = ShadowRules("")
    group.add_argument(
        "--shadow",
        metavar="URL",
        help="a server that is asked about a share of the films after their users have answers",
    )
    for name, default, reads, told in (
        ("share", usual.share, _share, "of the films"),
        ("alpha", usual.alpha, number_from(1e-6), "how often the judgement may err"),
        ("max-flips", usual.max_flips, _share, "share whose verdict may change"),
        ("max-refusals", usual.max_refusals, _share, "share that only one of the two may refuse"),
        ("max-failures", usual.max_failures, _share, "share that may not be answered"),
        (
            "max-change",
            usual.max_change,
            _share,
            "mean change of the probability, without sign",
        ),
        (
            "slow-factor",
            usual.slow_factor,
            number_from(1.0),
            "times as long it may take",
        ),
    ):
        group.add_argument(
            f"--shadow-{name}",
            metavar="X",
            type=reads,
            default=default,
            help=f"{told} (default: %(default)g)",
        )


def _warn(settings: Settings) -> None:
    access, log = settings.access, logging.getLogger(__name__)
    is_local = is_loopback(settings.host)
    # Behind a proxy that signs users in the header is what keeps strangers out.
    if not access.is_guarded and not is_local:
        log.warning("anybody who reaches %s may ask: see --token-file", settings.host)
    if not is_local and not access.proxies:
        log.warning(
            "films come to %s over plain HTTP: put a proxy with TLS before it, see --trust-proxy",
            settings.host,
        )
    for network in access.proxies:
        if network.num_addresses > MOST_PROXIES:
            log.warning(
                "--trust-proxy %s: whoever sends from one of its %d addresses can forge his own, "
                "and any user's name: name the proxies alone",
                *(network, network.num_addresses),
            )


def _share(text: str) -> float:
    value = number_from(0.0)(text)
    if value > 1.0:
        raise argparse.ArgumentTypeError(f"not a share from 0 to 1: {text}")
    return value


def _film_mib(text: str) -> int:
    # The limit is the SDK's, whose module imports numpy: the help must not wait for that.
    from neumo.image import MAX_FILE_BYTES  # noqa: PLC0415

    return whole_from(1, MAX_FILE_BYTES // MIB)(text)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a network such as 10.1.2.0/28: {text}") from None
