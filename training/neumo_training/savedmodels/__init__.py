"""Trained networks to a release: SavedModels with the contract's signatures, and its manifest."""
