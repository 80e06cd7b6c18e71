"""``--monitoring_config_file``: where Prometheus' page is, if anywhere."""

from __future__ import annotations

from neumo_serving._proto.server_config_pb2 import MonitoringConfig
from neumo_serving.config import textproto
from neumo_serving.config.flags import Options
from neumo_serving.monitoring.prometheus_text import DEFAULT_PATH


def page_path(options: Options) -> str | None:
    """The page's path; None where it is off. Raises ``ConfigError``."""
    config = MonitoringConfig()
    textproto.read_flag(options, "monitoring_config_file", config)
    # The default is off, also for a file that says nothing.
    if not config.prometheus_config.enable:
        return None
    return config.prometheus_config.path or DEFAULT_PATH
