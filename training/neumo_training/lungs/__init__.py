"""Where the lungs are: the network of the ``lungs`` model, which the members' graphs hold, too."""

from pathlib import Path

SHIPPED = Path(__file__).with_name("lungs.keras")
"""The network of the newest release, for training without masks."""
