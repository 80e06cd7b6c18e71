"""``neumo demo``."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from neumo.client import Client
from neumo.commands import answer_report, arguments, failures, film_paths, picture_paths
from neumo.commands.program import OK
from neumo.drawing import heatmap_picture
from neumo.embedded import EmbeddedServer
from neumo.errors import ConfigError, ImageError, NeumoError, ServingError

DEFAULT_OUT = "neumo-demo"
_FILM_PACKAGE, _FILM = "data_store", Path("data", "RG1_UNCR.dcm")
"""pydicom-data's import name, and the chest film of the NEMA test set in it."""

_INTRODUCTION = """\
neumo demo: pneumonia in radiographs of children's chests. Research use, not a diagnosis."""
_ABOUT_THE_FILM = """\
The film comes with the package pydicom-data. It is an adult's, so outside the population that the
models were trained on (children of 1 to 5 years): the answer shows that the path works, no more."""


def main(argv: list[str]) -> int:
    """Run real films through an embedded server of its own: answers and heat maps."""
    chosen = _parser().parse_args(argv)
    found = film_paths.find(chosen.paths or [_default_film()])
    targets = picture_paths.in_folder(Path(chosen.out), found.files)
    print(_INTRODUCTION)
    if not chosen.paths:
        print(_ABOUT_THE_FILM)
    errors = [failures.say(name, error) for name, error in found.refused]
    if found.files:
        print("Starting the embedded server with the release that neumo ships ...", flush=True)
        with EmbeddedServer() as server, Client(server.grpc_url) as client:
            print(f"It answers at {server.grpc_url} and {server.http_url}.")
            errors += _explain(client, found.files, targets)
        print("The server is stopped.")
    return failures.status(errors) if errors else OK


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser("neumo demo", description=main.__doc__)
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="film, folder of films, or pattern (default: pydicom-data's chest film)",
    )
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        default=DEFAULT_OUT,
        help="where the pictures with the heat maps go (default: %(default)s)",
    )
    return parser


def _explain(client: Client, files: Sequence[Path], targets: Sequence[Path]) -> list[NeumoError]:
    errors = []
    for file, target in zip(files, targets, strict=True):
        try:
            explanation = client.explain(file)
        except (ImageError, ServingError) as error:
            errors.append(failures.say(str(file), error))
            continue
        heatmap_picture.save(explanation, target)
        print(f"\n{film_paths.shown(file)}\n{answer_report.details(explanation.prediction)}")
        print(f"  heat map     {film_paths.shown(target)}\n", flush=True)
    return errors


def _default_film() -> str:
    # Found, not imported: the package's code has nothing to do here.
    spec = importlib.util.find_spec(_FILM_PACKAGE)
    film = Path(spec.origin).parent / _FILM if spec and spec.origin else None
    if film is None or not film.exists():
        raise ConfigError("the demo's film is not installed: pip install 'neumo[serving]'")
    return str(film)
