"""The plans of what can be asked of a model of any kind. Pure, but for the clock that is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar

from neumo._engine.one_release import explained
from neumo._engine.plan import Plan, Terms, ask
from neumo._wire import features
from neumo._wire.answer_types import (
    Classifications,
    ModelMetadata,
    Outputs,
    Regressions,
    SignatureSpec,
    TensorSpec,
)
from neumo._wire.any_model_calls import Asked, Classify, PredictAny, Regress
from neumo._wire.calls import Call, Metadata, Status
from neumo._wire.features import Features
from neumo._wire.input_arrays import array_of
from neumo.errors import (
    BadResponse,
    ConfigError,
    InvalidRequest,
    ModelNotFound,
    VersionUnavailable,
)
from neumo.model_status import ModelStatus

A = TypeVar("A")
Example: TypeAlias = Mapping[str, Any]
"""The features of one example, as a caller gives them: by name a value, or a list of them."""

MAX_VERSION = 2**63 - 1
FRESH_S = 60.0
"""How long what a model has without a pinned version is believed: over REST nothing tells that a
newer version answered, whose tensors may be others."""


@dataclass(frozen=True, slots=True)
class _Learned:
    metadata: ModelMetadata
    at_s: float


@dataclass(slots=True)
class KnownModels:
    """What was learned of models: their signatures, by model, version and label."""

    clock: Callable[[], float]
    learned: dict[tuple[str, int | None, str | None], _Learned] = field(default_factory=dict)

    def get(self, asked: Asked) -> ModelMetadata | None:
        """The metadata that were read before, unless they may have changed."""
        found = self.learned.get(_key(asked))
        if found is None or (asked.version is None and self.clock() - found.at_s > FRESH_S):
            return None
        return found.metadata

    def keep(self, asked: Asked, metadata: ModelMetadata) -> None:
        """Remember ``metadata``."""
        self.learned[_key(asked)] = _Learned(metadata, self.clock())

    def forget(self, asked: Asked) -> None:
        """Ask for them again the next time."""
        self.learned.pop(_key(asked), None)


def asked(model: str, signature: str, version: int | None, label: str | None) -> Asked:
    """What is asked; raises ``ConfigError`` where no model can be meant."""
    if not isinstance(model, str) or not model:
        raise ConfigError(f"model is {model!r}: give the name of a served model")
    if not isinstance(signature, str) or not signature:
        raise ConfigError(f"signature is {signature!r}: give a name such as 'serving_default'")
    if version is not None and label is not None:
        raise ConfigError("version and label are both given, and both pin: give one of them")
    is_whole = isinstance(version, int) and not isinstance(version, bool)
    if version is not None and not (is_whole and 0 <= version <= MAX_VERSION):
        raise ConfigError(f"version is {version!r}: give a whole number from 0")
    if label is not None and (not isinstance(label, str) or not label):
        raise ConfigError(f"label is {label!r}: give a text such as 'stable'")
    return Asked(model, signature, version, label)


def _key(asked: Asked) -> tuple[str, int | None, str | None]:
    return asked.model, asked.version, asked.label


def predict(
    asked: Asked,
    inputs: Mapping[str, object],
    outputs: Collection[str],
    known: KnownModels,
    terms: Terms,
) -> Plan[Outputs]:
    """What ``asked`` answers to ``inputs``: they become arrays as its metadata have them.

    Metadata that were read before may be those of an older version: where nothing comes of them,
    they are read anew, and the model is asked again if they differ.
    """
    if not isinstance(inputs, Mapping):
        kind = type(inputs).__name__
        raise ConfigError(f"inputs is a mapping from tensor names to values, not {kind}")
    if isinstance(outputs, str):
        raise ConfigError(f"outputs is {outputs!r}: give a list of names")
    plan = partial(_predict, asked, inputs, outputs, known, terms)
    return (yield from _resolved(asked, terms, plan))


def classify(
    asked: Asked, examples: Iterable[Example], context: Example | None, terms: Terms
) -> Plan[Classifications]:
    """The classes of each of ``examples``, which share the features of ``context``."""
    call = Classify(asked, *_features(examples, context))
    return (yield from _resolved(asked, terms, partial(_only, call, terms)))


def regress(
    asked: Asked, examples: Iterable[Example], context: Example | None, terms: Terms
) -> Plan[Regressions]:
    """The number of each of ``examples``, which share the features of ``context``."""
    call = Regress(asked, *_features(examples, context))
    return (yield from _resolved(asked, terms, partial(_only, call, terms)))


def metadata(asked: Asked, terms: Terms) -> Plan[ModelMetadata]:
    """The signatures of a version of a model."""
    return (yield from _resolved(asked, terms, partial(_metadata, asked, terms)))


def status(model: str, terms: Terms) -> Plan[ModelStatus]:
    """The versions of ``model``; raises ``ModelNotFound`` where the server has none."""
    return (yield from _advised(_only(Status(model), terms)))


def _resolved(asked: Asked, terms: Terms, plan: Callable[[], Plan[A]]) -> Plan[A]:
    """``plan``, by terms that say which version is asked for, so that faults are explained."""
    labels = {} if asked.label is None else {asked.model: asked.label}
    explaining = explained(plan, replace(terms, release=asked.version, labels=labels))
    return (yield from _advised(explaining))


def _advised(plan: Plan[A]) -> Plan[A]:
    """``plan``, whose errors say what helps where no release of neumo was asked."""
    try:
        return (yield from plan)
    except InvalidRequest as error:
        if error.advice == InvalidRequest.advice:  # else the server's words told more
            error.advice = "Models.metadata(…) shows what the model takes"
        raise
    except VersionUnavailable as error:
        error.advice = "Models.status(…) shows which versions are ready"
        raise
    except ModelNotFound as error:
        error.advice = "check the model's name, and the server's models.config"
        raise


def _predict(
    asked: Asked,
    inputs: Mapping[str, object],
    outputs: Collection[str],
    known: KnownModels,
    terms: Terms,
) -> Plan[Outputs]:
    kept = known.get(asked)
    if kept is not None:
        try:
            return (yield from _answer(asked, kept, inputs, outputs, known, terms))
        except (BadResponse, ConfigError, InvalidRequest):
            fresh = yield from _metadata(asked, terms)
            known.keep(asked, fresh)
            if fresh.signatures == kept.signatures:
                raise
    else:
        fresh = yield from _metadata(asked, terms)
        known.keep(asked, fresh)
    return (yield from _answer(asked, fresh, inputs, outputs, known, terms))


def _answer(
    asked: Asked,
    served: ModelMetadata,
    inputs: Mapping[str, object],
    outputs: Collection[str],
    known: KnownModels,
    terms: Terms,
) -> Plan[Outputs]:
    spec = _signature(asked, served)
    arrays = {name: array_of(name, value, _input(spec, name)) for name, value in inputs.items()}
    for name in outputs:
        if name not in spec.outputs:
            raise ConfigError(f"no output is called {name!r}: there are {_listed(spec.outputs)}")
    answer = yield from _only(PredictAny(asked, spec, arrays, tuple(outputs)), terms)
    if answer.version not in (None, served.version):
        known.forget(asked)  # another version answered, whose tensors may be others
    return answer


def _signature(asked: Asked, served: ModelMetadata) -> SignatureSpec:
    found = served.signatures.get(asked.signature)
    if found is None:
        raise ConfigError(
            f"{asked.model} version {served.version} has no signature {asked.signature!r}: "
            f"it has {_listed(served.signatures)}"
        )
    return found


def _input(spec: SignatureSpec, name: str) -> TensorSpec:
    if name not in spec.inputs:
        raise ConfigError(f"no input is called {name!r}: there are {_listed(spec.inputs)}")
    return spec.inputs[name]


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _features(
    examples: Iterable[Example], context: Example | None
) -> tuple[list[Features], Features | None]:
    if isinstance(examples, Mapping):
        raise ConfigError("examples is one mapping: give a list of them")
    read = [features.read(one) for one in examples]
    if not read:
        raise ConfigError("examples is empty: give at least one")
    return read, None if context is None else features.read(context)


def _metadata(asked: Asked, terms: Terms) -> Plan[ModelMetadata]:
    return (yield from _only(Metadata(asked.model, asked.version, asked.label), terms))


def _only(call: Call[A], terms: Terms) -> Plan[A]:
    (reply,) = yield from ask(terms, call)
    return reply.answer
