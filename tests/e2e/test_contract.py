"""Clients and releases of different minor versions of the contract understand each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tensorflow as tf

import neumo
from neumo import contract, release
from neumo.ensemble import SHIPPED
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.config import shipped_release
from support.patience import patience

FILM = phantom.draw(2, 1)[0]
LATER = contract.Tensor("uncertainty", "DT_FLOAT", (None,), since_minor=contract.CONTRACT_MINOR + 1)


class Newer(tf.Module):
    """A shipped member as a later minor might export it: one more output, one more signature."""

    def __init__(self, folder):
        super().__init__()
        self.inner = tf.saved_model.load(folder)

    def exported(self):
        """Its signatures."""
        made = {}
        for name, signature in self.inner.signatures.items():
            ((key, taken),) = signature.structured_input_signature[1].items()

            def later(tensor, signature=signature, key=key):
                found = dict(signature(**{key: tensor}))
                return found | {LATER.name: tf.zeros_like(found["probability"])}

            spec = tf.TensorSpec(taken.shape, taken.dtype, key)
            made[name] = tf.function(later, input_signature=[spec]).get_concrete_function()
        return made | {"of_a_later_minor": made[contract.SERVING_DEFAULT]}


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """A server of a release whose contract is a minor version later."""
    store = tmp_path_factory.mktemp("newer")
    entries = []
    for model in contract.MEMBERS:
        folder = shipped_release.folders()[model.name]
        module = Newer(str(folder))
        version = store / model.name / folder.name
        tf.saved_model.save(module, str(version), module.exported())
        entries.append(
            f'config {{ name: "{model.name}" base_path: "{store / model.name}" '
            'model_platform: "tensorflow" }'
        )
    config = store / "models.config"
    config.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    with EmbeddedServer([f"--model_config_file={config}"]) as server:
        yield server


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_an_older_client_uses_a_newer_release(newer, served, scheme):
    """What it does not know it does not ask for, and the answer is the same."""
    url = newer.grpc_url if scheme == "grpc" else newer.http_url
    with neumo.Client(url, timeout=patience(60)) as client, neumo.Client(served.grpc_url) as same:
        client.check()
        found = client.predict(FILM)
        assert found.probability == pytest.approx(same.predict(FILM).probability, abs=1e-5)
        assert client.explain(FILM).heatmap.shape == (256, 256)


def knowing(model, tensor):
    """``model`` as a client knows it whose contract has one more output, ``tensor``."""
    more = [replace(one, outputs=(*one.outputs, tensor)) for one in model.signatures]
    return replace(model, signatures=tuple(more))


def asking_for(tensor):
    """Neumo's own ensemble, as a client knows it whose contract has one more output."""
    ensemble = replace(SHIPPED)
    members = tuple(knowing(model, tensor) for model in ensemble.member_models)
    object.__setattr__(ensemble, "member_models", members)
    object.__setattr__(ensemble, "models", (*members, ensemble.screen_model))
    return ensemble


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_a_newer_client_uses_an_older_release(served, scheme):
    """What came later is not missed."""
    url = served.grpc_url if scheme == "grpc" else served.http_url
    with neumo.Client(url, timeout=patience(60), ensemble=asking_for(LATER)) as client:
        client.check()
        assert client.predict(FILM).release == release.newest(release.shipped()).release
        assert client.explain(FILM).heatmap.shape == (256, 256)


def test_a_release_without_what_every_minor_has_is_refused(served):
    """Before a film is sent, with what is missing."""
    ensemble = asking_for(replace(LATER, since_minor=0))
    with (
        neumo.Client(served.grpc_url, timeout=patience(60), ensemble=ensemble) as client,
        pytest.raises(neumo.ContractError, match="output uncertainty is missing; update neumo"),
    ):
        client.predict(FILM)
