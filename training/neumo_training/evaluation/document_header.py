"""What every ``evaluation.json`` says of itself."""

from __future__ import annotations

SCHEMA = "1.2"
"""major.minor: a reader understands every minor of its major."""

NOTICE = (
    "A research tool, not a medical device: nothing in this report is a diagnosis or a proof of "
    "fitness for patients."
)
