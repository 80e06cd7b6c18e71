"""``--model_config_file``, followed while the server runs.

Upstream: ``model_servers/server.cc``.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from neumo.errors import ConfigError
from neumo_serving.config import models_config
from neumo_serving.config.flags import Options
from neumo_serving.engine.model_manager import Models
from neumo_serving.request_faults import Fault

log = logging.getLogger(__name__)


def follow(options: Options, models: Models, stopping: threading.Event) -> None:
    """Read the file again every ``--model_config_file_poll_wait_seconds``; 0 never does.

    What cannot be read or served is logged once, and the models stay as they are.
    """
    path, interval_s = options.model_config_file, options["model_config_file_poll_wait_seconds"]
    if path is None or not interval_s:
        return
    allow = options["allow_version_labels_for_unavailable_models"]

    def follow_forever() -> None:
        said = ""
        while not stopping.wait(interval_s):
            remark = _reload(path, models, allow)
            # Once: a file stays wrong for as long as nobody mends it, at every reading.
            if remark not in ("", said):
                log.error("the models stay as they are: %s", remark)
            said = remark

    threading.Thread(target=follow_forever, name="config", daemon=True).start()


def _reload(path: Path, models: Models, allow_unavailable_labels: bool) -> str:
    """Take what the file says; what is wrong with it."""
    try:
        models.reload(models_config.read(path), allow_unavailable_labels)
    except ConfigError as error:
        return str(error)
    except Fault as fault:
        return fault.message
    return ""
