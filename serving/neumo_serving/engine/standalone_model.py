"""A SavedModel by itself, loaded and run as the server does; it needs TensorFlow alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neumo.errors import ConfigError
from neumo.release.check import SignatureSpec, signature_spec
from neumo_serving.engine import saved_model
from neumo_serving.engine.dtypes import Array
from neumo_serving.request_faults import Fault


@dataclass(frozen=True, slots=True, eq=False)
class SavedModel:
    """A loaded SavedModel, asked by the names of its signatures and tensors."""

    loaded: saved_model.LoadedModel

    @property
    def signatures(self) -> Mapping[str, SignatureSpec]:
        """Its signatures by name."""
        return {
            name: signature_spec(signature.SerializeToString())
            for name, signature in self.loaded.signatures.items()
        }

    def run(self, signature: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Every output of ``signature`` by name; raises ``ConfigError`` where it fails."""
        known = self.loaded.signatures[signature]
        feeds = {known.inputs[name].name: value for name, value in inputs.items()}
        try:
            arrays = self.loaded.run(feeds, [tensor.name for tensor in known.outputs.values()])
        except Fault as fault:
            raise _error(fault) from fault
        return dict(zip(known.outputs, arrays, strict=True))


@contextmanager
def opened(folder: Path) -> Iterator[SavedModel]:
    """The SavedModel in ``folder``; raises ``ConfigError`` where it cannot be loaded."""
    try:
        loaded = saved_model.load(folder)
    except Fault as fault:
        raise _error(fault) from fault
    try:
        yield SavedModel(loaded)
    finally:
        loaded.close()


def _error(fault: Fault) -> ConfigError:
    return ConfigError(f"{fault.code}: {' '.join(fault.brief.split())}")
