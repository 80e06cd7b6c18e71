"""gRPC calls that no well-behaved client makes."""

from __future__ import annotations

import functools
from random import Random
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from support.conformance.official_requests import (
    classify,
    example,
    infer,
    metadata,
    regress,
    status,
)
from support.fuzz.attempts import Call, Maker, mutated
from support.toy_model import MODEL, predict_request

PREDICTION = "/tensorflow.serving.PredictionService/"
MODELS = "/tensorflow.serving.ModelService/"
METHODS = (
    *(f"{PREDICTION}{name}" for name in ("Predict", "Classify", "Regress", "MultiInference")),
    f"{PREDICTION}GetModelMetadata",
    f"{MODELS}GetModelStatus",
    f"{MODELS}HandleReloadConfigRequest",
)
X = np.array([[1.0, 2.0]], np.float32)
SIZES = (-(2**63), -2, -1, 0, 1, 2, 3, 7, 2**10, 2**24, 2**31, 2**32, 2**40, 2**62, 2**63 - 1)
KINDS = ("float32", "half", "int8", "int64", "uint16", "bool", "string", "complex64")
DEEPEST = 400


@functools.cache
def valid() -> tuple[tuple[str, bytes], ...]:
    """Requests that are answered, as their method and bytes."""
    two = example(x=[2.0])
    echo = {"i": np.array([7], np.int32), "s": [b"a"], "b": [True]}
    made = {
        "Predict": [
            predict_request({"x": X}),
            predict_request({"x": X}, version=1, outputs=("y",)),
            predict_request(echo, signature="echo"),
            predict_request({"x": X[0]}, model="half_plus_two"),
        ],
        "Classify": [classify("half_plus_two", two, signature="classify_x_to_y")],
        "Regress": [regress("half_plus_two", two, two, context=two, signature="regress_x_to_y")],
        "MultiInference": [infer(("half_plus_two", "regress_x_to_y", "regress"), examples=(two,))],
        "GetModelMetadata": [metadata(MODEL, "signature_def")],
    }
    found = [
        (PREDICTION + method, one.SerializeToString())
        for method, requests in made.items()
        for one in requests
    ]
    return (*found, (f"{MODELS}GetModelStatus", status(MODEL).SerializeToString()))


def mutation(rng: Random) -> Call:
    """A valid request with a few bytes changed."""
    method, data = rng.choice(valid())
    return Call("mutated message", method, mutated(rng, data))


def crossed(rng: Random) -> Call:
    """A valid request of one method, sent to another."""
    data = rng.choice(valid())[1]
    # A configuration that happens to be valid would take the models away.
    return Call("another method's message", rng.choice(METHODS[:-1]), data)


def noise(rng: Random) -> Call:
    """Random bytes."""
    return Call("random bytes", rng.choice(METHODS), rng.randbytes(rng.randint(1, 400)))


def unknown_method(rng: Random) -> Call:
    """A method that nobody serves."""
    name = rng.choice(("Train", "predict", "", "Predict/x", "\u00e9"))
    method = rng.choice((PREDICTION, MODELS, "/a.B/", "//")) + name
    return Call("unknown method", method, rng.choice(valid())[1])


def odd_tensor(rng: Random) -> Call:
    """A tensor of any dtype whose shape and values contradict each other."""
    kind = rng.choice(KINDS)
    request = predict_request({"x": _tensor(rng)}, model="kinds", signature=kind)
    return Call("contradictory tensor", METHODS[0], request.SerializeToString())


def odd_input(rng: Random) -> Call:
    """Tensors of any dtype for the toy, under any name."""
    names = rng.sample(("x", "i", "s", "b", "", "\0", "x" * 5000), rng.randint(1, 4))
    signature = rng.choice(("", "echo", "single", "uneven", "nope", "s" * 3000))
    request = predict_request({name: _tensor(rng) for name in names}, signature=signature)
    return Call("inputs of any name", METHODS[0], request.SerializeToString())


def odd_spec(rng: Random) -> Call:
    """A model, version, label or output that nobody knows."""
    model = rng.choice(("", "toy", "m", "\0", "../toy", "toy/1", "m" * 100_000))
    choice = rng.choice(
        ({"version": rng.choice(SIZES)}, {"label": rng.choice(("", "x", "\n", "l" * 9000))}, {})
    )
    outputs = tuple(rng.choices(("y", "z", "", "version"), k=rng.randint(0, 50)))
    request = predict_request({"x": X}, model=model, outputs=outputs, **choice)
    return Call("unknown specification", METHODS[0], request.SerializeToString())


def nesting(rng: Random) -> Call:
    """Variants in variants, or groups in groups."""
    if rng.random() < 0.5:
        return Call("nested groups", rng.choice(METHODS), b"\x0b" * rng.randint(50, 100_000))
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_VARIANT)
    for _ in range(rng.randint(10, DEEPEST)):
        outer = tensor_pb2.TensorProto(dtype=types_pb2.DT_VARIANT)
        outer.variant_val.add(type_name="t").tensors.add().CopyFrom(tensor)
        tensor = outer
    request = predict_request({"x": tensor})
    return Call("nested variants", METHODS[0], request.SerializeToString())


def odd_examples(rng: Random) -> Call:
    """Examples with features of any kind and number."""
    value = rng.choice(([1.0], [2.0] * 1000, [1], [b"a"], [2**62], [b"\xff" * 1000]))
    made = [example(**{rng.choice(("x", "y", "x2")): value}) for _ in range(rng.randint(0, 5))]
    model = rng.choice(("half_plus_two", "half_plus_two_tf2", "judges", MODEL))
    signature = rng.choice(("classify_x_to_y", "regress_x_to_y", "scores", "wide", ""))
    if rng.random() < 0.5:
        request = classify(model, *made, signature=signature)
        return Call("odd examples", METHODS[1], request.SerializeToString())
    request = regress(model, *made, signature=signature)
    return Call("odd examples", METHODS[2], request.SerializeToString())


def bomb(rng: Random) -> Call:
    """Megabytes of the same, in a few kilobytes of gzip."""
    request = predict_request({"x": _content(rng.choice((1, 8, 16)) * 2**20)}, outputs=("z",))
    return Call("gRPC gzip bomb", METHODS[0], request.SerializeToString(), compressed=True)


def _content(size_bytes: int) -> Any:
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=bytes(size_bytes))
    tensor.tensor_shape.dim.add().size = size_bytes // 4
    return tensor


def _tensor(rng: Random) -> Any:
    tensor = tensor_pb2.TensorProto(dtype=rng.choice((0, 1, 3, 7, 9, 10, 19, 20, 21, 23, 99, 101)))
    tensor.tensor_shape.unknown_rank = rng.random() < 0.05
    dims = rng.choice((0, 1, 1, 2, 2, 3, 9, 300))
    for _ in range(dims):
        tensor.tensor_shape.dim.add().size = rng.choice(SIZES)
    for fill in rng.sample(_FILLS, rng.randint(0, 3)):
        fill(rng, tensor)
    return tensor


_FILLS = (
    lambda rng, tensor: tensor.float_val.extend([1.0] * rng.randint(0, 9)),
    lambda rng, tensor: tensor.int_val.extend([rng.choice((-1, 300, 2**31 - 1))] * 3),
    lambda rng, tensor: tensor.string_val.extend([b"\xff"] * rng.randint(0, 5)),
    lambda rng, tensor: tensor.bool_val.extend([True] * rng.randint(0, 3)),
    lambda rng, tensor: tensor.half_val.extend([1] * rng.randint(0, 3)),
    lambda rng, tensor: tensor.scomplex_val.extend([1.0] * rng.randint(0, 3)),
    lambda rng, tensor: tensor.int64_val.extend([2**62]),
    lambda rng, tensor: setattr(tensor, "tensor_content", rng.randbytes(rng.randint(0, 64))),
    lambda rng, tensor: tensor.resource_handle_val.add(device="d"),
    lambda rng, tensor: setattr(tensor, "version_number", rng.choice((1, 99))),
)

MAKERS: tuple[tuple[Maker, int], ...] = (
    (mutation, 150),
    (odd_tensor, 250),
    (odd_input, 150),
    (odd_spec, 60),
    (odd_examples, 60),
    (crossed, 40),
    (noise, 60),
    (unknown_method, 30),
    (nesting, 20),
    (bomb, 4),
)
"""What is sent how often."""
