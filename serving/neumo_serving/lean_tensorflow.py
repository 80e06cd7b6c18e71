"""TensorFlow without what no server needs: importing it costs 1 s of CPU instead of 3.5.

``import tensorflow`` imports every part of it and all of Keras, which brings pandas, SciPy and
scikit-learn where they are. A server runs graphs in sessions: it needs a tenth of the modules.

So this package imports the parts that it uses by their own names, which no public name of
TensorFlow reaches without all the others; pyproject.toml allows the versions that were tried.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

_NAME = "tensorflow"


def install() -> None:
    """From now on ``tensorflow`` is a package whose parts are imported one by one.

    Only for a process that is a server and nothing else: ``tensorflow.constant`` is not there.
    """
    if _NAME in sys.modules:
        return
    spec = importlib.util.find_spec(_NAME)
    # Whoever imports a part of it says what is missing.
    if spec is None or spec.submodule_search_locations is None:
        return
    package = ModuleType(_NAME)
    package.__spec__ = spec
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[_NAME] = package
