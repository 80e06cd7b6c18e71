"""Versions come, go and fail while requests run (core/aspired_versions_manager.cc and others)."""

from __future__ import annotations

import shutil
import signal
import threading
import time

import numpy as np
import pytest
import requests

import neumo
from neumo import wire
from neumo.testing import EmbeddedServer
from toys import MODEL, connected, predict_request, save_toy

QUICK = ["--max_num_load_retries=0", "--file_system_poll_wait_seconds=1"]
PATIENCE_S = 60.0
STEPS = 10_000
"""Enough for several seconds of the toy's slow signature."""
X = np.array([[1.0, 2.0]], np.float32)


@pytest.fixture
def folder(tmp_path):
    """A store with version 1 of the toy."""
    store = tmp_path / MODEL
    store.mkdir()
    save_toy(store, 1)
    return store


@pytest.fixture
def serving(folder):
    """The embedded server on ``folder``, with the default policy: the latest version."""
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}", *QUICK]
    with EmbeddedServer(flags) as server:
        found = connected(server)
        yield found
        found.channel.close()


def states(running):
    """State and error message of every version."""
    found = requests.get(f"{running.rest}/v1/models/{MODEL}", timeout=60).json()
    return {
        int(row["version"]): (row["state"], row["status"]["error_message"])
        for row in found["model_version_status"]
    }


def wait_for(running, version, state):
    """Wait until ``version`` is in ``state``; its error message."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = states(running)
        if found.get(version, ("", ""))[0] == state:
            return found[version][1]
        time.sleep(0.1)
    raise AssertionError(f"version {version} is not {state}: {states(running)}")


def put_broken(folder, version):
    """A version whose file is no SavedModel."""
    staged = folder / f".{version}"
    staged.mkdir()
    (staged / "saved_model.pb").write_bytes(b"\xff\xff")
    return staged.rename(folder / str(version))


def test_a_new_version_takes_over_and_no_request_fails(folder, serving):
    """The new version is loaded before the old one is let go of."""
    answered, failed, ended = [], [], threading.Event()

    def ask():
        while not ended.is_set():
            try:
                answered.append(serving.predict({"x": X}).model_spec.version.value)
            except Exception as error:  # noqa: BLE001 - any failure is what this test looks for
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    save_toy(folder, 2)
    wait_for(serving, 2, "AVAILABLE")
    wait_for(serving, 1, "END")
    ended.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert set(answered) == {1, 2}
    assert answered[-1] == 2


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_serving(folder, serving):
    """It ends with its error, and is tried again only after it was gone."""
    broken = put_broken(folder, 5)
    assert "is no SavedModel" in wait_for(serving, 5, "END")
    assert serving.predict({"x": X}).model_spec.version.value == 1
    shutil.rmtree(broken)
    time.sleep(2.5)
    save_toy(folder, 5)
    wait_for(serving, 5, "AVAILABLE")
    assert serving.predict({"x": X}).model_spec.version.value == 5


def test_a_warm_up_request_that_fails_fails_the_version(folder, serving):
    """Warm-up comes before AVAILABLE (saved_model_warmup_util.cc)."""
    record = wire.warmup_record(MODEL, "no such signature", {"x": X})
    save_toy(folder, 3, warmup=record)
    assert 'Serving signature key "no such signature" not found.' in wait_for(serving, 3, "END")
    save_toy(folder, 4, warmup=wire.warmup_record(MODEL, "serving_default", {"x": X}))
    wait_for(serving, 4, "AVAILABLE")


def test_a_version_that_disappears_is_let_go_of(folder, serving):
    """With another version there, the one removed ends and no longer answers."""
    second = save_toy(folder, 2)
    wait_for(serving, 2, "AVAILABLE")
    wait_for(serving, 1, "END")
    shutil.rmtree(second)
    wait_for(serving, 2, "END")
    assert serving.predict({"x": X}).model_spec.version.value == 1


def test_sigterm_lets_a_running_request_end(folder):
    """The request is answered, nothing new is accepted, and the exit status is 0."""
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}", *QUICK]
    with EmbeddedServer(flags) as server:
        running = connected(server)
        request = predict_request({"steps": np.array([STEPS], np.int32)}, signature="slow")
        answer = running.prediction.Predict.future(request, timeout=60)
        time.sleep(0.3)
        assert not answer.done()
        process = server.process
        process.send_signal(signal.SIGTERM)
        assert answer.result().outputs["steps"].int_val[:] == [STEPS]
        assert process.wait(30) == 0
        running.channel.close()


def test_a_model_without_a_version_is_waited_for(tmp_path):
    """The ports open when the first version has come (server_core.cc)."""
    store = tmp_path / MODEL
    store.mkdir()
    server = EmbeddedServer([f"--model_name={MODEL}", f"--model_base_path={store}", *QUICK])
    started = threading.Thread(target=server.start)
    started.start()
    try:
        time.sleep(6)
        with neumo.Client(server.http_url) as client, pytest.raises(neumo.Unavailable):
            client.status()
        save_toy(store, 1)
        started.join(PATIENCE_S)
        assert requests.get(f"{server.http_url}/v1/models/{MODEL}", timeout=60).ok
    finally:
        started.join(PATIENCE_S)
        server.stop()


def test_a_store_whose_only_version_is_broken_ends_the_server(tmp_path):
    """After its retries the server says which version it was, in one line."""
    store = tmp_path / MODEL
    store.mkdir()
    put_broken(store, 1)
    flags = [f"--model_name={MODEL}", f"--model_base_path={store}"]
    flags += ["--max_num_load_retries=1", "--load_retry_interval_micros=1000"]
    with pytest.raises(neumo.Unavailable, match=r"toy version 1: .* is no SavedModel"):
        EmbeddedServer(flags).start()
