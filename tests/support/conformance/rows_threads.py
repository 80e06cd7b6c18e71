"""How many calls a server takes at once, and how many rows of one."""

from __future__ import annotations

import numpy as np

from support.conformance.rows import CrowdRow, GrpcRow
from support.toy_model import predict_request

SERVER = "model_servers/server.cc"
SESSION = "batching/batching_session.cc"
ROW = np.array([[1.0, 2.0]], np.float32)

CROWDS = [
    CrowdRow(
        "of a quota of four threads one waits for the next call, and the calls beyond are refused",
        "Predict",
        predict_request({"x": ROW}),
        SERVER,
        count=12,
        answered=3,
        code="RESOURCE_EXHAUSTED",
        text="Server Threadpool Exhausted",
        server="threads",
    ),
]


def _rows(count: int) -> np.ndarray:
    return np.arange(2 * count, dtype=np.float32).reshape(count, 2)


GRPC = [
    GrpcRow(
        "a request of many batches is split, and comes back whole",
        "Predict",
        predict_request({"x": _rows(64)}),
        SESSION,
        fields={
            "outputs[y].float_val": (2 * _rows(64)).ravel().tolist(),
            "outputs[y].tensor_shape.dim[0].size": 64,
        },
        server="splitting",
    ),
    GrpcRow(
        "a request that does not fill its last batch is split, too",
        "Predict",
        predict_request({"x": _rows(13)}),
        SESSION,
        fields={"outputs[y].float_val": (2 * _rows(13)).ravel().tolist()},
        server="splitting",
    ),
    GrpcRow(
        "a request of more rows than max_batch_size is refused where others are split",
        "Predict",
        predict_request({"x": _rows(65)}),
        "batching/batch_scheduler.cc",
        "INVALID_ARGUMENT",
        "Task size 65 is larger than maximum input batch size 64",
        server="splitting",
    ),
]
