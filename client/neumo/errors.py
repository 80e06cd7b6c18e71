"""Every error that neumo raises on purpose.

::

    NeumoError
    ├ ConfigError    a bad URL, a bad option
    ├ ImageError     not a film that can be read
    │ └ NotAChestRadiograph
    ├ ContractError  the server's models are not the ones this client understands
    └ ServingError(model, target, detail)
      ├ Unavailable         ├ DeadlineExceeded  ├ ModelNotFound
      ├ VersionUnavailable  ├ ReleaseMismatch   ├ InvalidRequest
      ├ PermissionDenied    └ BadResponse

The text of each is one line that says what was wrong and what to do. None carries a file's
name, a pixel or an identifier: whoever knows the name (the command line) puts it in front.
"""

from __future__ import annotations

CLIENT_CLOSED = "the client is closed: make a new one"
"""The ``ConfigError`` of whatever is asked of a client after its end."""


class NeumoError(Exception):
    """The root of the tree.

    ``request_id`` is that of the prediction, or of the other request, that it ended; None where
    none had begun.
    """

    request_id: str | None = None


class ConfigError(NeumoError):
    """A URL, an option or an argument that cannot be used."""


class ImageError(NeumoError):
    """The bytes given are not a film that can be read, or one too large or too small."""


class NotAChestRadiograph(ImageError):  # noqa: N818 - the architecture's public name
    """The image was read, but ``lungs`` finds no frontal chest radiograph in it."""


class ContractError(NeumoError):
    """The server's models differ from the contract that this client knows."""


class ServingError(NeumoError):
    """A call to a server failed.

    ``model`` is the servable asked, ``target`` the address, ``detail`` what the server or the
    network said.
    """

    advice = "look at the server's log"

    def __init__(self, model: str, target: str, detail: str) -> None:
        super().__init__(model, target, detail)
        self.model = model
        self.target = target
        self.detail = detail

    def __str__(self) -> str:
        asked = f"{self.model} at {self.target}" if self.model else self.target
        return f"{asked}: {' '.join(self.detail.split())} ({self.advice})"


class Unavailable(ServingError):  # noqa: N818
    """No server answers at the address, or it is overloaded or shutting down.

    ``retry_after_seconds`` is how long the server asks to be left alone: ``inf`` where it asks not
    to be asked again, None where it says nothing. ``is_out_of_reach`` is whether no connection was
    made, so that no server has seen the call.
    """

    advice = "is a server running there? start one with: neumo serve"

    def __init__(
        self,
        model: str,
        target: str,
        detail: str,
        *,
        retry_after_seconds: float | None = None,
        is_out_of_reach: bool = False,
    ) -> None:
        super().__init__(model, target, detail)
        self.retry_after_seconds = retry_after_seconds
        self.is_out_of_reach = is_out_of_reach


class DeadlineExceeded(ServingError):  # noqa: N818
    """The prediction's one deadline passed."""

    advice = "try again, or allow more time: timeout=, --timeout or NEUMO_TIMEOUT"


class ModelNotFound(ServingError):  # noqa: N818
    """The server does not know the model at all."""

    advice = "serve it there: neumo serve, or the server's models.config"


class VersionUnavailable(ServingError):  # noqa: N818
    """The server knows the model, but the version asked is loading, retired or failed."""

    advice = "neumo status shows which versions are ready"


class ReleaseMismatch(ServingError):  # noqa: N818
    """The models have no ready release in common, so no honest ensemble can be formed."""

    advice = "serve the same release of every model; neumo status shows the versions"


class InvalidRequest(ServingError):  # noqa: N818
    """The server refused the request as malformed."""

    advice = "this client and that server disagree; update the older of the two"

    def __init__(self, model: str, target: str, detail: str) -> None:
        super().__init__(model, target, detail)
        # TensorFlow Serving's words, where it batches and does not split what is larger.
        if "larger than maximum input batch size" in detail:
            self.advice = (
                "send fewer in one request (batch_size= of predict_many), or let the server split: "
                "enable_large_batch_splitting with a larger max_batch_size"
            )


class PermissionDenied(ServingError):  # noqa: N818
    """The server, or a proxy before it, wants other credentials."""

    advice = "check the token or the certificate"


class BadResponse(ServingError):  # noqa: N818
    """The answer is not one that TensorFlow Serving gives."""

    advice = "does the address belong to TensorFlow Serving or neumo serve?"
