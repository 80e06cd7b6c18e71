"""Versions come, go and fail while requests run (core/aspired_versions_manager.cc and others)."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import requests

import neumo
from neumo._wire import grpc_messages
from neumo.testing import EmbeddedServer
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.version_policy import ModelConfig
from neumo_serving.engine.versions import Versions
from neumo_serving.request_faults import Fault
from support.patience import patience
from support.serving_process import said_until, serve
from support.toy_model import MODEL, connected, predict_request, save_toy, write_config

pytestmark = pytest.mark.slow

QUICK = ["--max_num_load_retries=0", "--file_system_poll_wait_seconds=1"]
PATIENCE_S = patience(60.0)
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
    found = requests.get(f"{running.rest}/v1/models/{MODEL}", timeout=patience(60)).json()
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
    record = grpc_messages.warmup_record(MODEL, "no such signature", {"x": X})
    save_toy(folder, 3, warmup=record)
    assert 'Serving signature key "no such signature" not found.' in wait_for(serving, 3, "END")
    save_toy(folder, 4, warmup=grpc_messages.warmup_record(MODEL, "serving_default", {"x": X}))
    wait_for(serving, 4, "AVAILABLE")


def test_a_version_that_disappears_is_let_go_of(folder, serving):
    """With another version there, the one removed ends and no longer answers."""
    second = save_toy(folder, 2)
    wait_for(serving, 2, "AVAILABLE")
    wait_for(serving, 1, "END")
    shutil.rmtree(second)
    wait_for(serving, 2, "END")
    assert serving.predict({"x": X}).model_spec.version.value == 1


def test_a_version_in_use_is_not_let_go_of():
    """It is UNLOADING, and nobody new gets it, until the last request has ended."""
    versions = Versions(ModelConfig(MODEL, Path("/m")))
    versions.succeed(1, LoadedModel({}, SimpleNamespace(close=lambda: None)))
    ended = threading.Event()
    with versions.acquire(None, None):
        let_go = versions.retire(1)
        thread = threading.Thread(target=lambda: (let_go(), ended.set()))
        thread.start()
        assert [one.state for one in versions.statuses()] == ["UNLOADING"]
        with pytest.raises(Fault, match="Servable not found"), versions.acquire(1, None):
            pass
        assert not ended.is_set()
    thread.join(PATIENCE_S)
    assert [one.state for one in versions.statuses()] == ["END"]


def test_a_broken_version_holds_up_no_other_at_the_start(folder, tmp_path):
    """The ports open with the version that could be loaded, while the other is tried again."""
    put_broken(folder, 2)
    config = write_config(tmp_path / "models.config", folder)
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models"]
    with EmbeddedServer(flags) as server:
        running = connected(server)
        assert states(running) == {2: ("LOADING", ""), 1: ("AVAILABLE", "")}
        assert running.predict({"x": X}).model_spec.version.value == 1
        running.channel.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_loading_ends_the_server_in_peace(tmp_path, number):
    """Nothing is served yet, so the exit status is 0 at once, without a traceback."""
    store = tmp_path / MODEL
    store.mkdir()
    put_broken(store, 1)
    with serve(f"--model_base_path={store}") as process:
        said = said_until(process, "it is tried again")
        process.send_signal(number)
        said += process.communicate(timeout=PATIENCE_S)[1]
        assert process.returncode == 0
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("made", "remark"), [(True, "no version to serve"), (False, "cannot read")]
)
def test_a_store_without_a_version_is_told_of_once(tmp_path, made, remark):
    """Whoever mistyped the folder reads which one it was, and not every second."""
    store = tmp_path / "store"
    if made:
        store.mkdir()
    with serve(f"--model_base_path={store}") as process:
        said_until(process, f"default: {remark}")
        time.sleep(2.5)
        process.send_signal(signal.SIGTERM)
        assert remark not in process.communicate(timeout=PATIENCE_S)[1]
        assert process.returncode == 0


def test_sigterm_lets_a_running_rest_request_end(folder):
    """It is answered in full on this port, too."""
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}", *QUICK]
    body = {"signature_name": "slow", "inputs": [STEPS]}
    with EmbeddedServer(flags) as server, ThreadPoolExecutor(1) as pool:
        url = f"{server.http_url}/v1/models/{MODEL}:predict"
        answer = pool.submit(requests.post, url, json=body, timeout=patience(60))
        time.sleep(0.5)
        assert not answer.done()
        process = server.process
        process.send_signal(signal.SIGTERM)
        assert answer.result().json()["outputs"]["steps"] == [STEPS]
        assert process.wait(patience(30)) == 0


def test_sigterm_lets_a_running_request_end(folder):
    """The request is answered, nothing new is accepted, and the exit status is 0."""
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}", *QUICK]
    with EmbeddedServer(flags) as server:
        running = connected(server)
        request = predict_request({"steps": np.array([STEPS], np.int32)}, signature="slow")
        answer = running.prediction.Predict.future(request, timeout=patience(60))
        time.sleep(0.3)
        assert not answer.done()
        process = server.process
        process.send_signal(signal.SIGTERM)
        assert answer.result().outputs["steps"].int_val[:] == [STEPS]
        assert process.wait(patience(30)) == 0
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
        assert requests.get(f"{server.http_url}/v1/models/{MODEL}", timeout=patience(60)).ok
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


def test_below_zero_no_version_is_looked_for(folder):
    """The server waits for what never comes, as upstream does; a signal ends it in peace."""
    flags = [f"--model_base_path={folder}", "--file_system_poll_wait_seconds=-1"]
    with serve(*flags) as process:
        said_until(process, "no version is looked for")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0


def test_at_zero_the_folder_is_looked_at_once(folder):
    """A version that comes later is not loaded."""
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}"]
    with EmbeddedServer([*flags, "--file_system_poll_wait_seconds=0"]) as server:
        running = connected(server)
        save_toy(folder, 2)
        time.sleep(2.5)
        assert states(running) == {1: ("AVAILABLE", "")}
        running.channel.close()


def test_a_version_that_disappears_is_not_tried_again(folder):
    """The retries end with its folder, and the others are looked after again."""
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}"]
    with EmbeddedServer([*flags, "--load_retry_interval_micros=1000000"]) as server:
        running = connected(server)
        broken = put_broken(folder, 5)
        wait_for(running, 5, "LOADING")
        shutil.rmtree(broken)
        wait_for(running, 5, "END")
        save_toy(folder, 6)
        wait_for(running, 6, "AVAILABLE")
        running.channel.close()


def test_a_version_that_was_let_go_of_may_come_back(folder, serving):
    """A rollback: the newer version is taken away, and later put again."""
    second = save_toy(folder, 2)
    wait_for(serving, 1, "END")
    second.rename(folder / "away")
    wait_for(serving, 1, "AVAILABLE")
    wait_for(serving, 2, "END")
    (folder / "away").rename(second)
    wait_for(serving, 2, "AVAILABLE")
    assert serving.predict({"x": X}).model_spec.version.value == 2


def test_a_folder_that_cannot_be_read_changes_nothing(folder, serving):
    """A store that is unmounted for a moment (file_system_storage_path_source.cc)."""
    folder.rename(folder.with_name("away"))
    time.sleep(2.5)
    assert serving.predict({"x": X}).model_spec.version.value == 1
    folder.with_name("away").rename(folder)


def test_an_empty_folder_serves_nothing(folder, serving):
    """Not even the last version (servable_versions_always_present is false upstream)."""
    shutil.rmtree(folder / "1")
    wait_for(serving, 1, "END")
    with pytest.raises(grpc.RpcError, match="Servable not found"):
        serving.predict({"x": X})
