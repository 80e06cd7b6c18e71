"""What the API server, or what is in its place, answers instead of an answer."""

from __future__ import annotations

from neumo.errors import NeumoError


class ClusterError(NeumoError):
    """The API server does not do what was asked; the rollout pauses."""


class ClusterAway(ClusterError):  # noqa: N818 - as neumo.Unavailable
    """It cannot be reached, or is overloaded: asking again may help."""


class CredentialsRefused(ClusterError):  # noqa: N818 - what it is
    """The token or certificate is not, or no longer, taken."""


class Denied(ClusterError):  # noqa: N818 - what it is
    """The operator may not do this."""


class Conflict(ClusterError):  # noqa: N818 - what it is
    """Somebody else has changed, or owns, what was to be written."""


class NotThere(ClusterError):  # noqa: N818 - what it is
    """No such object."""


class LeaseHeld(ClusterError):  # noqa: N818 - what it is
    """Another operator is at work, or has taken over."""
