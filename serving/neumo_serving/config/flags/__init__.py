"""The command line of ``neumo serve``: every flag in ``flag_table``, read in ``flag_parsing``."""

from neumo_serving.config.flags.flag_parsing import Options, parse
from neumo_serving.config.flags.flag_table import PARALLELISM

__all__ = ["PARALLELISM", "Options", "parse"]
