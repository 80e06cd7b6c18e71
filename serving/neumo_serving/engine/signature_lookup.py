"""A model's signatures: which one is asked for, and whether its method is the right one."""

from __future__ import annotations

from collections.abc import Iterable

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
PREDICT = "tensorflow/serving/predict"
DEFAULT_SIGNATURE = "serving_default"


def name_of(name: str) -> str:
    """The signature that ``name`` asks for; '' is the default."""
    return name or DEFAULT_SIGNATURE


def joined(names: Iterable[str]) -> str:
    """Names as TensorFlow Serving lists them in a message."""
    return ",".join(sorted(names))
