"""A version's folder to a model that can be run.

Source: TensorFlow's ``cc/saved_model/{loader,loader_util,reader}.cc``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, saved_model_pb2

from neumo.errors import ConfigError
from neumo_serving import request_faults
from neumo_serving.engine import batching_parameters
from neumo_serving.engine.batching import BatchingSession, Listener
from neumo_serving.engine.batching_parameters import BatchingParameters
from neumo_serving.engine.dtypes import Array
from neumo_serving.engine.graph_session import IN_CALLERS_THREAD, GraphSession, Session
from neumo_serving.engine.turns import SessionInTurns
from neumo_serving.request_faults import Fault

TAG = "serve"
FILE = "saved_model.pb"
TEXT_FILE = "saved_model.pbtxt"
"""What people write by hand; looked for where there is no other."""

_VARIABLES = frozenset({"VarHandleOp", "VariableV2", "Variable"})
"""The operations that hold a variable, in TensorFlow 2 and before."""
_INIT_OP_SIGNATURE = "__saved_model_init_op"
_INIT_OP_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
"""Where TensorFlow 1 put it, and before that; in this order."""


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """How SavedModels are loaded: the tags of the graph, and the session's configuration.

    ``pool`` is the thread pool that operations run on, by its number in ``session_config``;
    ``checks_methods`` is whether a signature must be of the method that is asked for.
    Requests are batched by ``batching``, None for not at all; with ``batches_per_model`` by the
    version's own file, where it has one. ``on_batch`` is told of every batch.
    """

    tags: frozenset[str] = frozenset({TAG})
    session_config: config_pb2.ConfigProto = field(default_factory=config_pb2.ConfigProto)
    pool: int = IN_CALLERS_THREAD
    checks_methods: bool = False
    batching: BatchingParameters | None = None
    batches_per_model: bool = False
    on_batch: Listener | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A SavedModel in memory: its ``SignatureDef`` messages by name, and what runs its graph.

    ``checks_methods`` is whether a signature must be of the method that is asked for.
    """

    signatures: Mapping[str, Any]
    session: Session
    checks_methods: bool = False

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Any]:
        """The tensors named ``fetches`` as arrays; raises ``Fault`` where TensorFlow fails."""
        values = self.session.run(feeds, fetches)
        # TensorFlow hands out a single string bare.
        return [np.array(one, object) if isinstance(one, bytes) else one for one in values]

    def close(self) -> None:
        """Give the memory back; nothing may run any more."""
        self.session.close()


def load(folder: Path, options: LoaderOptions | None = None) -> LoadedModel:
    """The SavedModel in ``folder``, its variables restored; raises ``Fault`` where it is none."""
    options = options or LoaderOptions()
    meta_graph = _meta_graph(folder, options.tags)
    parameters = _batching(folder, options)
    session = GraphSession(options.session_config, options.pool)
    try:
        session.extend(meta_graph.graph_def)
        _initialise(session, meta_graph, folder)
    except Fault:
        # TensorFlow's memory is not Python's: no collector hurries to give it back.
        session.close()
        raise
    signatures = dict(meta_graph.signature_def)
    made: Session = SessionInTurns(session)
    if parameters:
        made = BatchingSession(session, parameters, signatures.values(), options.on_batch)
    return LoadedModel(signatures, made, options.checks_methods)


def _batching(folder: Path, options: LoaderOptions) -> BatchingParameters | None:
    """How the version in ``folder`` is batched; the threads are those of the server's file."""
    common = options.batching
    if common is None or not options.batches_per_model:
        return common
    # Upstream: a version without its file is not batched, whatever the server's file says.
    path = folder / batching_parameters.PER_MODEL_FILE
    if not path.exists():
        return None
    try:
        own = batching_parameters.read(path)
    except ConfigError as error:
        raise Fault(request_faults.INVALID_ARGUMENT, str(error)) from None
    # Threads belong to the server: a version's file cannot have more of them.
    return replace(
        own,
        num_batch_threads=common.num_batch_threads,
        thread_pool_name=common.thread_pool_name,
    )


def _initialise(session: GraphSession, meta_graph: Any, folder: Path) -> None:
    """Restore the variables, then run the model's own initialisation."""
    assets = _assets(meta_graph, folder)
    variables = folder / "variables" / "variables"
    if variables.with_suffix(".index").exists():
        saver = meta_graph.saver_def
        feeds = {saver.filename_tensor_name: _text(variables), **assets}
        session.run_once(saver.restore_op_name, feeds)
    elif _has_variables(meta_graph.graph_def):
        text = f"{variables}.index is missing: the version in {folder} is only half there"
        raise Fault(request_faults.NOT_FOUND, text)
    if name := _init_op(meta_graph, folder):
        session.run_once(name, assets)


def _has_variables(graph: Any) -> bool:
    """Upstream leaves these without values, and serves the error of every request."""
    return any(node.op in _VARIABLES for node in graph.node)


def _init_op(meta_graph: Any, folder: Path) -> str:
    """The operation that initialises the graph, '' for none."""
    if _INIT_OP_SIGNATURE in meta_graph.signature_def:
        outputs = meta_graph.signature_def[_INIT_OP_SIGNATURE].outputs
        if _INIT_OP_SIGNATURE not in outputs:
            text = f"Could not find output {_INIT_OP_SIGNATURE}"
            raise Fault(request_faults.FAILED_PRECONDITION, text)
        return str(outputs[_INIT_OP_SIGNATURE].name)
    for key in _INIT_OP_COLLECTIONS:
        if key in meta_graph.collection_def:
            names = meta_graph.collection_def[key].node_list.value
            if len(names) != 1:
                text = f"Expected exactly one main op in : {folder}"
                raise Fault(request_faults.FAILED_PRECONDITION, text)
            return str(names[0])
    return ""


def _assets(meta_graph: Any, folder: Path) -> dict[str, Array]:
    """The paths of the model's files, by the tensors that take them."""
    files = list(meta_graph.asset_file_def)
    # TensorFlow 1 kept them in a collection; the field came later.
    if not files and "saved_model_assets" in meta_graph.collection_def:
        for packed in meta_graph.collection_def["saved_model_assets"].any_list.value:
            file = meta_graph_pb2.AssetFileDef()
            packed.Unpack(file)
            files.append(file)
    return {file.tensor_info.name: _text(folder / "assets" / file.filename) for file in files}


def _text(path: Path) -> Array:
    return np.array(str(path).encode(), object)


def _meta_graph(folder: Path, tags: frozenset[str]) -> Any:
    for meta_graph in _saved_model(folder).meta_graphs:
        # Exactly these: a graph for serve and gpu is not the one for serve.
        if frozenset(meta_graph.meta_info_def.tags) == tags:
            return meta_graph
    raise Fault(
        request_faults.NOT_FOUND,
        f"Could not find meta graph def matching supplied tags: {{ {' '.join(sorted(tags))} }}. "
        "To inspect available tag-sets in the SavedModel, please use the SavedModel CLI: "
        "`saved_model_cli`",
    )


def _saved_model(folder: Path) -> Any:
    path = folder / FILE
    try:
        if path.exists():
            return saved_model_pb2.SavedModel.FromString(path.read_bytes())
        path = folder / TEXT_FILE
        return text_format.Parse(path.read_text("utf-8"), saved_model_pb2.SavedModel())
    except OSError:
        raise Fault(
            request_faults.NOT_FOUND,
            "Could not find SavedModel .pb or .pbtxt at supplied export directory path: "
            f"{folder}. Check that the directory exists and that you have the right permissions "
            "for accessing it.",
        ) from None
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise Fault(request_faults.INVALID_ARGUMENT, f"{path} is no SavedModel: {error}") from None
