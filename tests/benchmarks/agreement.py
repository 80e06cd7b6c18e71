"""How far apart one film's probabilities are, wherever they are computed: the shipped release.

The SavedModels in this process against both ports of an embedded server, and the signature
``encoded``, which reads the file in its graph, against the SDK's own reading. Then each film
against a copy such as the models were trained on, squashed to 224 x 224 and compressed again.
Without a folder of films, phantoms are asked.

    python tests/benchmarks/agreement.py [FOLDER]
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import requests
import tensorflow as tf
from PIL import Image

import neumo
from neumo import contract, image, release
from neumo.release import phantom
from neumo.testing import EmbeddedServer

COPY_PX = 224


def films(folder: Path) -> list[Path]:
    """The JPEG files of the folder on the command line, or phantoms drawn into ``folder``."""
    if len(sys.argv) > 1:
        return sorted(Path(sys.argv[1]).rglob("*.jpeg"))
    for number, pixels in enumerate(phantom.chests(3, 16)):
        Image.fromarray(pixels[:, :, 0]).resize((900, 1100)).save(folder / f"{number:02d}.jpeg")
    return sorted(folder.iterdir())


def in_process(paths: list[Path]) -> np.ndarray:
    """Both members' probabilities by the newest shipped SavedModels, [film, member]."""
    store = release.shipped()
    number = str(release.newest(store).release)
    pixels = tf.constant(np.stack([image.read(path).pixels for path in paths]))
    models = [tf.saved_model.load(str(store / m.name / number)) for m in contract.MEMBERS]
    answers = [model.signatures[contract.SERVING_DEFAULT](image=pixels) for model in models]
    return np.stack([a[contract.PROBABILITY.name] for a in answers], axis=1)


def by_sdk(url: str, paths: list[Path]) -> np.ndarray:
    """The same through the SDK."""
    with neumo.Client(url, timeout=60, screen=False) as client:
        return np.array([[m.probability for m in client.predict(p).members] for p in paths])


def encoded(url: str, paths: list[Path]) -> np.ndarray:
    """The same by the signature that takes files, over REST."""

    def ask(path: Path, model: str) -> float:
        content = {"b64": base64.b64encode(path.read_bytes()).decode()}
        body = {"signature_name": contract.ENCODED, "instances": [{"image_bytes": content}]}
        answer = requests.post(f"{url}/v1/models/{model}:predict", json=body, timeout=60)
        return answer.json()["predictions"][0][contract.PROBABILITY.name]

    return np.array([[ask(path, m.name) for m in contract.MEMBERS] for path in paths])


def copied(paths: list[Path], folder: Path) -> list[Path]:
    """Copies as the public training set's at hand."""
    folder.mkdir()
    for path in paths:
        with Image.open(path) as film:
            film.convert("L").resize((COPY_PX, COPY_PX)).save(folder / path.name, quality=90)
    return [folder / path.name for path in paths]


def main() -> None:
    """Print the largest difference of each way."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer() as server:
        drawn = Path(folder) / "films"
        drawn.mkdir()
        paths = films(drawn)
        copies = copied(paths, Path(folder) / "copies")
        expected, of_copies = np.split(in_process([*paths, *copies]), 2)
        found = {
            "gRPC against the SavedModels": by_sdk(server.grpc_url, paths),
            "REST against the SavedModels": by_sdk(server.http_url, paths),
            "encoded against the SDK's reading": encoded(server.http_url, paths),
        }
    print(f"{len(paths)} films, the largest difference of a member's probability")
    for name, values in found.items():
        print(f"  {name:34} {np.abs(values - expected).max():.1e}")
    moved = np.abs((of_copies - expected).mean(axis=1))
    print(f"copies of {COPY_PX} pixels, the ensemble's probability")
    print(f"  moves by {moved.mean():.4f} on average, {moved.max():.4f} at most")


if __name__ == "__main__":
    main()
