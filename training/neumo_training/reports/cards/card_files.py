"""The four Markdown files, each a template filled with what the evaluation and manifest hold.

A template has no digit of its own: every number is one of the evaluation's, the manifest's or
the contract's, so that a card cannot drift from them.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

from neumo.errors import ConfigError
from neumo.release import Manifest, weights_sha256
from neumo_training.evaluation.document_header import SCHEMA
from neumo_training.reports.cards.filling import fillings
from neumo_training.reports.cards.wording import ENGLISH, SPANISH, Words
from neumo_training.whole_files import write_atomically

_TEMPLATES = Path(__file__).parent / "templates"
_LANGUAGES: dict[str, Words] = {"en": ENGLISH, "es": SPANISH}
NAMES = tuple(f"{kind}.{code}.md" for kind in ("model-card", "data-sheet") for code in _LANGUAGES)


def write(evaluation: dict[str, Any], manifest: Manifest | None, folder: Path) -> list[Path]:
    """Write the four files into ``folder``; raises ``ConfigError`` as ``render`` does."""
    texts = render(evaluation, manifest)
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return [folder / name for name in texts]


def render(evaluation: dict[str, Any], manifest: Manifest | None) -> dict[str, str]:
    """The four files' texts by name.

    Without a ``manifest``, what only it knows is told as not measured. Raises ``ConfigError``
    where the evaluation is of another schema or release.
    """
    _require_match(evaluation, manifest)
    try:
        values = {code: fillings(evaluation, manifest, words) for code, words in _LANGUAGES.items()}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"the evaluation is not whole ({type(error).__name__}: {error}): "
            "run neumo evaluate again"
        ) from error
    return {name: _filled(name, values[name.split(".")[1]]) for name in NAMES}


def read(path: Path) -> dict[str, Any]:
    """The evaluation in ``path``; ``ConfigError`` where it holds none."""
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: not an evaluation ({error}); neumo evaluate writes it"
        ) from error
    if not isinstance(evaluation, dict):
        raise ConfigError(f"{path}: not an evaluation; neumo evaluate writes it")
    return evaluation


def _filled(name: str, values: dict[str, str]) -> str:
    template = (_TEMPLATES / name).read_text(encoding="utf-8")
    # Not safe_substitute: a place that nothing fills is an error, no text of a card.
    return Template(template).substitute(values)


def _require_match(evaluation: dict[str, Any], manifest: Manifest | None) -> None:
    schema = str(evaluation.get("schema"))
    if schema.partition(".")[0] != SCHEMA.partition(".")[0] or "release" not in evaluation:
        raise ConfigError(
            f"an evaluation of schema {schema}; this neumo writes cards from {SCHEMA}: "
            "run neumo evaluate again"
        )
    if manifest is None:
        return
    judged = evaluation["release"]
    if judged["weights_sha256"] != weights_sha256(manifest):
        raise ConfigError(
            f"the evaluation is of a release {judged['number']} with other files than the "
            f"manifest of release {manifest.release}: give the manifest of what was judged"
        )
