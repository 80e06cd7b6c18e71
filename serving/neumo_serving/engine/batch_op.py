"""TensorFlow's batch op in a graph, around a function of Python.

Apart from ``batching``, which imports this when the first queue is made: half of the time that a
server takes to import TensorFlow is for the functions that only this needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorflow.python.eager import def_function
from tensorflow.python.framework import dtypes
from tensorflow.python.framework.tensor import TensorSpec
from tensorflow.python.ops import array_ops, check_ops, gen_batch_ops, script_ops

from neumo_serving.engine.dtypes import Array


def add(graph: Any, place: int, process: Callable[[Array], Array], **attributes: Any) -> Any:
    """Add queue number ``place`` to ``graph``, whose batches ``process`` is given.

    The names of the tensors that take tickets, rows of two numbers, and give them back.
    """

    def function(lines: Any) -> Any:
        # numpy_function forgets the shape, and the op splits by the first dimension.
        done = script_ops.numpy_function(process, [lines], dtypes.int64)
        return check_ops.ensure_shape(done, [None, 2])

    spec = TensorSpec([None, 2], dtypes.int64)
    with graph.as_default():
        traced = def_function.function(
            function, input_signature=[spec], autograph=False
        ).get_concrete_function()
        lines = array_ops.placeholder(dtypes.int64, [None, 2])
        (done,) = gen_batch_ops.BatchFunction(
            in_tensors=[lines],
            captured_tensors=[],
            f=traced,
            Tout=[dtypes.int64],
            # One name, one set of batch threads for all queues of the model, as in upstream's
            # scheduler.
            shared_name="queues",
            batching_queue=str(place),
            **attributes,
        )
    return lines.name, done.name
