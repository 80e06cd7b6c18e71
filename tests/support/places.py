"""Where this checkout lies, and what lies beside it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
CHEST_XRAY = ROOT.parent / "shared" / "data" / "chest_xray"
"""The public data set, where somebody has put it."""
VAL = CHEST_XRAY / "val"
"""Its 16 films that are for looking at."""
