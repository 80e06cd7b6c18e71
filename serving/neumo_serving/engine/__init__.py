"""Versions, loading and inference; no transport is known here."""
