"""The flags of gRPC as gRPC takes them.

Upstream: ``model_servers/server.cc``.
"""

from __future__ import annotations

from typing import Any

import grpc

from neumo.errors import ConfigError
from neumo_serving._proto.server_config_pb2 import SSLConfig
from neumo_serving.config import textproto
from neumo_serving.config.flags import Options
from neumo_serving.grpc_api.grpc_server import Argument

_INT32 = range(-(2**31), 2**31)


def parse(text: str) -> tuple[Argument, ...]:
    """``key=value,…`` as gRPC's arguments: whole numbers where they are, else texts."""
    return tuple(_argument(one) for one in text.split(",") if one)


def _argument(text: str) -> Argument:
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--grpc_channel_arguments: {text} has no value; write {text}=…")
    try:
        whole = int(value)
    except ValueError:
        return key, value
    # gRPC knows integers of 32 bits only; upstream, too, gives it larger ones as texts.
    return (key, whole) if whole in _INT32 else (key, value)


def credentials(options: Options) -> Any:
    """What ``--ssl_config_file`` says; None for plain text. Raises ``ConfigError``."""
    config = SSLConfig()
    if not textproto.read_flag(options, "ssl_config_file", config):
        return None
    if not (config.server_key and config.server_cert):
        raise ConfigError("--ssl_config_file needs a server_key and a server_cert, both PEM")
    if config.client_verify and not config.custom_ca:
        raise ConfigError("--ssl_config_file: client_verify needs the custom_ca, PEM")
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )
