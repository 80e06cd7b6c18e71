"""Servers that answer by a film's mean grey, several behind one name, and who was asked what.

The probability is the mean grey of the film divided by 255, so that an answer to another film is
seen. No TensorFlow: gRPC by the official messages, REST by the standard library.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import grpc
import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo import contract
from neumo._proto import serving_pb2 as pb

NAME = "pods.example"
"""What the servers are called together."""


@dataclass
class Asked:
    """One Predict call: the server's address, the caller's own, and the film's mean grey."""

    server: str
    caller: str
    model: str
    grey: float


@dataclass
class GreyServer:
    """What one server answers, over either transport.

    ``before`` is called before each answer about films, ``before_any`` before any.
    """

    host: str
    release: int = 2
    asked: list[Asked] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    before_any: Callable[[], None] = lambda: None

    def scores(self, model: str, caller: str, images: npt.NDArray[np.uint8]) -> list[float]:
        """The films' probabilities."""
        self.before()
        greys = [float(image.mean()) for image in images]
        self.asked += [Asked(self.host, caller, model, grey) for grey in greys]
        return [grey / 255 for grey in greys]

    def outputs(
        self, model: str, signature: str, scores: list[float]
    ) -> dict[str, npt.NDArray[Any]]:
        """The outputs of ``signature`` for films of these ``scores``."""
        count = len(scores)
        known = {
            "probability": np.array(scores, np.float32),
            "chest": np.ones(count, np.float32),
            "threshold": np.full(count, 0.5, np.float32),
            "release": np.full(count, self.release, np.int64),
        }
        outputs: dict[str, Any] = {}
        for tensor in contract.model(model).signature(signature).outputs:
            shape = (count, *(side or 1 for side in tensor.shape[1:]))
            dtype = {"DT_FLOAT": np.float32, "DT_INT64": np.int64, "DT_UINT8": np.uint8}
            plain = np.ones(shape, dtype[tensor.dtype])
            outputs[tensor.name] = known.get(tensor.name, plain)
        return outputs

    def rpc(self, method: str, data: bytes, context: grpc.ServicerContext) -> bytes:
        """The answer to a gRPC call."""
        self.headers.append({key: str(value) for key, value in context.invocation_metadata()})
        self.before_any()
        if method == "GetModelStatus":
            status = pb.GetModelStatusResponse()
            status.model_version_status.add(
                version=self.release, state=pb.ModelVersionStatus.State.AVAILABLE
            )
            return status.SerializeToString()
        if method == "GetModelMetadata":
            wanted = pb.GetModelMetadataRequest.FromString(data).model_spec
            self._pin(wanted, context)
            return self._metadata(wanted.name)
        request = pb.PredictRequest.FromString(data)
        self._pin(request.model_spec, context)
        tensor = request.inputs["image"]
        shape = [dim.size for dim in tensor.tensor_shape.dim]
        images = np.frombuffer(tensor.tensor_content, np.uint8).reshape(shape)
        spec = request.model_spec
        scores = self.scores(spec.name, context.peer(), images)
        answer = pb.PredictResponse()
        answer.model_spec.name = spec.name
        answer.model_spec.version.value = self.release
        signature = spec.signature_name or contract.SERVING_DEFAULT
        for name, values in self.outputs(spec.name, signature, scores).items():
            out = answer.outputs[name]
            kinds = {"f": "DT_FLOAT", "i": "DT_INT64", "u": "DT_UINT8"}
            out.dtype = cast("pb.DataType", pb.DataType.Value(kinds[values.dtype.kind]))
            for side in values.shape:
                out.tensor_shape.dim.add().size = side
            out.tensor_content = values.tobytes()
        return answer.SerializeToString()

    def _pin(self, spec: Any, context: grpc.ServicerContext) -> None:
        if spec.HasField("version") and spec.version.value != self.release:
            text = f"Servable not found for request: Specific({spec.name}, {spec.version.value})"
            context.abort(grpc.StatusCode.NOT_FOUND, text)

    def _metadata(self, model: str) -> bytes:
        signatures = pb.SignatureDefMap()
        for signature in contract.model(model).signatures:
            made = signatures.signature_def[signature.name]
            for infos, tensors in (
                (made.inputs, signature.inputs),
                (made.outputs, signature.outputs),
            ):
                for tensor in tensors:
                    number = pb.DataType.Value(tensor.dtype)
                    infos[tensor.name].dtype = cast("pb.DataType", number)
                    for side in tensor.shape:
                        infos[tensor.name].tensor_shape.dim.add().size = side or -1
        answer = pb.GetModelMetadataResponse()
        answer.model_spec.name = model
        answer.model_spec.version.value = self.release
        answer.metadata["signature_def"].Pack(signatures)
        return answer.SerializeToString()

    def rest(self, path: str, body: bytes, caller: str) -> tuple[int, dict[str, Any]]:
        """The answer to a REST call."""
        self.before_any()
        what = path.removeprefix("/v1/models/")
        model = what.partition("/")[0].partition(":")[0]
        if "/versions/" in what and f"/versions/{self.release}" not in what:
            return 404, {"error": f"Servable not found for request: Specific({model})"}
        if what.endswith("/metadata"):
            return 200, self._rest_metadata(model)
        if not what.endswith(":predict"):
            state = {"version": str(self.release), "state": "AVAILABLE", "status": {}}
            return 200, {"model_version_status": [state]}
        asked, images = _films(body)
        scores = self.scores(model, caller, images)
        signature = asked.get("signature_name") or contract.SERVING_DEFAULT
        outputs = self.outputs(model, signature, scores)
        return 200, {"outputs": {name: values.tolist() for name, values in outputs.items()}}

    def _rest_metadata(self, model: str) -> dict[str, Any]:
        def infos(tensors: Sequence[contract.Tensor]) -> dict[str, Any]:
            return {
                tensor.name: {
                    "dtype": tensor.dtype,
                    "tensor_shape": {
                        "dim": [{"size": str(side or -1)} for side in tensor.shape],
                        "unknown_rank": False,
                    },
                    "name": tensor.name,
                }
                for tensor in tensors
            }

        signatures = {
            signature.name: {
                "inputs": infos(signature.inputs),
                "outputs": infos(signature.outputs),
                "method_name": "tensorflow/serving/predict",
            }
            for signature in contract.model(model).signatures
        }
        return {
            "model_spec": {"name": model, "version": str(self.release)},
            "metadata": {"signature_def": {"signature_def": signatures}},
        }


def _films(body: bytes) -> tuple[dict[str, Any], npt.NDArray[np.uint8]]:
    """A REST request without its films, and those: image files, or pixels as numbers."""
    side = contract.IMAGE_SIZE_PX
    if b'"b64"' in body:
        asked = json.loads(body)
        (files,) = asked["inputs"].values() if "inputs" in asked else (asked["instances"],)
        pictures = [Image.open(io.BytesIO(base64.b64decode(file["b64"]))) for file in files]
        return asked, np.stack([np.asarray(picture, np.uint8) for picture in pictures])
    # The pixels apart: json takes as long for them as all the rest of a test.
    head, _, numbers = body.partition(b"[")
    numbers, _, tail = numbers.rpartition(b"]")
    pixels = np.fromstring(numbers.translate(None, b"[]").decode(), np.int64, sep=",")
    return json.loads(head + b"0" + tail), pixels.astype(np.uint8).reshape(-1, side, side, 1)


@contextmanager
def served_by_grpc(server: GreyServer, port: int = 0) -> Iterator[int]:
    """``server`` on ``port`` of its host; the port."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            method = details.method.rpartition("/")[2]
            return grpc.unary_unary_rpc_method_handler(
                lambda data, context: server.rpc(method, data, context)
            )

    options = [("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
    running = grpc.server(ThreadPoolExecutor(16), handlers=(Handler(),), options=options)
    port = running.add_insecure_port(f"{server.host}:{port}")
    running.start()
    try:
        yield port
    finally:
        running.stop(0).wait()


@contextmanager
def served_by_rest(server: GreyServer, port: int = 0) -> Iterator[int]:
    """The same over REST."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            server.headers.append({key.lower(): value for key, value in self.headers.items()})
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            caller = ":".join(map(str, self.client_address[:2]))
            status, document = server.rest(self.path, body, caller)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def __init__(self) -> None:
            self.open: set[Any] = set()
            super().__init__((server.host, port), Handler)

        def process_request(self, request: Any, client_address: Any) -> None:
            self.open.add(request)
            super().process_request(request, client_address)

        def handle_error(self, *_: object) -> None:
            """A caller that is cut off is not the server's error."""

    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield running.server_address[1]
    finally:
        running.shutdown()
        running.server_close()
        for sock in running.open:  # as a process that ends closes what is open
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        thread.join()


@contextmanager
def several(served: Any, releases: Sequence[int]) -> Iterator[tuple[list[GreyServer], int]]:
    """A server of each of ``releases``, on one port of 127.0.0.1, 127.0.0.2, and so on."""
    servers = [GreyServer(f"127.0.0.{n}", release) for n, release in enumerate(releases, 1)]
    with ExitStack() as stack:
        port = stack.enter_context(served(servers[0]))
        for server in servers[1:]:
            stack.enter_context(served(server, port))
        yield servers, port


class Names:
    """A DNS server of one name, whose addresses may change; ``port`` is where it listens."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self.hosts = list(hosts)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Names:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, caller = self._socket.recvfrom(4096)
            if not query:
                return
            end = query.index(b"\0", 12) + 5  # the question: a name, then its type and class
            question = query[12:end]
            wants_ipv4 = question[-4:-2] == b"\0\x01"
            hosts = self.hosts if wants_ipv4 else []
            answers = b"".join(
                b"\xc0\x0c\0\x01\0\x01" + struct.pack(">IH", 1, 4) + socket.inet_aton(host)
                for host in hosts
            )
            head = query[:2] + b"\x81\x80\0\x01" + struct.pack(">HHH", len(hosts), 0, 0)
            self._socket.sendto(head + question + answers, caller)
