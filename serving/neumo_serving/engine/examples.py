"""The input of Classify, Regress and MultiInference: ``tf.Example``, as models parse them.

Source: ``servables/tensorflow/util.cc``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neumo_serving.engine import faults
from neumo_serving.engine.dtypes import Array


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
        raise faults.invalid("Input is empty.")
    array = np.empty(len(examples), object)
    array[:] = [context + one.SerializeToString() for one in examples]
    return array
