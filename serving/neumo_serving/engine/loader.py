"""A version's folder to a model that can be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from neumo_serving.engine import faults
from neumo_serving.engine.faults import Fault

TAG = "serve"
FILE = "saved_model.pb"

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A SavedModel in memory.

    ``signatures`` are its ``SignatureDef`` messages and ``functions`` what runs them, by name;
    ``root`` keeps its variables alive.
    """

    signatures: Mapping[str, Any]
    functions: Mapping[str, Any]
    root: Any

    def run(self, signature: str, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Any]:
        """The ``outputs`` of ``signature`` as arrays; raises ``Fault`` where TensorFlow fails."""
        with faults.as_faults():
            tensors = {name: tf.constant(array) for name, array in inputs.items()}
            results = self.functions[signature](**tensors)
            return [results[name].numpy() for name in outputs]

    def close(self) -> None:
        """Give the memory back; nothing may run any more."""


def load(folder: Path) -> LoadedModel:
    """The SavedModel in ``folder``, its variables restored; raises ``Fault`` where it is none."""
    signatures = _signature_defs(folder)
    with faults.as_faults():
        root = tf.saved_model.load(str(folder), tags=[TAG])
        functions = {name: root.signatures[name] for name in root.signatures}
    return LoadedModel(signatures, functions, root)


def _signature_defs(folder: Path) -> dict[str, Any]:
    try:
        model = saved_model_pb2.SavedModel.FromString((folder / FILE).read_bytes())
    except OSError:
        message = f"Could not find SavedModel .pb or .pbtxt at supplied export directory: {folder}"
        raise Fault(faults.NOT_FOUND, message) from None
    except DecodeError as error:
        message = f"{folder / FILE} is no SavedModel: {error}"
        raise Fault(faults.INVALID_ARGUMENT, message) from None
    for graph in model.meta_graphs:
        if TAG in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise Fault(faults.NOT_FOUND, f"Could not find meta graph def matching supplied tags: {TAG}")


def dtype_name(number: int) -> str:
    """TensorFlow's own name of a dtype, such as ``uint8``."""
    name: str = tf.dtypes.as_dtype(number).name
    return name


def cpp_name(name: str) -> str:
    """What TensorFlow's C++ texts call the dtype ``name``: the 32-bit float is plain ``float``."""
    return {"float32": "float", "float64": "double"}.get(name, name)


def numpy_dtype(number: int) -> np.dtype[Any]:
    """The numpy dtype of TensorFlow's ``number``; of objects for strings."""
    dtype: np.dtype[Any] = np.dtype(tf.dtypes.as_dtype(number).as_numpy_dtype)
    return dtype
