"""What a new list of models is checked for before and after it is taken.

Source: ``model_servers/server_core.cc``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neumo_serving import request_faults
from neumo_serving.engine.version_policy import ModelConfig
from neumo_serving.engine.versions import ACTIVE, State, Versions
from neumo_serving.request_faults import Fault


def check_labels(
    configs: Sequence[ModelConfig], models: Mapping[str, Versions], allow_unavailable: bool
) -> None:
    """Raise ``Fault`` for the first label of a version that is not AVAILABLE.

    ``allow_unavailable`` lets labels through that are new, or stay where they are.
    """
    # Looked at before anything loads, as upstream: a label cannot move to a version that the same
    # list brings, it takes two steps (upstream's issue 1608).
    for config in configs:
        versions = models.get(config.name)
        available = versions.in_state(State.AVAILABLE) if versions else set()
        present = dict(versions.config.labels) if versions else {}
        for label, version in config.labels:
            is_free = allow_unavailable and present.get(label, version) == version
            if version not in available and not is_free:
                raise Fault(
                    request_faults.FAILED_PRECONDITION,
                    f"Request to assign label to version {version} of model {config.name}, which "
                    "is not currently available for inference",
                )


def are_available(new: Sequence[Versions]) -> bool:
    """Whether all have an AVAILABLE version; raises ``Fault`` where some never will."""
    # While one may still come nothing is said of the others: upstream tells of all at the end.
    broken = [one for one in new if one.failed() and not one.in_state(*ACTIVE)]
    waited_for = [one for one in new if not one.in_state(State.AVAILABLE)]
    if broken and len(broken) == len(waited_for):
        raise Fault("UNKNOWN", _did_not_become_available(broken))
    return not waited_for


def _did_not_become_available(broken: Sequence[Versions]) -> str:
    rows = ""
    for versions in broken:
        for version, fault in sorted(versions.failed().items()):
            name = f"{{name: {versions.config.name} version: {version}}}"
            rows += f"{{{name} due to error: {fault.code}: {fault.message}}}, "
    return f"{len(broken)} model(s) did not become available: {{{rows}}}"
