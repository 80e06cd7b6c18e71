"""An application's code, type-checked by ``make lint`` and never run: what users' tools see."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import assert_type

import numpy as np
import numpy.typing as npt

import neumo
from neumo.testing import EmbeddedServer, FakeTransport, answering


def blocking(film: Path) -> str:
    """A prediction, with every field's type."""
    with neumo.Client("grpc://localhost:8500", timeout=2.0, labels="stable") as client:
        prediction = client.predict(film)
        assert_type(prediction, neumo.Prediction)
        assert_type(prediction.probability, float)
        assert_type(prediction.members, tuple[neumo.Member, ...])
        assert_type(prediction.warnings, tuple[neumo.Caution, ...])
        assert_type(prediction.timings.wire_seconds, Mapping[str, float])
        assert_type(client.explain(film).heatmap, npt.NDArray[np.float32])
        assert_type(client.explain(film).lungs, npt.NDArray[np.uint8] | None)
        assert_type(client.status(), tuple[neumo.ModelStatus, ...])
        return prediction.label


def sources(client: neumo.Client, pixels: npt.NDArray[np.uint8], data: bytes) -> None:
    """Whatever holds a film is accepted."""
    for source in ("film.png", Path("film.png"), data, pixels):
        client.predict(source)
    with Path("film.png").open("rb") as file:
        client.predict(file)


def many(client: neumo.Client, films: list[Path]) -> list[float]:
    """A failure must be told from a prediction before its probability can be used."""
    answers = client.predict_many(films, batch_size=8, progress=lambda done, total: None)
    assert_type(answers, Iterator[neumo.Prediction | neumo.Failure])
    found = []
    for answer in answers:
        if isinstance(answer, neumo.Failure):
            assert_type(answer.error, neumo.NeumoError)
            continue
        found.append(answer.probability)
    for answer in client.predict_many("folder"):
        answer.probability  # type: ignore[union-attr]  # noqa: B018 - the mistake that types catch
    return found


async def awaiting(film: Path) -> float:
    """The same, awaited."""
    tls = neumo.Tls(ca="ca.pem")
    async with neumo.AsyncClient("grpcs://host", token="t", tls=tls) as client:  # noqa: S106
        answers = client.predict_many([film])
        assert_type(answers, AsyncIterator[neumo.Prediction | neumo.Failure])
        async for answer in answers:
            assert_type(answer, neumo.Prediction | neumo.Failure)
        assert_type(await client.explain(film), neumo.Explanation)
        return (await client.predict(film)).probability


def errors(client: neumo.Client) -> str:
    """What was asked and what was said travel with an error."""
    try:
        client.check()
    except neumo.ServingError as error:
        return f"{error.model} {error.target} {error.detail}"
    return ""


def mistakes(client: neumo.Client) -> None:
    """Mistakes that a type checker finds."""
    neumo.Client("grpc://localhost", 2.0)  # type: ignore[call-arg]
    neumo.Client(release="2")  # type: ignore[arg-type]
    client.predict(3)  # type: ignore[arg-type]
    client.predict("film.png").probabilty  # type: ignore[attr-defined]  # noqa: B018


def for_tests() -> neumo.Client:
    """The fakes are typed too."""
    transport = FakeTransport(answering({"pneumonia_tuned": 0.5}, release=2))
    with EmbeddedServer(["--model_config_file=/models.config"]) as server:
        assert_type(server.grpc_url, str)
    return neumo.Client(transport=transport)
