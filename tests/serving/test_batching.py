"""Batching: requests of several clients in one run, by TensorFlow Serving's parameters."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from neumo.errors import ConfigError
from neumo.testing import EmbeddedServer
from neumo_serving.engine import batching as batching_module
from neumo_serving.engine import batching_parameters, deadlines, inference, saved_model
from neumo_serving.engine.batching import BatchingSession
from neumo_serving.engine.batching_parameters import BatchingParameters
from neumo_serving.engine.inference import Question
from neumo_serving.engine.saved_model import LoaderOptions
from neumo_serving.request_faults import Fault, invalid
from support.doubling import Doubling, signature
from support.patience import patience
from support.toy_model import MODEL, connected, predict_request, save_toy

LONG_MICROS = 60_000_000
"""No test waits so long: a batch runs because it is full."""


def ask(session, *arrays, name="a:0"):
    """What ``session`` answers to each array, asked at once: outputs, or the fault."""

    def one(array):
        feeds = array if isinstance(array, dict) else {name: array}
        try:
            return session.run(feeds, ["y:0"])[0]
        except Fault as fault:
            return fault.code, fault.message

    with ThreadPoolExecutor(len(arrays)) as threads:
        return list(threads.map(one, arrays))


def batching(inner, listener=None, signatures=None, **parameters):
    """``inner`` in batches."""
    parameters = {"batch_timeout_micros": LONG_MICROS, "num_batch_threads": 1} | parameters
    return BatchingSession(
        inner, BatchingParameters(**parameters), signatures or [signature()], listener
    )


def rows(*values):
    """A column of numbers."""
    return np.array(values, np.float32).reshape(-1, 1)


def test_requests_are_run_at_once_and_each_gets_its_own_rows():
    """A batch that is full does not wait."""
    inner = Doubling()
    found = ask(batching(inner, max_batch_size=6), rows(1), rows(2, 3), rows(4, 5, 6))
    assert [one.ravel().tolist() for one in found] == [[2], [4, 6], [8, 10, 12]]
    assert inner.sizes == [6]


def test_a_batch_that_is_not_full_runs_after_its_time():
    """``batch_timeout_micros`` of 0 is at once."""
    inner = Doubling()
    found = ask(batching(inner, max_batch_size=100, batch_timeout_micros=0), rows(1))
    assert [one.tolist() for one in found] == [[[2]]]


def test_batches_are_padded_to_an_allowed_size():
    """With the first row of the last request, and nobody gets it (batching_session.cc)."""
    inner, seen = Doubling(), []
    session = batching(
        inner, seen.append, max_batch_size=8, allowed_batch_sizes=(4, 8), batch_timeout_micros=1
    )
    assert ask(session, rows(1, 2, 3))[0].ravel().tolist() == [2, 4, 6]
    assert inner.seen[0]["a:0"].ravel().tolist() == [1, 2, 3, 1]
    assert (seen[0].sizes, seen[0].padding) == ((3,), 1)
    assert seen[0].waited_s[0] > 0


def test_a_request_larger_than_a_batch_is_refused():
    """INVALID_ARGUMENT, in the scheduler's words (shared_batch_scheduler.h)."""
    found = ask(batching(Doubling(), max_batch_size=2), rows(1, 2, 3))
    text = "Task size 3 is larger than maximum input batch size 2"
    assert found == [("INVALID_ARGUMENT", text)]


def test_a_large_request_is_split_where_that_is_enabled():
    """Its rows come back in order, whatever batches they were in."""
    inner = Doubling()
    session = batching(
        inner,
        max_batch_size=10,
        max_execution_batch_size=4,
        enable_large_batch_splitting=True,
        batch_timeout_micros=1,
    )
    (found,) = ask(session, rows(*range(10)))
    assert found.ravel().tolist() == [2 * one for one in range(10)]
    assert max(inner.sizes) <= 4


def test_a_full_queue_is_unavailable():
    """Until a batch is done (shared_batch_scheduler.h)."""
    gate = threading.Event()
    session = batching(
        Doubling(gate=gate), max_batch_size=1, max_enqueued_batches=1, batch_timeout_micros=0
    )
    refused = threading.Event()

    def one(number):
        try:
            return session.run({"a:0": rows(number)}, ["y:0"])[0].tolist()
        except Fault as fault:
            refused.set()
            return fault

    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(one, number) for number in range(8)]
        assert refused.wait(patience(60))
        gate.set()
    found = [one.result() for one in waiting]
    faults = [one for one in found if isinstance(one, Fault)]
    assert {one.code for one in faults} == {"UNAVAILABLE"}
    full = "The batch scheduling queue to which this task was submitted is full"
    assert all(one.message.startswith(full) and "{{" not in one.message for one in faults)
    assert len(faults) < len(found)


def test_a_request_that_nobody_waits_for_any_more_is_not_run():
    """RESOURCE_EXHAUSTED, in the session's words (batching_session.cc)."""
    gate = threading.Event()
    inner = Doubling(gate=gate)
    session = batching(inner, max_batch_size=1, num_batch_threads=1, batch_timeout_micros=0)

    def late():
        with deadlines.within(-1.0):
            return session.run({"a:0": rows(2)}, ["y:0"])

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(session.run, {"a:0": rows(1)}, ["y:0"])
        assert inner.entered.wait(patience(60))
        second = threads.submit(late)
        gate.set()
        assert first.result()[0].tolist() == [[2.0]]
        with pytest.raises(Fault, match="timeout exceeded while waiting in batching") as raised:
            second.result()
    assert raised.value.code == "RESOURCE_EXHAUSTED"
    assert inner.sizes == [1]


@pytest.mark.parametrize("allowed", [(), (2, 4)])
def test_what_is_late_is_left_out_of_a_batch_that_others_wait_for(allowed):
    """Its rows are not run, and the rest is filled up to an allowed size again."""
    inner = Doubling()
    session = batching(inner, max_batch_size=4, allowed_batch_sizes=allowed)
    gone = threading.Event()

    def one(number, is_there):
        with deadlines.within(None, is_there):
            return session.run({"a:0": rows(number)}, ["y:0"])

    gone.set()
    with ThreadPoolExecutor(4) as threads:
        there = [threads.submit(one, number, lambda: True) for number in (1, 2, 3)]
        left = threads.submit(one, 9, lambda: not gone.is_set())
        assert [done.result()[0].tolist() for done in there] == [[[2.0]], [[4.0]], [[6.0]]]
        assert left.exception().code == "RESOURCE_EXHAUSTED"
    assert inner.sizes == [4 if allowed else 3]
    assert 9 not in inner.seen[0]["a:0"]


def test_a_fault_reaches_everyone_in_the_batch():
    """With its own code and text, and the next batch is run."""
    inner = Doubling()
    inner.fault = invalid("no such film")
    session = batching(inner, max_batch_size=2)
    assert ask(session, rows(1), rows(2)) == [("INVALID_ARGUMENT", "no such film")] * 2
    inner.fault = None
    assert len(ask(session, rows(1), rows(2))) == 2


SHAPES = [
    (
        {"a:0": np.float32(1)},
        "INVALID_ARGUMENT",
        "Batching Run() input tensors must have at least one dimension",
    ),
    (
        {"a:0": rows(1), "b:0": rows(1, 2)},
        "INVALID_ARGUMENT",
        "Batching Run() input tensors must have equal 0th-dimension size",
    ),
]


@pytest.mark.parametrize(("feeds", "code", "text"), SHAPES)
def test_inputs_without_a_common_first_dimension_are_refused(feeds, code, text):
    """In upstream's words (batching_util.h)."""
    feeds = {name: np.asarray(value) for name, value in feeds.items()}
    session = batching(Doubling(), signatures=[signature(tuple(feeds))])
    assert ask(session, feeds) == [(code, text)]


OUTPUTS = [
    (lambda _: np.float32(1), "Batched output tensor has 0 dimensions"),
    (
        lambda _: rows(1),
        "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes "
        "of the input tensors",
    ),
]


@pytest.mark.parametrize(("answer", "text"), OUTPUTS)
def test_outputs_that_cannot_be_shared_out_are_refused(answer, text):
    """FAILED_PRECONDITION, in upstream's words (batching_session.cc)."""
    session = batching(Doubling(answer), max_batch_size=2)
    assert ask(session, rows(1), rows(2)) == [("FAILED_PRECONDITION", text)] * 2


def test_inputs_of_unequal_shape_are_refused_together():
    """Unless they may be padded (batching_session.cc)."""
    session = batching(Doubling(), max_batch_size=2)
    found = ask(session, np.ones((1, 2), np.float32), np.ones((1, 3), np.float32))
    assert {code for code, _ in found} == {"FAILED_PRECONDITION"}
    assert found[0][1].startswith(
        "Tensors with name 'a:0' from different tasks have different shapes and padding is turned "
        "off."
    )


def test_inputs_of_unequal_shape_are_padded_where_that_is_enabled():
    """With their own first value (batching_util.cc)."""
    inner = Doubling()
    session = batching(inner, max_batch_size=2, pad_variable_length_inputs=True)
    found = ask(session, np.array([[1, 2]]), np.array([[3, 4, 5]]))
    assert found[0].tolist() == [[2, 4, 2]]
    assert found[1].tolist() == [[6, 8, 10]]


def test_requests_with_one_output_filter_are_run_at_once():
    """A queue of their own is made when they are first asked (bundle_factory_util.cc)."""
    inner = Doubling()
    session = batching(inner, signatures=[signature(outputs=("y:0", "z:0"))], max_batch_size=3)
    found = ask(session, rows(1, 2), rows(3))
    assert [one.ravel().tolist() for one in found] == [[2, 4], [6]]
    assert inner.sizes == [3]


def test_requests_for_other_outputs_are_not_run_together():
    """Each runs what it asks for and no more (batching_session.cc)."""
    inner = Doubling()
    session = batching(inner, signatures=[signature(outputs=("y:0", "z:0"))], max_batch_size=1)
    ask(session, rows(1))
    session.run({"a:0": rows(1)}, ["y:0", "z:0"])
    assert inner.fetched == [["y:0"], ["y:0", "z:0"]]


def test_beyond_so_many_filters_requests_are_run_by_themselves(monkeypatch):
    """Each queue stays in memory as long as the model."""
    monkeypatch.setattr(batching_module, "MAX_QUEUES", 1)
    inner = Doubling()
    session = batching(inner, signatures=[signature(outputs=("y:0", "z:0"))], max_batch_size=3)
    assert ask(session, rows(1, 2))[0].ravel().tolist() == [2, 4]


def test_strings_are_batched():
    """Arrays of objects go through as they are."""
    session = batching(Doubling(lambda feeds: feeds["a:0"]), max_batch_size=2)
    first, second = ask(session, np.array([b"\x00"], object), np.array([b"b"], object))
    assert (first.tolist(), second.tolist()) == ([b"\x00"], [b"b"])


def test_a_closed_session_leaves_no_threads(tmp_path):
    """Neither Python's nor TensorFlow's, beyond those that are shared."""
    folder = save_toy(tmp_path, 2)

    def use():
        model = saved_model.load(folder, LoaderOptions(batching=BatchingParameters()))
        inference.predict(model, Question("", {"x": np.ones((1, 2), np.float32)}))
        model.close()

    use()
    before = thread_count()
    for _ in range(5):
        use()
    assert thread_count() <= before + 2


def thread_count():
    """The threads of this process."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


FILE = """
max_batch_size { value: 32 } batch_timeout_micros { value: 1500 }
max_enqueued_batches { value: 7 } num_batch_threads { value: 3 }
thread_pool_name { value: "films" }
allowed_batch_sizes: 8 allowed_batch_sizes: 32
pad_variable_length_inputs: true
"""


def test_the_parameters_file_is_upstreams():
    """By the fields of session_bundle_config.proto."""
    assert batching_parameters.parse(FILE, "f") == BatchingParameters(
        max_batch_size=32,
        batch_timeout_micros=1500,
        max_enqueued_batches=7,
        num_batch_threads=3,
        thread_pool_name="films",
        allowed_batch_sizes=(8, 32),
        pad_variable_length_inputs=True,
    )


WRONG = [
    ("max_batch_size: 1", "Invalid protobuf file: 'f' is no BatchingParameters"),
    ("nonsense { }", "Invalid protobuf file: 'f' is no BatchingParameters"),
    ("nonsense: 1", 'Message type "tensorflow.serving.BatchingParameters" has no field'),
    ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
    ("max_enqueued_batches { value: -1 }", "max_enqueued_batches must be positive; was -1"),
    ("batch_timeout_micros { value: -1 }", "batch_timeout_micros must be non-negative; was -1"),
    (
        "max_batch_size { value: 8 } allowed_batch_sizes: 4",
        "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4; expected 8",
    ),
    (
        "max_batch_size { value: 8 } allowed_batch_sizes: 9 allowed_batch_sizes: 8",
        "allowed_batch_sizes entries must be monotonically increasing",
    ),
    (
        "max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
        "max_execution_batch_size { value: 9 }",
        "max_batch_size must be greater than or equal to max_execution_batch_size; was 8 and 9",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_parameters_that_cannot_be_honoured_are_refused(text, message):
    """In one line, before anything is served (bundle_factory_util.cc)."""
    with pytest.raises(ConfigError) as raised:
        batching_parameters.parse(text, "f")
    assert message in str(raised.value)


def test_a_versions_own_file_says_how_it_is_batched(tmp_path):
    """With batches_per_model; without the file it is not batched (bundle_factory_util.cc)."""
    folder = save_toy(tmp_path, 2)
    common = BatchingParameters(max_batch_size=1)
    options = LoaderOptions(batching=common, batches_per_model=True)
    assert not isinstance(saved_model.load(folder, options).session, BatchingSession)
    own = folder / batching_parameters.PER_MODEL_FILE
    own.write_text("max_batch_size { value: 4 }")
    model = saved_model.load(folder, options)
    x = np.ones((4, 2), np.float32)
    assert inference.predict(model, Question("", {"x": x}))["y"].tolist() == (2 * x).tolist()
    own.write_text("max_batch_size { value: 0 }")
    with pytest.raises(Fault) as raised:
        saved_model.load(folder, options)
    assert raised.value.code == "INVALID_ARGUMENT"


@pytest.mark.slow
def test_a_server_batches_what_its_clients_ask_at_once(store, tmp_path):
    """Each gets its own answer, over --enable_batching and the file."""
    file = tmp_path / "batching.config"
    file.write_text("max_batch_size { value: 8 } batch_timeout_micros { value: 1000 }")
    flags = [
        f"--model_name={MODEL}",
        f"--model_base_path={store}",
        "--enable_batching",
        f"--batching_parameters_file={file}",
        "--grpc_max_threads=41",
    ]
    with EmbeddedServer(flags) as server:
        running = connected(server)
        asked = [
            running.prediction.Predict.future(
                predict_request({"x": np.full((1 + number % 3, 2), number, np.float32)}),
                timeout=patience(60),
            )
            for number in range(40)
        ]
        for number, one in enumerate(asked):
            assert set(one.result().outputs["y"].float_val) == {2.0 * number}
        with pytest.raises(grpc.RpcError) as raised:
            running.predict({"x": np.ones((9, 2), np.float32)})
        assert raised.value.details() == "Task size 9 is larger than maximum input batch size 8"
        running.channel.close()
