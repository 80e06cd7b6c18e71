"""Answers draw themselves in Jupyter."""

import base64
import io
import re
import subprocess
import sys

import numpy as np
from PIL import Image

from neumo._engine.operations import combine
from neumo.cautions import Caution
from neumo.release import phantom
from neumo.results import Explanation, Member, Timings


def explanation(*warnings: Caution, lungs: np.ndarray | None = None) -> Explanation:
    """A drawn film that is hot in its upper left quarter."""
    members = (Member("pneumonia_tuned", 3, 0.9, 0.01), Member("pneumonia_residual", 3, 0.2, 0.01))
    prediction = combine(members, 0.4, 3, warnings, 0.02, Timings(0.01, 0.001, {}))
    heatmap = np.zeros((256, 256), np.float32)
    heatmap[:128, :128] = 1.0
    return Explanation(prediction, heatmap, phantom.draw(5, 1)[0, :, :, 0], lungs)


def pictures(html: str) -> list[np.ndarray]:
    """The pictures inside ``html``."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))).astype(int) for one in found]


def test_prediction_names_its_numbers():
    """The number is called what it is, beside its threshold, both members and their quarrel."""
    html = explanation().prediction._repr_html_()
    for text in ("PNEUMONIA", "probability of pneumonia", "0.5500", "threshold", "0.4000"):
        assert text in html
    assert "pneumonia_tuned alone" in html
    assert "the members disagree" in html
    assert "not a diagnosis" in html


def test_explanation_shows_film_and_heat():
    """The second picture is the first one, coloured where the map is hot and nowhere else."""
    film, heated = pictures(explanation()._repr_html_())
    changed = np.abs(film[:, :, None] - heated).max(axis=2) > 0
    assert changed[:180, :180].all()
    assert not changed[210:, 210:].any()


def test_heat_in_lungs_is_told_where_lungs_are_served():
    """With the lungs known, the part of the heat inside them is written; else nothing is."""
    half = np.zeros((256, 256), np.uint8)
    half[:64] = 1
    assert "50% of the heat lies in the lungs" in explanation(lungs=half)._repr_html_()
    assert "of the heat" not in explanation()._repr_html_()


def test_markup_in_a_text_stays_text():
    """A warning that looks like markup is shown as it is written."""
    html = explanation(Caution("x", "<script>alert(1)</script>"))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_nothing_else_is_needed():
    """Drawing imports neither IPython nor matplotlib, and importing neumo not even it."""
    code = (
        "import sys; from neumo import Prediction\n"
        "assert 'neumo.drawing.jupyter_html' not in sys.modules\n"
        "import neumo.drawing.jupyter_html; assert not {'IPython', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
