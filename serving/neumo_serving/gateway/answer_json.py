"""What the SDK found, as the JSON that is answered. Pure."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo import Explanation, ModelStatus, Prediction
from neumo_serving.gateway import contours
from neumo_serving.gateway.gateway_settings import Limits
from neumo_serving.gateway.problems import Problem

HEAT_DIGITS = 3
_DIGIT_0 = ord("0")


def prediction(predicted: Prediction) -> dict[str, Any]:
    """One prediction."""
    return {
        "label": predicted.label,
        "probability": predicted.probability,
        "threshold": predicted.threshold,
        "release": predicted.release,
        "unanimous": predicted.unanimous,
        "screened": predicted.screened,
        "members": [
            {"model": m.model, "version": m.version, "probability": m.probability}
            for m in predicted.members
        ],
        "warnings": [{"code": w.code, "text": w.text} for w in predicted.warnings],
        "seconds": predicted.seconds,
    }


def predictions(outcomes: list[Prediction | Problem]) -> bytes:
    """The films' outcomes in their places."""
    results = [
        {"index": index, "prediction": None, "problem": outcome.document()}
        if isinstance(outcome, Problem)
        else {"index": index, "prediction": prediction(outcome), "problem": None}
        for index, outcome in enumerate(outcomes)
    ]
    return json.dumps({"results": results}).encode()


def explanation(explained: Explanation) -> bytes:
    """A prediction, the film that was asked about, and where the members looked."""
    document = {
        "prediction": prediction(explained.prediction),
        "lungs": None if explained.lungs is None else {"contours": contours.trace(explained.lungs)},
        "heat_in_lungs": explained.heat_in_lungs,
        "film": {
            "png": _png(explained.film),
            "width_px": explained.width_px,
            "height_px": explained.height_px,
        },
    }
    grey = np.rint(explained.heatmap * 255.0).astype(np.uint8)
    # 65,536 numbers take the standard library 30 ms, in which nothing else runs.
    heatmap = b'{"png": "%s", "values": %s}' % (_png(grey).encode(), fractions(explained.heatmap))
    # In place of the document's last brace.
    return b'%s, "heatmap": %s}' % (json.dumps(document).encode()[:-1], heatmap)


def fractions(values: npt.NDArray[np.float32]) -> bytes:
    """``values`` [h, w] in [0, 1] as JSON rows of thousandthss with three digits."""
    thousandths = np.rint(values * 10**HEAT_DIGITS).astype(np.uint16)
    text = np.full((*values.shape, len("0.000,")), ord(","), np.uint8)
    text[..., 0] = thousandths // 1000 + _DIGIT_0
    text[..., 1] = ord(".")
    for place in range(HEAT_DIGITS):
        text[..., 2 + place] = thousandths // 10 ** (HEAT_DIGITS - 1 - place) % 10 + _DIGIT_0
    # Without the comma after a row's last number.
    rows = (row.tobytes()[:-1] for row in text)
    return b"[[%s]]" % b"],[".join(rows)


def status(
    is_ready: bool,
    release: int | None,
    models: tuple[ModelStatus, ...],
    limits: Limits,
) -> bytes:
    """What is served, and what is accepted."""
    document = {
        "ready": is_ready,
        "release": release,
        "models": [_model(one) for one in models],
        "limits": {
            "max_films": limits.max_films,
            "max_film_bytes": limits.max_film_bytes,
            "max_request_bytes": limits.max_request_bytes,
        },
    }
    return json.dumps(document).encode()


def _model(model: ModelStatus) -> dict[str, Any]:
    versions = [
        {"version": v.version, "state": v.state.value, "ready": v.ready, "error": v.error}
        for v in model.versions
    ]
    return {"model": model.model, "versions": versions}


def _png(grey: npt.NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
