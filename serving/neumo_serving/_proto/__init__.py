"""Messages of TensorFlow Serving that no installed package brings; see server_config.proto."""

from __future__ import annotations

_OWN_PACKAGE = "neumo.tensorflow.serving."


def by_upstreams_names(text: str) -> str:
    """``text``, an error's, with the messages called as upstream calls them."""
    return text.replace(_OWN_PACKAGE, _OWN_PACKAGE.removeprefix("neumo."))
