"""Whether a served model has the release's signatures and gives its golden answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neumo import contract
from neumo.errors import ConfigError
from neumo.release import plain_pictures
from neumo.release.check import model_answers_check
from neumo.verification.asked_server import AskedServer, ServedModel
from neumo.verification.manifest_file import ManifestFile
from neumo.verification.report import Check, Remark

_CHECKS = {
    contract.THRESHOLD.name: Check.THRESHOLD,
    contract.RELEASE.name: Check.RELEASE,
    contract.HEATMAP.name: Check.HEATMAP,
}
_ADVICE = {
    Check.SIGNATURES: "export the release anew, or serve it with a neumo of its contract",
    Check.ANSWERS: "these are not the weights of the manifest, or this server computes otherwise: "
    "compare the files' SHA-256, neumo release check",
    Check.THRESHOLD: "every answer near it would be decided otherwise than was evaluated: deploy "
    "the release's own files",
    Check.RELEASE: "the folder's number is not that of what lies in it: deploy the release again",
    Check.HEATMAP: "do not show these heat maps: deploy the release's own files",
}


def faults(server: AskedServer, model: contract.Model, held: ManifestFile) -> Iterator[Remark]:
    """What is wrong with ``model`` of the release; raises a ``ServingError``."""
    manifest = held.manifest
    as_released = contract.at(model, contract.minor_of(manifest.contract))
    served = ServedModel(server, as_released, manifest.release)
    for name in _unknown_signatures(as_released, served, manifest.contract):
        text = f"signature {name} is none of contract {manifest.contract}"
        yield _remark(server, model, Check.SIGNATURES, text)
    found = model_answers_check.differences(as_released, manifest, held.images, served)
    for difference in found:
        is_about_output = bool(difference.output)
        check = _CHECKS.get(difference.output, Check.ANSWERS)
        yield _remark(
            server, model, check if is_about_output else Check.SIGNATURES, difference.text
        )
    if model.name not in manifest.golden_heat:
        for text in _implausible(served):
            yield _remark(server, model, Check.HEATMAP, f"signature {contract.EXPLAIN}, {text}")


def _implausible(served: ServedModel) -> Iterator[str]:
    """What no release's heat maps are, where the manifest does not record its own."""
    maps = served.answered.get(contract.EXPLAIN, {}).get(contract.HEATMAP.name)
    if maps is None or len(maps) < 2:
        return
    if not np.any(maps):
        yield f"the heat maps of {len(maps)} different inputs show heat nowhere"
    elif np.all(maps == maps[0]):
        yield f"the heat maps of {len(maps)} different inputs are all the same"


def unrefused(server: AskedServer, held: ManifestFile) -> Iterator[Remark]:
    """Whether ``lungs`` takes for a chest what shows none; raises a ``ServingError``."""
    drawn = plain_pictures.draw()
    lungs = ServedModel(server, contract.LUNGS, held.manifest.release)
    try:
        inputs = {contract.IMAGE.name: np.concatenate([*drawn.values()])}
        outputs = lungs.run(contract.SERVING_DEFAULT, inputs)
    except ConfigError as error:
        text = f"drawn pictures that show no chest make it fail: {error}"
        yield _remark(server, contract.LUNGS, Check.ANSWERS, text)
        return
    # What is no number is not refused either.
    chest, threshold = (
        outputs[tensor.name].astype(np.float64) for tensor in (contract.CHEST, contract.THRESHOLD)
    )
    is_refused = chest < threshold
    taken = [shown for shown, refused in zip(drawn, is_refused, strict=True) if not refused]
    if taken:
        text = (
            f"drawn pictures that show no chest are taken for films ({', '.join(taken)}): pictures "
            "of anything would be answered; deploy the release's own lungs, or train it anew"
        )
        yield Remark(server.url, Check.REFUSALS, contract.LUNGS.name, text)


def _unknown_signatures(model: contract.Model, served: ServedModel, version: str) -> Iterator[str]:
    if contract.minor_of(version) > contract.CONTRACT_MINOR:
        return  # of a later contract, more than this neumo knows
    for name in sorted(served.signatures):
        # TensorFlow writes one of its own, which begins so.
        if not model.has(name) and not name.startswith("__"):
            yield name


def _remark(server: AskedServer, model: contract.Model, check: Check, text: str) -> Remark:
    return Remark(server.url, check, model.name, f"{text}; {_ADVICE[check]}")
