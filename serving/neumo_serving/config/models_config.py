"""TensorFlow Serving's model configuration, read into plain data.

Source of the checks and their texts: ``model_servers/server_core.cc``.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from tensorflow_serving.config import model_server_config_pb2

from neumo.errors import ConfigError
from neumo_serving.config import textproto
from neumo_serving.engine.version_policy import All, Latest, ModelConfig, Policy, Specific
from neumo_serving.request_faults import Fault, invalid

PLATFORM = "tensorflow"
"""The only one: upstream can be built with others."""
FLAG = "model_config_file"
_FILE_URI = re.compile(r"^file://[^/]*")


def read(path: Path) -> tuple[ModelConfig, ...]:
    """The models in the text-format ``ModelServerConfig`` at ``path``.

    Raises ``ConfigError`` where it cannot be read or parsed, or names what cannot be served.
    """
    return parse(textproto.read(path, FLAG), str(path))


def parse(text: str, name: str) -> tuple[ModelConfig, ...]:
    """The models in ``text``; ``name`` is what an error calls it."""
    message = model_server_config_pb2.ModelServerConfig()
    textproto.parse(text, message, name)
    if message.HasField("custom_model_config"):
        raise ConfigError(f"{name}: custom_model_config is not supported; use model_config_list")
    try:
        return models(message.model_config_list)
    except Fault as fault:
        raise ConfigError(f"{name}: {fault.message}") from fault


def models(message: Any, served: AbstractSet[str] = frozenset()) -> tuple[ModelConfig, ...]:
    """The models in a ``ModelConfigList``; ``served`` are the names of those that are now.

    Raises ``Fault`` INVALID_ARGUMENT for what cannot be served.
    """
    # Three passes, as upstream's: of several mistakes the same one is told.
    named: set[str] = set()
    for one in message.config:
        if one.name in named:
            raise invalid(f"Illegal to list model {one.name} multiple times in config list")
        named.add(one.name)
    for one in message.config:
        _check_base_path(one)
    for one in message.config:
        _check_platform(one.name, _platform(one), served)
    return tuple(_model(one) for one in message.config)


def single(name: str, base_path: str) -> ModelConfig:
    """The model that ``--model_name`` and ``--model_base_path`` give."""
    if "://" in _local(base_path):
        raise ConfigError(f"--model_base_path={base_path} is no local folder; mount it")
    if not Path(_local(base_path)).is_absolute():
        raise ConfigError(f"--model_base_path={base_path} is relative; make it absolute")
    return ModelConfig(name, Path(_local(base_path)))


def _local(base_path: str) -> str:
    """The path in a ``file://`` URI, whose host TensorFlow ignores; another path as it is."""
    return _FILE_URI.sub("", base_path)


def _check_base_path(message: Any) -> None:
    path = _local(message.base_path)
    if "://" in path:
        raise invalid(
            f"model {message.name}: base_path {message.base_path} is no local folder; mount it"
        )
    if not Path(path).is_absolute():
        raise invalid(
            f"Expected model {message.name} to have an absolute path or URI; "
            f"got base_path()={message.base_path}"
        )


def _model(message: Any) -> ModelConfig:
    # A protobuf map has no order; the first label that is wrong should be the same each time.
    labels = tuple(sorted(message.version_labels.items()))
    policy = _policy(message.model_version_policy)
    return ModelConfig(message.name, Path(_local(message.base_path)), policy, labels)


def _check_platform(name: str, platform: str, served: AbstractSet[str]) -> None:
    if platform == PLATFORM:
        return
    # A model that is served has the platform, so only the new list can be at fault.
    if name in served:
        raise invalid(
            f"Illegal to change a model's platform. For model {name} platform was {PLATFORM} and "
            f"new platform requested is {platform}"
        )
    raise invalid(f"Model {name} requests unsupported platform {platform}")


def _platform(message: Any) -> str:
    """The platform; ``model_type`` is what it was called once."""
    if message.model_type:
        if message.model_platform:
            raise invalid(
                "Illegal setting both ModelServerConfig::model_type (deprecated) "
                "and ModelServerConfig::model_platform."
            )
        if message.model_type != model_server_config_pb2.TENSORFLOW:
            raise invalid(
                f"ModelServerConfig::model_type choice {message.model_type} not supported."
            )
        return PLATFORM
    if not message.model_platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) "
            "nor ModelServerConfig::model_platform."
        )
    return str(message.model_platform)


def _policy(message: Any) -> Policy:
    choice = message.WhichOneof("policy_choice")
    if choice == "all":
        return All()
    if choice == "specific":
        return Specific(tuple(message.specific.versions))
    # 0 is what protobuf says where nothing was given: upstream then serves one.
    return Latest(message.latest.num_versions or 1)
