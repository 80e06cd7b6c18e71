"""A release's ROC curve, which draws itself in Jupyter as SVG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neumo.release.manifest import Manifest

_SIDE_PX = 384


@dataclass(frozen=True, slots=True)
class RocCurve:
    """A release's ROC curve with its threshold marked; Jupyter draws it.

    ``fpr`` and ``tpr`` are the rates at each of ``thresholds``, out of fold; ``threshold`` is
    the one that the release decides by.
    """

    release: int
    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    thresholds: tuple[float, ...]
    threshold: float

    @classmethod
    def of(cls, manifest: Manifest) -> RocCurve:
        """The curve in ``manifest``, such as ``neumo.release.newest(folder)`` reads."""
        fpr, tpr, thresholds = (tuple(manifest.roc[name]) for name in ("fpr", "tpr", "threshold"))
        return cls(manifest.release, fpr, tpr, thresholds, manifest.threshold)

    @property
    def area(self) -> float:
        """The area under the curve, by the trapezoidal rule."""
        return float(np.sum(np.diff(self.fpr) * (np.array(self.tpr[1:]) + self.tpr[:-1]) / 2))

    @property
    def sensitivity(self) -> float:
        """Of the films with pneumonia, the part above the threshold."""
        return self.tpr[self._chosen()]

    @property
    def specificity(self) -> float:
        """Of the normal films, the part not above the threshold."""
        return 1.0 - self.fpr[self._chosen()]

    def _chosen(self) -> int:
        """The last point whose threshold is above the release's: what lies above that one."""
        # The first point is (0, 0) at an infinite threshold: there is always one.
        return max(i for i, value in enumerate(self.thresholds) if i == 0 or value > self.threshold)

    def _repr_html_(self) -> str:
        side, x, y = _SIDE_PX, 1.0 - self.specificity, self.sensitivity
        line = " ".join(
            f"{side * f:.1f},{side * (1 - t):.1f}" for f, t in zip(self.fpr, self.tpr, strict=True)
        )
        caption = (
            f"ROC of release {self.release}, out of fold: area {self.area:.3f}. At the threshold "
            f"{self.threshold:.3f}: sensitivity {y:.3f}, specificity {self.specificity:.3f}."
        )
        return f"""<div>
<svg viewBox="-44 -12 {side + 60} {side + 60}" width="{side + 60}" role="img"
 aria-label="{caption}" font-family="sans-serif" font-size="13" fill="currentColor">
<rect width="{side}" height="{side}" fill="none" stroke="currentColor" opacity="0.4"/>
<path d="M0 {side}L{side} 0" stroke="currentColor" stroke-dasharray="4 4" opacity="0.4"/>
<polyline points="{line}" fill="none" stroke="#0b86a0" stroke-width="2.5"/>
<circle cx="{side * x:.1f}" cy="{side * (1 - y):.1f}" r="6" fill="#d2691e"/>
<text x="{side * x + 12:.1f}" y="{side * (1 - y) + 18:.1f}">threshold {self.threshold:.3f}</text>
<text x="{side / 2}" y="{side + 36}" text-anchor="middle">1 - specificity</text>
<text transform="translate(-28 {side / 2}) rotate(-90)" text-anchor="middle">sensitivity</text>
<text y="{side + 18}">0</text><text x="{side}" y="{side + 18}" text-anchor="middle">1</text>
<text x="-14" y="{side}">0</text><text x="-14" y="10">1</text>
</svg><p>{caption}</p></div>"""
