"""The command line of ``neumo serve``: every flag in ``table``, read in ``parsing``."""

from neumo_serving.flags.parsing import Options, parse
from neumo_serving.flags.table import PARALLELISM

__all__ = ["PARALLELISM", "Options", "parse"]
