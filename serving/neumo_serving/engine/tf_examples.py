"""The input of Classify, Regress and MultiInference: ``tf.Example``, as models parse them.

Source: ``servables/tensorflow/util.cc``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from neumo_serving import request_faults
from neumo_serving.engine.dtypes import Array
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.signature_lookup import name_of

INPUTS = "inputs"
"""What every signature over examples calls its one input."""


def answer(
    model: LoadedModel,
    name: str,
    message: Any,
    check: Callable[[LoadedModel, Any], None],
    tensors: Callable[[Any], list[str]],
    result: Callable[[Any, int, Mapping[str, Array]], Any],
) -> Any:
    """The ``result`` of the signature ``name`` for an ``Input``, once it has passed ``check``."""
    signature = model.signatures.get(name_of(name))
    if signature is None:
        raise request_faults.invalid(f"No signature was found with the name: {name_of(name)}")
    check(model, signature)
    fetches = tensors(signature)
    array = serialized(message)
    arrays = model.run({signature.inputs[INPUTS].name: array}, fetches)
    return result(signature, len(array), dict(zip(fetches, arrays, strict=True)))


def serialized(message: Any) -> Array:
    """The examples in an ``Input``, serialized, each after their common context.

    Raises ``Fault`` INVALID_ARGUMENT where there are none.
    """
    context = b""
    examples = message.example_list.examples
    if message.WhichOneof("kind") == "example_list_with_context":
        context = message.example_list_with_context.context.SerializeToString()
        examples = message.example_list_with_context.examples
    if not examples:
        raise request_faults.invalid("Input is empty.")
    # Made empty and filled: numpy would make fixed-width bytes of a list, and lose final zeros.
    array = np.empty(len(examples), object)
    # Joined bytes of two messages are one message with the fields of both: protobuf merges.
    array[:] = [context + one.SerializeToString() for one in examples]
    return array
