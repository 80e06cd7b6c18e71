"""neumo: pneumonia in radiographs of children's chests, asked of TensorFlow Serving.

A research tool, not a medical device.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neumo._drive.many import Failure, Progress
    from neumo._images.film_folders import films_in
    from neumo._wire.answer_types import (
        Classifications,
        ModelMetadata,
        Outputs,
        Regressions,
        ScoredClass,
        SignatureSpec,
        TensorSpec,
    )
    from neumo.async_client import AsyncClient
    from neumo.cautions import Caution
    from neumo.client import Client
    from neumo.contract import Label
    from neumo.ensemble import Ensemble, InputImage
    from neumo.errors import (
        BadResponse,
        ConfigError,
        ContractError,
        DeadlineExceeded,
        ImageError,
        InvalidRequest,
        ModelNotFound,
        NeumoError,
        NotAChestRadiograph,
        PermissionDenied,
        ReleaseMismatch,
        ServingError,
        Unavailable,
        VersionUnavailable,
    )
    from neumo.image import Source
    from neumo.model_status import ModelStatus, VersionState, VersionStatus
    from neumo.models import Models
    from neumo.models_async import AsyncModels
    from neumo.results import Explanation, Member, Prediction, Timings
    from neumo.settings import Tls

    __version__: str

__all__ = [
    "AsyncClient",
    "AsyncModels",
    "BadResponse",
    "Caution",
    "Classifications",
    "Client",
    "ConfigError",
    "ContractError",
    "DeadlineExceeded",
    "Ensemble",
    "Explanation",
    "Failure",
    "ImageError",
    "InputImage",
    "InvalidRequest",
    "Label",
    "Member",
    "ModelMetadata",
    "ModelNotFound",
    "ModelStatus",
    "Models",
    "NeumoError",
    "NotAChestRadiograph",
    "Outputs",
    "PermissionDenied",
    "Prediction",
    "Progress",
    "Regressions",
    "ReleaseMismatch",
    "ScoredClass",
    "ServingError",
    "SignatureSpec",
    "Source",
    "TensorSpec",
    "Timings",
    "Tls",
    "Unavailable",
    "VersionState",
    "VersionStatus",
    "VersionUnavailable",
    "films_in",
]

_MODULES = {
    "AsyncClient": "async_client",
    "AsyncModels": "models_async",
    "Client": "client",
    "Models": "models",
    "Caution": "cautions",
    "Ensemble": "ensemble",
    "InputImage": "ensemble",
    "Explanation": "results",
    "Member": "results",
    "Prediction": "results",
    "Timings": "results",
    "Failure": "_drive.many",
    "Progress": "_drive.many",
    "Label": "contract",
    "Source": "image",
    "Classifications": "_wire.answer_types",
    "ModelMetadata": "_wire.answer_types",
    "Outputs": "_wire.answer_types",
    "Regressions": "_wire.answer_types",
    "ScoredClass": "_wire.answer_types",
    "SignatureSpec": "_wire.answer_types",
    "TensorSpec": "_wire.answer_types",
    "Tls": "settings",
    "ModelStatus": "model_status",
    "VersionState": "model_status",
    "VersionStatus": "model_status",
    "films_in": "_images.film_folders",
}
"""Where the public names live that are not errors; each is imported when it is first used."""


if not TYPE_CHECKING:  # a checker that saw it would believe in every misspelt name

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - slow to import

            value = version("neumo")
        elif name in __all__:
            value = getattr(import_module(f"neumo.{_MODULES.get(name, 'errors')}"), name)
        else:
            raise AttributeError(f"module 'neumo' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
