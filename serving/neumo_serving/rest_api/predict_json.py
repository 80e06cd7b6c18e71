"""A predict request's JSON to arrays by name, by TensorFlow Serving's rules and error texts.

Upstream: ``util/json_tensor.cc``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumo_serving.engine.dtypes import Array
from neumo_serving.engine.signature_lookup import name_of
from neumo_serving.request_faults import Fault, invalid
from neumo_serving.rest_api import json_errors
from neumo_serving.rest_api.json_to_tensor import dense, is_base64, shown
from neumo_serving.rest_api.number_lists import Numbers


@dataclass(frozen=True, slots=True)
class Document:
    """A request's JSON object, and the signature that it names ('' is the default)."""

    signature: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The arrays of a request by name; ``is_row`` is the row format, ``instances``."""

    arrays: Mapping[str, Array]
    is_row: bool


def parse(data: bytes) -> Document:
    """The JSON object in ``data``; raises ``Fault`` INVALID_ARGUMENT where there is none."""
    document = json_errors.parse(data)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        text = "not formatted correctly. 'signature_name' key must be a string value."
        raise invalid(f"JSON Value: {shown(document)} {text}")
    return Document(signature, document)


def inputs(document: Document, signatures: Mapping[str, Any]) -> Inputs:
    """The inputs in ``document`` for a model with ``signatures``; raises ``Fault``."""
    name = name_of(document.signature)
    if name not in signatures:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    infos = signatures[name].inputs
    if not infos:
        raise invalid(f"Failed to get input map for signature: {document.signature or 'DEFAULT'}")
    if "instances" in document.members:
        return Inputs(_of_rows(_rows(document.members), infos), True)
    if "inputs" in document.members:
        return Inputs(_of_columns(document.members["inputs"], infos), False)
    raise invalid("Missing 'inputs' or 'instances' key")


def _rows(members: Mapping[str, Any]) -> list[Any] | Numbers:
    rows = members["instances"]
    if "inputs" in members:
        text = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
    elif not isinstance(rows, list | Numbers):
        # Upstream's spelling.
        text = "Excepting 'instances' to be an list/array"
    elif not len(rows):
        text = "No values in 'instances' array"
    else:
        return rows
    raise invalid(f"JSON Value: {shown(members)} {text}")


def _of_columns(value: Any, infos: Mapping[str, Any]) -> dict[str, Array]:
    if not isinstance(value, dict) or is_base64(value):
        if len(infos) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        return {name: dense(value, info.dtype) for name, info in infos.items()}
    for name in infos:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: dense(value[name], info.dtype) for name, info in infos.items()}


def _of_rows(rows: list[Any] | Numbers, infos: Mapping[str, Any]) -> dict[str, Array]:
    if not isinstance(rows, Numbers):
        return _of_list(rows, infos)
    at_once = _whole(rows, infos) if len(infos) == 1 else None
    return at_once or _of_list(rows.nested(), infos)


def _of_list(rows: list[Any], infos: Mapping[str, Any]) -> dict[str, Array]:
    # The first row says of which kind all must be.
    named = _is_named(rows[0])
    if len(infos) > 1 and not isinstance(rows[0], dict):
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    for index, row in enumerate(rows):
        _check_row(index, row, infos, named)
    if not named:
        name = min(infos)
        return {name: _stacked(rows, infos[name].dtype, "")}
    return {
        name: _stacked([row[name] for row in rows], info.dtype, f" key: {name}")
        for name, info in infos.items()
    }


def _whole(rows: Numbers, infos: Mapping[str, Any]) -> dict[str, Array] | None:
    """The only input, all rows at once; None where a row must be named that does not fit."""
    ((name, info),) = infos.items()
    try:
        return {name: dense(rows, info.dtype)}
    except Fault:
        return None


def _check_row(index: int, row: Any, infos: Mapping[str, Any], named: bool) -> None:
    if named != _is_named(row):
        what = "object but got list" if named else "value/list but got object"
        raise invalid(f"Expecting {what} at item {index} of input list")
    if not named:
        return
    for key in row:
        if key not in infos:
            # The code within the text is upstream's: a status in a status.
            text = f"INVALID_ARGUMENT: JSON object: does not have named input: {key}"
            raise _in_row(index, f" key: {key}", f"Error: {text}")
    if len(row) != len(infos):
        keys = ",".join(sorted(infos))
        raise _in_row(index, "", f"JSON object: {shown(row)} keys must be equal to: {keys}")


def _in_row(index: int, key: str, text: str) -> Fault:
    return invalid(f"Failed to process element: {index}{key} of 'instances' list. {text}")


def _stacked(rows: list[Any], data_type: int, key: str) -> Array:
    """The rows' tensors in one array; the first row that does not fit is named."""
    try:
        if all(isinstance(row, Numbers) for row in rows) and len({row.shape for row in rows}) == 1:
            return np.stack([dense(row, data_type) for row in rows])
        rows = [row.nested() if isinstance(row, Numbers) else row for row in rows]
        return dense(rows, data_type)
    except Fault:
        # The quick way knows that something is wrong, the slow one which row.
        _find_misfit(rows, data_type, key)
        raise


def _find_misfit(rows: list[Any], data_type: int, key: str) -> None:
    first = None
    for element, row in enumerate(rows):
        try:
            shape = dense(row, data_type).shape
            first = shape if first is None else first
            _check_same(first, shape)
        except Fault as fault:
            raise _in_row(element, key, f"Error: {fault.code}: {fault.message}") from None


def _check_same(first: tuple[int, ...], other: tuple[int, ...]) -> None:
    sizes = math.prod(first), math.prod(other)
    if sizes[0] != sizes[1]:
        raise invalid(f"Expecting tensor size: {sizes[0]} but got: {sizes[1]}")
    if first != other:
        texts = ["[" + ",".join(map(str, shape)) + "]" for shape in (first, other)]
        raise invalid(f"Expecting shape {texts[0]} but got: {texts[1]}")


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)
