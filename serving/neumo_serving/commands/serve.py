"""``neumo serve``. Nothing heavy is imported at the top, so that ``neumo --help`` stays quick."""

from __future__ import annotations

import gc
import logging
import os
from importlib.metadata import version

from neumo.commands.program import OK
from neumo.errors import ServingError
from neumo_serving import lean_tensorflow
from neumo_serving.config import flags
from neumo_serving.stages import Stages


def main(argv: list[str]) -> int:
    """Serve models by TensorFlow Serving's API, without its container."""
    options = flags.parse(argv)
    if options["version"]:
        print(_versions())
        return OK
    # TensorFlow tells every user about processors and missing GPUs unless told not to; it reads
    # this when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(level=logging.INFO, format="neumo serve: %(message)s")
    # Its lines at INFO would say a second time that the server starts and stops.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    stages = Stages()
    logging.getLogger(__name__).info("starting: TensorFlow is imported, then the models are loaded")
    lean_tensorflow.install()
    # Modules are made and stay: the collector would walk them again and again for nothing.
    gc.disable()
    from neumo_serving import model_server  # noqa: PLC0415 - TensorFlow is slow to import
    from neumo_serving.request_faults import Fault  # noqa: PLC0415

    gc.enable()
    stages.done("imports")
    try:
        model_server.run(options, stages)
    except Fault as fault:
        raise LoadFailed("", "neumo serve", f"{fault.code}: {fault.message}") from fault
    return OK


def _versions() -> str:
    """Upstream's two lines; the first says, too, that it is not upstream that runs."""
    serving, library, own = map(version, ("tensorflow-serving-api", "tensorflow", "neumo"))
    return f"TensorFlow ModelServer: {serving}+neumo.{own}\nTensorFlow Library: {library}"


class LoadFailed(ServingError):  # noqa: N818 - as in neumo.errors
    """A model cannot be loaded, so nothing is served."""

    advice = "export the model again, or mend its folder or configuration"
