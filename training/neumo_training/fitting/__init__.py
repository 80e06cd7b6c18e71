"""Training: one resumable run from films to networks, thresholds and what was measured."""
