"""Faults made on request, for tests of applications: off unless ``--neumo_faults`` is given."""
