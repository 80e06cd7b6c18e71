"""The overlay's ``kustomization.yaml``, edited by ``neumo rollout``."""

from __future__ import annotations

import pytest
import yaml

from neumo.errors import ConfigError
from neumo_k8s import overlay_file
from support.cluster.manifests import overlay

DIGEST = "registry.example.org/neumo-tfserving@sha256:" + "a" * 64


@pytest.fixture
def text():
    """Production's own."""
    return (overlay("production") / "kustomization.yaml").read_text(encoding="utf-8")


def images(text):
    """What it says of each image, by its name."""
    return {one["name"]: one for one in yaml.safe_load(text)["images"]}


def test_an_image_gets_a_digest_and_nothing_else_changes(text):
    """Its tag goes; comments and the other images stay."""
    changed = overlay_file.with_image(text, "neumo-tfserving", DIGEST)
    before, after = images(text), images(changed)
    assert after.pop("neumo-tfserving") == {
        "name": "neumo-tfserving",
        "newName": "registry.example.org/neumo-tfserving",
        "digest": "sha256:" + "a" * 64,
    }
    del before["neumo-tfserving"]
    assert after == before
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert comments == [line for line in changed.splitlines() if line.lstrip().startswith("#")]


def test_a_tag_comes_back(text):
    """An undo to an image that was named by its tag leaves the file as it was, but for quotes."""
    changed = overlay_file.with_image(text, "neumo-tfserving", DIGEST)
    back = overlay_file.with_image(changed, "neumo-tfserving", "neumo-tfserving:2")
    assert yaml.safe_load(back) == yaml.safe_load(text)


def test_the_release_of_one_deployment_is_written_where_its_pods_are_labelled(text):
    """The canary's stays."""
    changed = overlay_file.with_version(text, "tfserving", 7)
    patches = {
        one["target"]["name"]: one["patch"]
        for one in yaml.safe_load(changed)["patches"]
        if "name" in one.get("target", {})
    }
    assert patches["tfserving"].count('value: "7"') == 2
    assert patches["tfserving-canary"].count('value: "7"') == 0


def test_the_patch_that_labels_the_release_is_added_to_an_overlay_without_one():
    """Before the patches that it has, or as the first."""
    for text in (
        "patches:\n- path: gateway.yaml\n",
        "patches:\n  - path: a.yaml\n",
        "images: []\n",
    ):
        changed = overlay_file.with_version(text, "tfserving", 7)
        target = yaml.safe_load(changed)["patches"][0]
        assert target["target"] == {"kind": "Deployment", "name": "tfserving"}
        assert target["patch"].count('value: "7"') == 2
        assert overlay_file.with_version(changed, "tfserving", 7) == changed


def test_replicas_are_added_once_and_changed_after_that(text):
    """Under ``replicas``."""
    once = overlay_file.with_replicas(text, "tfserving-canary", 1)
    twice = overlay_file.with_replicas(once, "tfserving-canary", 0)
    assert yaml.safe_load(once)["replicas"] == [{"name": "tfserving-canary", "count": 1}]
    assert yaml.safe_load(twice)["replicas"] == [{"name": "tfserving-canary", "count": 0}]


def test_the_entry_of_an_image_is_found_by_its_name_or_its_new_name(text):
    """Not the canary's, which has the same new name; one that is not there is an error."""
    changed = overlay_file.with_image(text, "neumo-tfserving", DIGEST)
    changed = overlay_file.with_image(changed, "neumo-tfserving-canary", DIGEST)
    assert overlay_file.image_name(changed, DIGEST) == "neumo-tfserving"
    with pytest.raises(ConfigError, match="name no elsewhere/other"):
        overlay_file.image_name(text, "elsewhere/other:1")


def test_a_folder_without_a_kustomization_is_an_error(tmp_path):
    """In one line."""
    with pytest.raises(ConfigError, match=r"no kustomization\.yaml"):
        overlay_file.path_in(tmp_path)
