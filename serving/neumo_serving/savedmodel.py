"""A SavedModel by itself, loaded and run as the server does; it needs TensorFlow alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorflow.core.framework import types_pb2

from neumo.errors import ConfigError
from neumo.wire import SignatureSpec, TensorSpec
from neumo_serving.engine import loader
from neumo_serving.engine.dtypes import Array
from neumo_serving.engine.faults import Fault


@dataclass(frozen=True, slots=True, eq=False)
class SavedModel:
    """A loaded SavedModel, asked by the names of its signatures and tensors."""

    loaded: loader.LoadedModel

    @property
    def signatures(self) -> Mapping[str, SignatureSpec]:
        """Its signatures by name."""
        return {
            name: SignatureSpec(_specs(signature.inputs), _specs(signature.outputs))
            for name, signature in self.loaded.signatures.items()
        }

    def run(self, signature: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Every output of ``signature`` by name; raises ``ConfigError`` where it fails."""
        known = self.loaded.signatures[signature]
        feeds = {known.inputs[name].name: value for name, value in inputs.items()}
        try:
            found = self.loaded.run(feeds, [tensor.name for tensor in known.outputs.values()])
        except Fault as fault:
            raise _error(fault) from fault
        return dict(zip(known.outputs, found, strict=True))


@contextmanager
def opened(folder: Path) -> Iterator[SavedModel]:
    """The SavedModel in ``folder``; raises ``ConfigError`` where it cannot be loaded."""
    try:
        loaded = loader.load(folder)
    except Fault as fault:
        raise _error(fault) from fault
    try:
        yield SavedModel(loaded)
    finally:
        loaded.close()


def _error(fault: Fault) -> ConfigError:
    return ConfigError(f"{fault.code}: {' '.join(fault.brief.split())}")


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(types_pb2.DataType.Name(info.dtype), _shape(info.tensor_shape))
        for name, info in infos.items()
    }


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)
