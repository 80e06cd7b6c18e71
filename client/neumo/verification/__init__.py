"""Whether a server answers as a release does: asked over the wire, without TensorFlow.

``verify`` asks servers of TensorFlow Serving's API for what the manifest of a release says of it,
and says in one line each what is wrong. ``neumo verify`` is the command.
"""

from neumo.verification.manifest_file import ManifestFile
from neumo.verification.release_verification import DEFAULT_MAX_RATIO, DEFAULT_PACE_S, verify
from neumo.verification.report import Check, Pace, Remark, Report, Verdict

__all__ = [
    "DEFAULT_MAX_RATIO",
    "DEFAULT_PACE_S",
    "Check",
    "ManifestFile",
    "Pace",
    "Remark",
    "Report",
    "Verdict",
    "verify",
]
