"""TensorFlow Serving's model configuration file, read into plain data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from neumo.errors import ConfigError
from neumo_serving.engine.source import All, Latest, ModelConfig, Policy, Specific

PLATFORM = "tensorflow"


def read(path: Path) -> tuple[ModelConfig, ...]:
    """The models in the text-format ``ModelServerConfig`` at ``path``.

    Raises ``ConfigError`` where it cannot be read or parsed, or names what cannot be served.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--model_config_file={path} cannot be read: {error}") from error
    return parse(text, str(path))


def single(name: str, base_path: str) -> ModelConfig:
    """The model that ``--model_name`` and ``--model_base_path`` give."""
    if not Path(base_path).is_absolute():
        raise ConfigError(f"--model_base_path={base_path} is relative; make it absolute")
    return ModelConfig(name, Path(base_path))


def parse(text: str, name: str) -> tuple[ModelConfig, ...]:
    """The models in ``text``; ``name`` is what an error calls it."""
    message = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise ConfigError(
            "Error parsing text-format tensorflow.serving.ModelServerConfig: "
            f"{name}:{error} (see serving/models/models.config for one that works)"
        ) from error
    if message.HasField("custom_model_config"):
        raise ConfigError(f"{name}: custom_model_config is not supported; use model_config_list")
    models = tuple(_model(one, name) for one in message.model_config_list.config)
    repeated = [model for model, count in Counter(one.name for one in models).items() if count > 1]
    if repeated:
        raise ConfigError(f"{name}: the model {repeated[0]} is configured twice")
    return models


def refuse_labels(models: tuple[ModelConfig, ...]) -> None:
    """Raise ``ConfigError`` for the first label: at the start no version is AVAILABLE yet."""
    for one in models:
        for _, version in one.labels:
            raise ConfigError(
                f"Request to assign label to version {version} of model {one.name}, which is not "
                "currently available for inference: at the start no version is; add "
                "--allow_version_labels_for_unavailable_models"
            )


def _model(message: Any, name: str) -> ModelConfig:
    if not message.name or not message.base_path:
        raise ConfigError(f"{name}: every config needs a name and a base_path")
    if message.model_platform != PLATFORM:
        raise ConfigError(
            f'{name}: model {message.name}: model_platform is "{message.model_platform}"; '
            f'only "{PLATFORM}" can be served'
        )
    base_path = Path(message.base_path)
    if not base_path.is_absolute():
        raise ConfigError(
            f'{name}: model {message.name}: base_path "{base_path}" is relative; make it absolute'
        )
    labels = tuple(sorted(message.version_labels.items()))
    return ModelConfig(message.name, base_path, _policy(message.model_version_policy), labels)


def _policy(message: Any) -> Policy:
    choice = message.WhichOneof("policy_choice")
    if choice == "all":
        return All()
    if choice == "specific":
        return Specific(tuple(message.specific.versions))
    return Latest(message.latest.num_versions or 1)
