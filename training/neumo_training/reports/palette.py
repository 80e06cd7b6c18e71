"""The colours of plots and pages, each with one meaning in every report."""

from __future__ import annotations

from neumo import contract

# A dark green and a light orange: told apart by lightness, too, in print and by the colour-blind.
NORMAL, PNEUMONIA = "#17604a", "#c4622d"
OF_CLASS = {contract.NORMAL: NORMAL, contract.PNEUMONIA: PNEUMONIA}
MODEL = "#1f5a94"
FAINT = "#8a8a8a"
"""For what a curve is compared with: chance, a clean film."""
CAUTION = "#b4442c"
