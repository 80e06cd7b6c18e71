"""Whether a SavedModel has the contract's signatures and answers as its release did."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo import contract
from neumo._engine import model_checks
from neumo._wire.answer_types import ModelMetadata
from neumo.errors import ConfigError
from neumo.release import golden
from neumo.release.check.findings import Arrays, Servable
from neumo.release.manifest import Manifest

Images = npt.NDArray[np.uint8]
_EXACT = 1e-6
"""Of a float32 in [0, 1], written as a float64."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a model leaves its release, in words; ``output`` is '' where no output tells it."""

    text: str
    output: str = ""


def differences(
    model: contract.Model, manifest: Manifest, images: Images, servable: Servable
) -> Iterator[Difference]:
    """What is wrong with the ``model`` of the release ``manifest``, asked about ``images``."""
    # Judged by its own minor: what came later is not missing in an old release.
    model = contract.at(model, contract.minor_of(manifest.contract))
    served = ModelMetadata(model.name, manifest.release, dict(servable.signatures))
    unlike = [Difference(text) for text in model_checks.differences(model, served)]
    yield from unlike
    if unlike:
        return
    expected = _expected(model, manifest, len(images))
    for signature in model.signatures:
        try:
            outputs = servable.run(signature.name, _inputs(signature, images))
        except ConfigError as error:
            yield Difference(f"signature {signature.name} fails: {error}")
            continue
        found = _in_outputs(signature, outputs, expected, manifest.golden.tolerance)
        heat = manifest.golden_heat.get(model.name)
        for one in (*found, *_in_heat(heat, outputs)):
            yield Difference(f"signature {signature.name}, {one.text}", one.output)
    yield from _unrecorded(model, expected)


def _expected(model: contract.Model, manifest: Manifest, count: int) -> dict[str, Any]:
    """The golden outputs; the release's number and, of members, the threshold from the manifest."""
    expected = dict(golden.expected(manifest.golden, model.name))
    expected[contract.RELEASE.name] = [manifest.release] * count
    if model.name in {member.name for member in contract.MEMBERS}:
        expected[contract.THRESHOLD.name] = [manifest.threshold] * count
    return expected


def _unrecorded(model: contract.Model, expected: Mapping[str, Any]) -> Iterator[Difference]:
    for tensor in model.signature(contract.SERVING_DEFAULT).outputs:
        if len(tensor.shape) == 1 and tensor.name not in expected:
            yield Difference(f"the manifest has no golden output {tensor.name}", tensor.name)


def _inputs(signature: contract.Signature, images: Images) -> Arrays:
    if signature.inputs[0].name == contract.IMAGE_BYTES.name:
        return {contract.IMAGE_BYTES.name: np.array([_png(i) for i in images], object)}
    return {contract.IMAGE.name: images}


def _png(image: Images) -> bytes:
    held = io.BytesIO()
    Image.fromarray(image[:, :, 0]).save(held, "PNG")
    return held.getvalue()


def _in_outputs(
    signature: contract.Signature,
    outputs: Arrays,
    expected: Mapping[str, Any],
    tolerance: float,
) -> Iterator[Difference]:
    count = len(expected[contract.RELEASE.name])
    faults = [
        Difference(text, tensor.name)
        for tensor in signature.outputs
        for text in _in_values(tensor, outputs[tensor.name], count)
    ]
    yield from faults
    if faults:
        return
    names = {tensor.name for tensor in signature.outputs}
    for name, values in expected.items():
        if name in names or signature.name == contract.SERVING_DEFAULT:
            # Constants in the graph are exact on any processor; what is computed is not.
            is_fixed = name in {contract.RELEASE.name, contract.THRESHOLD.name}
            allowed = _EXACT if is_fixed else tolerance
            for text in golden.differences({name: values}, outputs, allowed):
                yield Difference(text, name)


def _in_heat(recorded: object, outputs: Arrays) -> Iterator[Difference]:
    """Where heat maps leave the manifest's; nothing where it records none, or they are none."""
    maps = outputs.get(contract.HEATMAP.name)
    if recorded is None or maps is None or maps.ndim != len(contract.HEATMAP.shape):
        return
    for text in golden.heat_differences(recorded, maps):
        yield Difference(text, contract.HEATMAP.name)


def _in_values(
    tensor: contract.Tensor, values: npt.NDArray[np.generic], count: int
) -> Iterator[str]:
    """All that the contract's models answer, but the release, lies in [0, 1]."""
    if values.ndim != len(tensor.shape) or len(values) != count:
        yield f"output {tensor.name} has the shape {values.shape} for {count} inputs"
        return
    numbers = np.asarray(values, np.float64)
    if tensor.name != contract.RELEASE.name and not np.all((numbers >= 0.0) & (numbers <= 1.0)):
        yield f"output {tensor.name} has values outside [0, 1]"
    least = contract.HEATMAP_MIN_SIZE_PX
    if tensor.name == contract.HEATMAP.name and min(values.shape[1:]) < least:
        size = " x ".join(map(str, values.shape[1:]))
        yield f"output {tensor.name} is {size} pixels; {least} x {least} are the least"
