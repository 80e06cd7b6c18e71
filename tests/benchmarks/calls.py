"""What the SDK adds to a prediction over raw gRPC stubs that make both calls side by side.

The server answers from memory, so that nothing but the two clients differs; then the shipped
release answers, embedded, for the whole picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tests_path  # noqa: F401
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

import neumo
from neumo import contract
from neumo._wire import grpc_messages  # what is measured: nothing public is this step alone
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from support.measuring.turns import Action, in_turns, show

ROUNDS = 1000
SERVED_ROUNDS = 200
ENCODINGS = 3000
FILM = phantom.draw(1, 1)
PREDICT = "/tensorflow.serving.PredictionService/Predict"
NAMES = [model.name for model in contract.MEMBERS]


def raw_request(model: str) -> predict_pb2.PredictRequest:
    """The request as an application without neumo would write it."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = contract.SERVING_DEFAULT
    tensor = request.inputs[contract.IMAGE.name]
    tensor.dtype = types_pb2.DT_UINT8
    for size in FILM.shape:
        tensor.tensor_shape.dim.add().size = size
    tensor.tensor_content = FILM.tobytes()
    return request


def raw(target: str) -> Action:
    """Both members asked side by side with a stub; their mean probability."""
    stub = grpc.insecure_channel(target).unary_unary(
        PREDICT,
        predict_pb2.PredictRequest.SerializeToString,
        predict_pb2.PredictResponse.FromString,
    )

    def ask() -> float:
        futures = [stub.future(raw_request(name), timeout=10) for name in NAMES]
        found = [future.result().outputs[contract.PROBABILITY.name] for future in futures]
        return float(np.mean([tensor.float_val[0] for tensor in found]))

    return ask


def encodings() -> dict[str, Action]:
    """One 256 x 256 image to the bytes of a request."""
    inputs = {contract.IMAGE.name: FILM}
    return {
        "copying its bytes": FILM.tobytes,
        "the official way, by hand": lambda: raw_request(NAMES[0]).SerializeToString(),
        "neumo": lambda: grpc_messages.predict_request(NAMES[0], contract.SERVING_DEFAULT, inputs),
    }


def answer(method: str, data: bytes) -> Any:
    """What a server with the contract's members says at once; None where it has no such model."""
    request = (
        predict_pb2.PredictRequest
        if method == PREDICT
        else get_model_metadata_pb2.GetModelMetadataRequest
    )()
    request.ParseFromString(data)
    name = request.model_spec.name
    if name not in NAMES:
        return None
    if method == PREDICT:
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for tensor in (contract.PROBABILITY, contract.THRESHOLD, contract.RELEASE):
            encoded = response.outputs[tensor.name]
            encoded.dtype = types_pb2.DataType.Value(tensor.dtype)
            encoded.tensor_shape.dim.add().size = 1
            (encoded.int64_val if tensor.dtype == "DT_INT64" else encoded.float_val).append(1)
        response.model_spec.version.value = 1
        return response
    return described(name)


def described(name: str) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The contract's signatures of the model ``name``."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for signature in contract.model(name).signatures:
        made = signatures.signature_def[signature.name]
        for infos, specs in ((made.inputs, signature.inputs), (made.outputs, signature.outputs)):
            for tensor in specs:
                infos[tensor.name].dtype = types_pb2.DataType.Value(tensor.dtype)
                for size in tensor.shape:
                    infos[tensor.name].tensor_shape.dim.add().size = size or -1
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = 1
    response.metadata["signature_def"].Pack(signatures)
    return response


def serve() -> None:
    """Answer until standard input ends; the port is the first line."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            def handle(data: bytes, context: grpc.ServicerContext) -> bytes:
                found = answer(details.method, data)
                if found is None:
                    context.abort(grpc.StatusCode.NOT_FOUND, "not served here")
                return found.SerializeToString()

            return grpc.unary_unary_rpc_method_handler(handle)

    server = grpc.server(ThreadPoolExecutor(4), handlers=(Handler(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()


def compared(target: str, rounds: int) -> dict[str, float]:
    """Raw stubs and the SDK, in turns, on the server at ``target``."""
    with neumo.Client(f"grpc://{target}") as client:
        actions = {
            "raw stubs, both calls side by side": raw(target),
            "Client.predict of an array": lambda: client.predict(FILM[0]),
        }
        return in_turns(actions, rounds)


def main() -> None:
    """Encode, then predict on a server that costs nothing, then on the shipped release."""
    show("one image to a request", in_turns(encodings(), ENCODINGS))
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        show("a server that answers from memory", compared(f"127.0.0.1:{port}", ROUNDS))
        process.communicate("")
    with EmbeddedServer() as server:
        target = server.grpc_url.removeprefix("grpc://")
        show("the shipped release, embedded", compared(target, SERVED_ROUNDS))


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
