"""Puts ``tests`` on the path, where ``support`` is: scripts here import this first."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
