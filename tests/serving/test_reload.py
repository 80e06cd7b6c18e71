"""New lists of models while the server runs (model_service_impl.cc, server_core.cc, server.cc)."""

from __future__ import annotations

import time
from functools import partial

import grpc
import numpy as np
import pytest
import requests
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2

from neumo.testing import EmbeddedServer
from support.patience import patience
from support.toy_model import connected, save_toy

pytestmark = pytest.mark.slow

X = np.array([[1.0, 2.0]], np.float32)
PATIENCE_S = patience(60.0)
TENSORFLOW = 'model_platform: "tensorflow"'
QUICK = ["--max_num_load_retries=0", "--num_load_threads=2"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Stores of the models a and b, versions 1 and 2 each, and of one that is broken."""
    base = tmp_path_factory.mktemp("stores")
    for name in ("a", "b"):
        (base / name).mkdir()
        for version in (1, 2):
            save_toy(base / name, version)
    (base / "broken" / "1").mkdir(parents=True)
    return base


def one(folders, name, rest=TENSORFLOW, path=None):
    """A model's entry in a configuration."""
    return f'config {{ name: "{name}" base_path: "{path or folders / name}" {rest} }}'


def listed(*entries):
    """A configuration."""
    return f"model_config_list {{ {' '.join(entries)} }}"


def server(folders, path, *flags):
    """A server whose configuration file is at ``path`` and serves the model a."""
    path.write_text(listed(one(folders, "a")))
    return EmbeddedServer([f"--model_config_file={path}", *QUICK, *flags])


@pytest.fixture(scope="module")
def running(folders, tmp_path_factory):
    """A server that the tests configure by gRPC."""
    with server(folders, tmp_path_factory.mktemp("config") / "models.config") as started:
        found = connected(started)
        yield found
        found.channel.close()


@pytest.fixture
def reload(running, folders):
    """Sends a configuration; before each test it was the model a alone."""

    def send(text):
        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(text, request.config)
        return running.model.HandleReloadConfigRequest(request, timeout=PATIENCE_S)

    send(listed(one(folders, "a")))
    return send


def refused(call):
    """Code and text of the error that ``call`` raises."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code(), raised.value.details()


def states(running, model):
    """The state of every version."""
    found = requests.get(f"{running.rest}/v1/models/{model}", timeout=patience(60)).json()
    return {row["version"]: row["state"] for row in found["model_version_status"]}


def wait_until(condition):
    """Wait until ``condition()`` is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def answers(running, model, **options):
    """Whether ``model`` answers."""
    try:
        return bool(running.predict({"x": X}, model=model, **options).outputs)
    except grpc.RpcError:
        return False


def test_a_new_model_answers_when_the_call_returns(running, folders, reload):
    """And the one that the list leaves out is let go of; its versions are told as ended."""
    response = reload(listed(one(folders, "b")))
    assert response.status.error_code == 0
    assert running.predict({"x": X}, model="b").model_spec.version.value == 2
    wait_until(lambda: states(running, "a") == {"2": "END"})
    code, text = refused(lambda: running.predict({"x": X}, model="a"))
    assert (code, text) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Latest(a)",
    )


def test_a_model_that_stays_answers_all_the_while(running, folders, reload):
    """Its policy and labels are the new ones."""
    every = f"{TENSORFLOW} model_version_policy {{ all {{}} }}"
    reload(listed(one(folders, "a", every), one(folders, "b")))
    assert answers(running, "a")
    wait_until(lambda: states(running, "a") == {"2": "AVAILABLE", "1": "AVAILABLE"})
    reload(listed(one(folders, "a", f'{every} version_labels {{ key: "old" value: 1 }}')))
    assert running.predict({"x": X}, model="a", label="old").model_spec.version.value == 1


def test_an_empty_list_serves_nothing(running, reload):
    """It is a list, too."""
    reload("model_config_list {}")
    wait_until(lambda: not answers(running, "a"))


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        (
            lambda folders: listed(one(folders, "a"), one(folders, "a")),
            "Illegal to list model a multiple",
        ),
        (
            lambda folders: listed(one(folders, "a", path="a")),
            "Expected model a to have an absolute path or URI; got base_path()=a",
        ),
        (
            lambda folders: listed(one(folders, "b", 'model_platform: "odd"')),
            "Model b requests unsupported platform odd",
        ),
        (
            lambda folders: listed(one(folders, "a", 'model_platform: "odd"')),
            "Illegal to change a model's platform. For model a platform was tensorflow and new "
            "platform requested is odd",
        ),
        (
            lambda folders: listed(one(folders, "b", "")),
            "Illegal setting neither ModelServerConfig",
        ),
        (lambda _: "", "ServerModelConfig type not supported by HandleReloadConfigRequest. Only"),
        (lambda _: "custom_model_config {}", "ServerModelConfig type not supported by Handle"),
    ],
)
def test_a_list_that_cannot_be_served_is_invalid(running, folders, reload, entries, text):
    """The models stay as they are."""
    code, found = refused(lambda: reload(entries(folders)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert found.startswith(text)
    assert answers(running, "a")


def test_a_label_needs_a_version_that_is_available(running, folders, reload):
    """Upstream's two steps: load first, label then."""
    label = f'{TENSORFLOW} version_labels {{ key: "new" value: 1 }}'
    code, text = refused(lambda: reload(listed(one(folders, "a", label))))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert text == (
        "Request to assign label to version 1 of model a, which is not currently available for "
        "inference"
    )
    code, text = refused(lambda: running.predict({"x": X}, model="a", label="new"))
    assert text == "Unrecognized servable version label: new"


def test_a_new_model_that_cannot_be_loaded_is_unknown(running, folders, reload):
    """The text says which, and why; the others are served."""
    code, text = refused(lambda: reload(listed(one(folders, "a"), one(folders, "broken"))))
    assert code is grpc.StatusCode.UNKNOWN
    assert text.startswith(
        "1 model(s) did not become available: {{{name: broken version: 1} due to error: NOT_FOUND: "
    )
    assert answers(running, "a")


def test_a_caller_without_patience_does_not_hold_the_next_one_up(running, folders, reload):
    """A model without a version is waited for as long as somebody does."""
    (folders / "later").mkdir()
    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(listed(one(folders, "later")), request.config)
    send = partial(running.model.HandleReloadConfigRequest, request, timeout=0.5)
    assert refused(send)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    reload(listed(one(folders, "a")))
    assert answers(running, "a")


def test_new_labels_may_be_of_versions_to_come_where_the_flag_says_so(folders, tmp_path):
    """A label that is there moves to an AVAILABLE version only (server_core.cc)."""
    flags = ["--allow_version_labels_for_unavailable_models"]
    with server(folders, tmp_path / "models.config", *flags) as started:
        running = connected(started)

        def send(labels):
            request = model_management_pb2.ReloadConfigRequest()
            text_format.Parse(listed(one(folders, "a", f"{TENSORFLOW} {labels}")), request.config)
            return running.model.HandleReloadConfigRequest(request, timeout=PATIENCE_S)

        send('version_labels { key: "new" value: 9 }')
        code, _ = refused(partial(send, 'version_labels { key: "new" value: 8 }'))
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        send('version_labels { key: "new" value: 2 }')
        assert answers(running, "a", label="new")
        running.channel.close()


def test_the_file_is_followed(folders, tmp_path):
    """One that does not parse leaves everything as it is; a label waits for its version."""
    path = tmp_path / "models.config"
    with server(folders, path, "--model_config_file_poll_wait_seconds=1") as started:
        running = connected(started)
        path.write_text("model_config_list {")
        time.sleep(2.5)
        assert answers(running, "a")
        every = "model_version_policy { all {} }"
        path.write_text(listed(one(folders, "a", f"{TENSORFLOW} {every}"), one(folders, "b")))
        wait_until(lambda: answers(running, "b"))
        labelled = f'{TENSORFLOW} {every} version_labels {{ key: "old" value: 1 }}'
        path.write_text(listed(one(folders, "a", labelled)))
        wait_until(lambda: answers(running, "a", label="old"))
        wait_until(lambda: not answers(running, "b"))
        running.channel.close()


def test_the_file_is_read_once_by_default(folders, tmp_path):
    """Upstream's default, too."""
    path = tmp_path / "models.config"
    with server(folders, path, "--file_system_poll_wait_seconds=0") as started:
        running = connected(started)
        path.write_text(listed(one(folders, "b")))
        time.sleep(2.5)
        assert answers(running, "a")
        assert not answers(running, "b")
        running.channel.close()
