"""Model card and data sheet of a release, in English and Spanish, from its evaluation."""

from neumo_training.reports.cards.card_files import NAMES, render, write

__all__ = ["NAMES", "render", "write"]
