"""How children's frontal films look at 16 x 16: tables for ``file_checks`` to multiply with.

Made by ``python tests/benchmarks/quality.py --fit`` of 4,153 public films without the locked
hold-out: a mean film, made symmetric, and two linear discriminants. No film can be told from them.
"""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt

SIDE = 16


def _table(text: str) -> npt.NDArray[np.float32]:
    """float32 [16, 16] in [-1, 1] of 256 signed bytes in base64."""
    values = np.frombuffer(base64.b64decode(text), np.int8)
    return values.reshape(SIDE, SIDE).astype(np.float32) / np.float32(127)


MEAN = _table(
    "scvX3usJJjQ0Jgnr3tfLsbfV6PcEFCMvLyMUBPfo1be41/QLFRUeMDAeFRUL9Ne4sdL6FxQFFTU1FQUUF/rSsajL"
    "/RkI+BI6OhL4CBn9y6idxgAT/PgZQEAZ+PwTAMadlMQECfQAJUZGJQD0CQTElI7EBP7xCS5LSy4J8f4ExI6JxQD2"
    "9BU1T081FfT2AMWJhMb68PoaN1FRNxr68PrGhILF8+z/GTRSUjQZ/+zzxYKBxu3tBBw0UVE0HATt7caBgcbv/hot"
    "PFRUPC0a/u/GgYLKAB01QUhZWUhBNR0AyoKE0RQzRExQXFxQTEQzFNGEh9cfO0hPU1xcU09IOx/Xhw=="
)
"""The mean film: bright mediastinum and diaphragm, dark lungs and corners."""

UPRIGHT = _table(
    "VPqdgYemzc7OzaaHgZ36VFAHyreorsTDw8SuqLfKB1BHCPID1ay2wMC2rNUD8ghHOAMOSQOvtMnJtK8DSQ4DODD+"
    "GG4ausLY2MK6Gm4Y/jAj/RdkDsXY4+PYxQ5kF/0jFP0UQ//R5+/v59H/QxT9FAb/CBf86/f6+vfr/BcI/wb6Afjp"
    "BBUJBgYJFQTp+AH67APsvQEvGRERGS8BvewD7N0D6ZzyOygdHSg78pzpA93QAuiS5kY+KCg+RuaS6ALQyP3yt/1R"
    "TDc3TFH9t/L9yLn4Dv0rVEpAQEpUK/0O+Lmw+TZJWFI8PT08UlhJNvmwrAZjf3laMzIyM1p5f2MGrA=="
)
"""Positive for an upright film, negative for one on its head."""

CUT_LEFT = _table(
    "+wwXFQkL+Onp9Pr39fn/AQwTCA4WCvvr7/sDA/0AAwIYGQsUFw/01+MAAAD0+v0FEwj9DhAT9s3ZBQH69vb5/wn3"
    "8gceH/fQ1PYK+Pb6/PkL//gOIB351dP0DQT3/wD5EAUEEiEQ9uLZ9QkG8/oB+hUIDhQYAvbr5vMNC/UABfsfCBMS"
    "FAf06e77Dwv4+Av4F/8WEBAO8uj7BwcK/O4G9Aj3FQgREejmBRAB/PrsAe8E9wj7Bgfg4gYR/vL17frsMxj58QUI"
    "4OQKEvv0+fDz6mkh9vUDAd3dAg4B9fwB9+t/HwX4/v/o4PoJAfr1/AHtfxYK+gUF7ub1AP/8+PoD8A=="
)
"""High where the left part of a film, a third or more of its width, is missing."""
