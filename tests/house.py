"""How the house stands, in figures: ``python tests/house.py [CHECKOUT]``.

Read from the code's own imports, as text, those inside functions and for types too. Only for the
last figure is anything run: one ``Client.predict`` of a PNG against a server in memory. An older
checkout, such as ``git worktree add ../before dcc9bda`` makes, is judged by the same rules.
"""

from __future__ import annotations

import ast
import io
import json
import math
import os
import struct
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeAlias

Edges: TypeAlias = dict[str, set[str]]
"""What each module imports, by dotted names."""

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "neumo": "client",
    "neumo_serving": "serving",
    "neumo_training": "training",
    "neumo_k8s": "k8s",
}
SAME_MEANING = {
    "commands": "each package's subcommands, one module each",
    "_proto": "messages that protoc compiled",
}
"""Names that may stand in several packages, and what they mean in all of them."""

PRIVATE_BEFORE = {
    *("neumo.commands.options", "neumo.commands.paths", "neumo.commands.progress"),
    *("neumo.commands.status", "neumo.core.heatmaps", "neumo.inspection", "neumo.reading.header"),
    *("neumo.reading.sources", "neumo.wire", "neumo.workers"),
}
"""What no other room was to import when no folder said so by its underscore."""

_FOLLOW = "--follow"


def modules(checkout: Path = ROOT) -> dict[str, Path]:
    """Every module of the four packages by its dotted name, but what protoc generates."""
    named = {}
    for package, room in PACKAGES.items():
        folder = checkout / room / package
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            if not path.stem.endswith("_pb2"):
                named[".".join(parts).removesuffix(".__init__")] = path
    return named


def graph(checkout: Path = ROOT) -> Edges:
    """What each module imports of the four packages."""
    named = modules(checkout)
    return {name: _imported(path, set(named)) - {name} for name, path in named.items()}


def _imported(path: Path, known: set[str]) -> set[str]:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                imported.add(inner if inner in known else node.module)
    return imported & known


def names_of_two(checkout: Path = ROOT) -> dict[str, list[str]]:
    """The modules' names that stand in several packages, but for those of ``SAME_MEANING``."""
    homes = defaultdict(list)
    for name in modules(checkout):
        package, _, stem = name.rpartition(".")
        if package and not stem.startswith("__"):
            homes[stem].append(name)
    return {
        stem: names
        for stem, names in sorted(homes.items())
        if len(names) > 1 and stem not in SAME_MEANING
    }


def circles(edges: Edges) -> list[list[str]]:
    """The groups that import each other, directly or not: what each can reach and is reached by."""
    reached = {node: _reachable(edges, node) for node in edges}
    groups = {
        tuple(sorted(other for other in reached[node] if node in reached[other]))
        for node in edges
        if node in reached[node]
    }
    return [list(group) for group in sorted(groups)]


def _reachable(edges: Edges, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += edges[node]
    return reached


def between_folders(edges: Edges, checkout: Path = ROOT) -> Edges:
    """``edges`` from folder to folder; a folder and one inside it count as one."""
    folders = {name for name, path in modules(checkout).items() if path.name == "__init__.py"}

    def home(name: str) -> str:
        return name if name in folders else name.rpartition(".")[0]

    merged: Edges = {home(name): set() for name in edges}
    for name, others in edges.items():
        for other in others:
            here, there = home(name), home(other)
            if not f"{here}.".startswith(f"{there}.") and not f"{there}.".startswith(f"{here}."):
                merged[here].add(there)
    return merged


def floors(edges: Edges, package: str = "neumo") -> dict[str, int]:
    """How many rooms stand upon each other below each room in ``package``'s root, with itself."""
    below: Edges = defaultdict(set)
    for name, others in edges.items():
        if name.partition(".")[0] == package:
            rooms = {_room(other) for other in others if other.partition(".")[0] == package}
            below[_room(name)] |= rooms - {_room(name)}

    def height(room: str, above: tuple[str, ...] = ()) -> int:
        under = [height(b, (*above, room)) for b in below[room] if b not in above]
        return 1 + max(under, default=0)

    return {room: height(room) for room in tuple(below)}


def _room(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def private_imports(edges: Edges) -> set[str]:
    """The SDK's private modules that another room imports."""
    return {
        other
        for name, others in edges.items()
        for other in others
        if name.partition(".")[0] != "neumo" and other.partition(".")[0] == "neumo"
        if other in PRIVATE_BEFORE or any(part.startswith("_") for part in other.split("."))
    }


def passed_by_predict(checkout: Path = ROOT) -> list[str]:
    """The SDK's files in which a function runs while a new ``Client`` predicts one PNG."""
    done = subprocess.run(
        [sys.executable, __file__, _FOLLOW],
        env={**os.environ, "PYTHONPATH": str(checkout / "client")},
        capture_output=True,
        text=True,
        check=True,
    )
    passed: list[str] = json.loads(done.stdout)
    return passed


def _follow() -> list[str]:
    from PIL import Image

    import neumo

    held = io.BytesIO()
    Image.linear_gradient("L").resize((500, 400)).save(held, "PNG")
    folder = str(Path(neumo.__file__).parent)
    with (
        _server() as url,
        neumo.Client(url, timeout=60.0) as client,
        _followed(folder) as passed,
    ):
        client.predict(held.getvalue())
    return sorted(passed)


@contextmanager
def _followed(folder: str) -> Iterator[set[str]]:
    passed: set[str] = set()
    is_on = True

    def note(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        is_call = is_on and event == "call" and frame.f_code.co_name != "<module>"
        if is_call and file.startswith(folder) and not file.endswith("_pb2.py"):
            passed.add(file.removeprefix(folder + os.sep))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield passed
    finally:
        sys.setprofile(None)
        is_on = False


@contextmanager
def _server() -> Iterator[str]:
    """A gRPC server that answers every film alike, by the messages alone."""
    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(_answers[details.method.rpartition("/")[2]])

    server = grpc.server(ThreadPoolExecutor(4), handlers=(Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def _predict(data: bytes, _: object) -> bytes:
    from neumo import contract
    from neumo._proto import serving_pb2 as pb

    asked = pb.PredictRequest.FromString(data).model_spec
    response = pb.PredictResponse()
    response.model_spec.name = asked.name
    response.model_spec.version.value = 1
    for tensor in contract.model(asked.name).signature(asked.signature_name).outputs:
        out = response.outputs[tensor.name]
        out.dtype = pb.DataType.Value(tensor.dtype)
        shape = [1 if size is None else size for size in tensor.shape]
        for size in shape:
            out.tensor_shape.dim.add().size = size
        out.tensor_content = _ONE_VALUE[tensor.dtype] * math.prod(shape)
    return response.SerializeToString()


def _metadata(data: bytes, _: object) -> bytes:
    from neumo import contract
    from neumo._proto import serving_pb2 as pb

    name = pb.GetModelMetadataRequest.FromString(data).model_spec.name
    response = pb.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = 1
    signatures = pb.SignatureDefMap()
    for signature in contract.model(name).signatures:
        entry = signatures.signature_def[signature.name]
        for known, infos in (
            (signature.inputs, entry.inputs),
            (signature.outputs, entry.outputs),
        ):
            for tensor in known:
                infos[tensor.name].dtype = pb.DataType.Value(tensor.dtype)
                for size in tensor.shape:
                    infos[tensor.name].tensor_shape.dim.add().size = -1 if size is None else size
    response.metadata["signature_def"].Pack(signatures)
    return response.SerializeToString()


def _status(_data: bytes, _: object) -> bytes:
    from neumo._proto import serving_pb2 as pb

    response = pb.GetModelStatusResponse()
    response.model_version_status.add(version=1, state=pb.ModelVersionStatus.State.AVAILABLE)
    return response.SerializeToString()


_ONE_VALUE = {
    "DT_FLOAT": struct.pack("<f", 0.5),
    "DT_INT64": struct.pack("<q", 1),
    "DT_UINT8": b"\0",
}
_answers: dict[str, Callable[[bytes, object], bytes]] = {
    "Predict": _predict,
    "GetModelMetadata": _metadata,
    "GetModelStatus": _status,
}


def report(checkout: Path = ROOT) -> str:
    """The figures, a line each."""
    edges = graph(checkout)
    twice = names_of_two(checkout)
    found = circles(edges)
    folders = [group for group in circles(between_folders(edges, checkout)) if group not in found]
    heights = floors(edges)
    private = private_imports(edges)
    passed = passed_by_predict(checkout)
    return "\n".join(
        [
            _line("names of modules that stand in several packages", twice),
            _line("circles of files", ["+".join(group) for group in found]),
            _line("circles of folders", ["+".join(group) for group in folders]),
            _line("private modules of the SDK that other rooms import", private),
            f"{max(heights.values()):3}  floors in the SDK's root",
            f"{len(passed):3}  files that Client.predict passes",
        ]
    )


def _line(text: str, found: Iterable[str]) -> str:
    names = sorted(found)
    return f"{len(names):3}  {text}" + (f": {', '.join(names)}" if names else "")


if __name__ == "__main__":
    if sys.argv[1:] == [_FOLLOW]:
        print(json.dumps(_follow()))
    else:
        print(report(Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT))
