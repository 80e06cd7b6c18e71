"""neumo: pneumonia in radiographs of children's chests, asked of TensorFlow Serving.

A research tool, not a medical device.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neumo._drive.many import Failure
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
    from neumo.model_status import ModelStatus, VersionState, VersionStatus
    from neumo.models import Models
    from neumo.models_async import AsyncModels
    from neumo.results import Explanation, Member, Prediction, Timings
    from neumo.settings import Tls

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
    "Regressions",
    "ReleaseMismatch",
    "ScoredClass",
    "ServingError",
    "SignatureSpec",
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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes are of any type
    if name not in __all__:
        raise AttributeError(f"module 'neumo' has no attribute {name!r}")
    value = getattr(import_module(f"neumo.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
