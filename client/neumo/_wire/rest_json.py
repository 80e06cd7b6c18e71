"""TensorFlow Serving's REST API: paths, JSON bodies, and answers as plain data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire import json_numbers, tensor_protos
from neumo._wire.answer_types import (
    Answer,
    Classifications,
    ModelMetadata,
    Outputs,
    Regressions,
    ScoredClass,
    SignatureSpec,
    TensorSpec,
)
from neumo._wire.features import Features
from neumo.model_status import ModelStatus, VersionState, VersionStatus

T = TypeVar("T")


def rest_path(model: str, version: int | None = None, label: str | None = None) -> str:
    """The path of ``model``, or of one version of it, below the server's root."""
    path = f"/v1/models/{quote(model, safe='')}"
    if version is not None:
        return f"{path}/versions/{version}"
    return path if label is None else f"{path}/labels/{quote(label, safe='')}"


def rest_body(signature: str, inputs: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    """The body of a predict call, in the column format: ``inputs`` by tensor name."""
    columns = b",".join(
        json.dumps(name).encode() + b":" + json_numbers.to_json(array)
        for name, array in inputs.items()
    )
    head = json.dumps(signature).encode()
    return b'{"signature_name":' + head + b',"inputs":{' + columns + b"}}"


def rest_answer(model: str, signature: contract.Signature, data: bytes) -> Answer:
    """The answer of a predict call in the column format.

    JSON has no dtypes, so those of ``signature`` are applied; outputs that it does not name are
    left out. Raises ``ValueError`` where ``data`` is no such answer.
    """
    names = {tensor.name for tensor in signature.outputs}
    outputs = _field(_document(_without_others(data, names)), "outputs", dict)
    return Answer(
        model,
        None,
        {
            tensor.name: _array(outputs[tensor.name], tensor_protos.dtype_of(tensor.dtype))
            for tensor in signature.outputs
            if tensor.name in outputs
        },
    )


def rest_outputs(
    model: str, specs: Mapping[str, TensorSpec], chosen: Collection[str], data: bytes
) -> Outputs:
    """The outputs in the column format of a signature with the outputs ``specs``.

    Only those of ``chosen`` are read, all where it is empty. JSON has no dtypes, so those of
    ``specs`` are applied. Raises ``ValueError`` where ``data`` is no answer of that signature.
    """
    document = _document(data)
    if len(specs) == 1:  # a single output loses its name
        if not isinstance(document, dict) or "outputs" not in document:
            raise ValueError("no 'outputs' in the answer")
        found = dict.fromkeys(specs, document["outputs"])
    else:
        found = _field(document, "outputs", dict)
    if found.keys() != specs.keys():
        raise ValueError(f"the outputs {', '.join(found)} where {', '.join(specs)} were expected")
    return Outputs(
        model, None, {name: _typed(found[name], specs[name]) for name in (chosen or specs)}
    )


def rest_examples(signature: str, examples: Sequence[Features], context: Features | None) -> bytes:
    """The body of a classify or regress call."""
    document: dict[str, Any] = {"signature_name": signature}
    if context is not None:
        document["context"] = _feature_values(context)
    document["examples"] = [_feature_values(one) for one in examples]
    return json.dumps(document).encode()


def rest_classifications(model: str, data: bytes) -> Classifications:
    """The answer of a classify call; ``ValueError`` where it is none."""
    rows = _field(_document(data), "results", list)
    return Classifications(model, None, tuple(tuple(map(_class, row)) for row in rows))


def rest_regressions(model: str, data: bytes) -> Regressions:
    """The answer of a regress call; ``ValueError`` where it is none."""
    values = _array(_field(_document(data), "results", list), np.dtype(np.float32))
    return Regressions(model, None, values.astype(np.float32, copy=False))


def rest_status(model: str, data: bytes) -> ModelStatus:
    """The answer of a status call; ``ValueError`` where it is none."""
    rows = _field(_document(data), "model_version_status", list)
    versions = [_version_status(row) for row in rows]
    versions.sort(key=lambda one: one.version, reverse=True)
    return ModelStatus(model, tuple(versions))


def rest_metadata(data: bytes) -> ModelMetadata:
    """The answer of a metadata call; ``ValueError`` where it is none."""
    document = _document(data)
    spec = _field(document, "model_spec", dict)
    outer = _field(_field(document, "metadata", dict), "signature_def", dict)
    signatures = {
        name: SignatureSpec(
            _specs(one, "inputs"), _specs(one, "outputs"), str(one.get("method_name", ""))
        )
        for name, one in _field(outer, "signature_def", dict).items()
    }
    return ModelMetadata(_field(spec, "name", str), int(_field(spec, "version", str)), signatures)


def rest_error(data: bytes) -> str | None:
    """The text of ``{"error": "…"}``, TensorFlow Serving's answer to a failed call, else None."""
    try:
        return _field(_document(data), "error", str)
    except ValueError:
        return None


_LIST_OF_NUMBERS = re.compile(rb'"([^"\\]+)"\s*:\s*\[[^"{}]*\]')
"""A key and the list after it, which ends before the next quote or brace: numbers have neither."""
_LONG_BYTES = 32 * 1024


def _without_others(data: bytes, names: Collection[str]) -> bytes:
    """``data`` with null for each list of numbers that is called otherwise than ``names``.

    JSON has no output filter: what nobody reads, as the mask of ``lungs``, takes 3 ms to parse, and
    .3 ms to be passed over.
    """
    if len(data) < _LONG_BYTES:
        return data

    def kept(found: re.Match[bytes]) -> bytes:
        name = found[1]
        return found[0] if name.decode("utf-8", "replace") in names else b'"' + name + b'":null'

    return _LIST_OF_NUMBERS.sub(kept, data)


def _document(data: bytes) -> object:
    try:
        # TensorFlow Serving writes strings as they are: those that are no UTF-8 come through, too.
        document: object = json.loads(data.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    return document


def _field(value: object, name: str, kind: type[T]) -> T:
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, kind):
        return found
    raise ValueError(f"no {name!r} in the answer")


def _typed(value: object, spec: TensorSpec) -> npt.NDArray[np.generic]:
    array = _array(value, tensor_protos.dtype_of(spec.dtype))
    rest = () if spec.shape is None else spec.shape[array.ndim :]
    # An empty list says nothing of the dimensions within it.
    return array.reshape(*array.shape, *(size or 0 for size in rest)) if not array.size else array


def _class(found: object) -> ScoredClass:
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[0], str):
        raise ValueError("a class without a label and a score")
    return ScoredClass(found[0], float(_array(found[1], np.dtype(np.float32))))


def _feature_values(features: Features) -> dict[str, Any]:
    return {
        name: [_boxed(one) if isinstance(one, bytes) else one for one in values]
        for name, values in features.items()
    }


def _boxed(text: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(text).decode("ascii")}


def _array(value: object, dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """Nested lists as an array of ``dtype``, without numpy's silent conversions."""
    if dtype.kind == "O":
        return _of_strings(value)
    array = np.array(value)
    if array.size == 0:
        return array.astype(dtype)
    if dtype == np.uint64 and array.dtype.kind == "f":
        array = tensor_protos.whole(value, array)
    if array.dtype.kind not in _JSON_KINDS[dtype.kind]:
        raise ValueError(f"{array.dtype} in the answer where {dtype} was expected")
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return array.astype(dtype)
    return tensor_protos.narrowed(array, dtype)


_JSON_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}
"""The kinds of numpy array that JSON values may make for each kind of dtype."""


def _of_strings(value: object) -> npt.NDArray[np.generic]:
    array = np.array(value, dtype=object)
    flat = [_unboxed(one) for one in array.flat]
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(array.shape)


def _unboxed(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return base64.b64decode(_field(value, "b64", str), validate=True)


def _version_status(row: object) -> VersionStatus:
    status: object = row.get("status", {}) if isinstance(row, dict) else {}
    return VersionStatus(
        int(_field(row, "version", str)),
        VersionState(_field(row, "state", str)),
        _field(status, "error_message", str) if status else "",
    )


def _specs(signature: object, name: str) -> dict[str, TensorSpec]:
    return {
        key: TensorSpec(_field(info, "dtype", str), _shape(_field(info, "tensor_shape", dict)))
        for key, info in _field(signature, name, dict).items()
    }


def _shape(shape: dict[str, Any]) -> tuple[int | None, ...] | None:
    if shape.get("unknown_rank"):
        return None
    sizes = [int(_field(dim, "size", str)) for dim in shape.get("dim", [])]
    return tuple(None if size < 0 else size for size in sizes)
