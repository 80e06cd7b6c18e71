"""The notebook: committed empty, and it runs."""

import importlib.util
import warnings
from pathlib import Path

import nbformat
import pytest

import neumo
from support.patience import patience

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[2] / "serving" / "notebooks" / "diagnostico.ipynb"
FILM = Path(importlib.util.find_spec("data_store").origin).parent / "data" / "RG1_UNCR.dcm"
LAST_WORD = "print(repr(prediccion.probability))"


def read() -> nbformat.NotebookNode:
    """The notebook as it is committed."""
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed():
    """The notebook after a run from top to bottom, and one more line that tells its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of jupyter's own packages, while they start a kernel
        from nbclient import NotebookClient

        notebook = read()
        notebook.cells.append(nbformat.v4.new_code_cell(LAST_WORD))
        NotebookClient(notebook, timeout=int(patience(240))).execute()
    return notebook


def shown(notebook: nbformat.NotebookNode) -> str:
    """Everything that the notebook shows, as text and HTML."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    data = [text for o in outputs for text in o.get("data", {}).values()]
    return "\n".join([*data, *(o.get("text", "") for o in outputs)])


def test_committed_without_outputs():
    """No film can be in it: no cell has an output or a count."""
    for cell in read().cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_says_what_the_number_is(executed):
    """Under "Diagnóstico" the number is called the probability of pneumonia, not a certainty."""
    text = shown(executed)
    assert "### Diagnóstico: PNEUMONIA. Probabilidad de neumonía: 56.3" in text
    assert "erteza" not in text


def test_shows_film_heat_and_curve(executed):
    """Film and heat map are drawn under the title, then the ROC curve with its threshold."""
    text = shown(executed)
    assert text.count("data:image/png;base64,") == 2
    assert "<polyline" in text
    assert "threshold 0.425" in text


def test_answers_as_the_sdk(executed, neumo_server):
    """Its probability is the SDK's for the same film."""
    with neumo.Client(neumo_server.grpc_url, timeout=patience(60)) as client:
        expected = client.predict(FILM).probability
    assert float(executed.cells[-1].outputs[0]["text"]) == pytest.approx(expected, abs=1e-5)
