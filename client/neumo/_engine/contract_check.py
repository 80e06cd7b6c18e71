"""Whether a served model is the one that the contract describes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from neumo import contract
from neumo._wire.answer_types import ModelMetadata, SignatureSpec, TensorSpec
from neumo.errors import ContractError

Dims = tuple[int | None, ...] | None


def check(model: contract.Model, served: ModelMetadata, target: str) -> None:
    """Raise ``ContractError`` at the first difference that would make an answer wrong.

    A release of a later minor may have more signatures and outputs than this client knows, and
    one of an earlier minor may lack what came after it; further inputs are never accepted.
    """
    for difference in differences(model, served):
        raise ContractError(
            f"{model.name} version {served.version} at {target}: {difference}; "
            "update neumo, or serve a release of its contract"
        )


def differences(model: contract.Model, served: ModelMetadata) -> Iterator[str]:
    """Every difference that would make an answer wrong, in words; see ``check``."""
    for signature in model.signatures:
        found = served.signatures.get(signature.name)
        if found is None:
            if not signature.since_minor:
                yield f"signature {signature.name} is missing"
        else:
            for difference in _in_signature(signature, found):
                yield f"signature {signature.name}, {difference}"


def _in_signature(signature: contract.Signature, found: SignatureSpec) -> Iterator[str]:
    for name in sorted(found.inputs.keys() - {tensor.name for tensor in signature.inputs}):
        yield f"input {name} is not known to this client"
    yield from _in_tensors("input", signature.inputs, found.inputs)
    yield from _in_tensors("output", signature.outputs, found.outputs)


def _in_tensors(
    role: str, expected: tuple[contract.Tensor, ...], found: Mapping[str, TensorSpec]
) -> Iterator[str]:
    for tensor in expected:
        spec = found.get(tensor.name)
        if spec is None:
            if not tensor.since_minor:
                yield f"{role} {tensor.name} is missing"
        elif spec.dtype != tensor.dtype or not _fits(role, tensor.shape, spec.shape):
            yield (
                f"{role} {tensor.name} is {_text(spec.dtype, spec.shape)}, "
                f"not {_text(tensor.dtype, tensor.shape)}"
            )


def _fits(role: str, expected: tuple[int | None, ...], found: Dims) -> bool:
    """Whether arrays of ``expected`` can go in, or what comes out can be one.

    A size that the server leaves open fits; an input of any size must be left open.
    """
    if found is None:
        return True
    return len(found) == len(expected) and all(
        size is None or size == wanted or (wanted is None and role == "output")
        for wanted, size in zip(expected, found, strict=True)
    )


def _text(dtype: str, shape: Dims) -> str:
    if shape is None:
        return f"{dtype} of any shape"
    return f"{dtype} [{', '.join('?' if size is None else str(size) for size in shape)}]"
