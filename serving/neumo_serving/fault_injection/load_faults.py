"""Faults of loading: called before each version is loaded."""

from __future__ import annotations

import time

from neumo_serving.fault_injection.fault_rules import LOAD, FaultPlan, Kind, Occasion


def before_load(plan: FaultPlan, model: str, version: int) -> None:
    """Take longer, or raise the ``Fault``, as the plan says of this version."""
    rule = plan.next(Occasion(LOAD, "", model, version))
    if rule is None:
        return
    if rule.fault is Kind.SLOW_LOAD:
        time.sleep(rule.seconds)
    else:
        raise rule.error
