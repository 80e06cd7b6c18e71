"""Kubernetes' quantities as numbers."""

from __future__ import annotations

MIB = {"Mi": 1, "Gi": 1024}


def cores(quantity: str) -> float:
    """A quantity of CPU."""
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def mebibytes(quantity: str) -> int:
    """A quantity of memory."""
    return int(quantity[:-2]) * MIB[quantity[-2:]]
