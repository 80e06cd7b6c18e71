"""What schemathesis cannot make up: bytes that are a film. Everything else it may try."""

import schemathesis
from hypothesis import strategies

from neumo_serving.gateway.upload_bodies import FILM_TYPES
from support import films

FILMS = strategies.sampled_from([films.file(kind) for kind in ("JPEG", "PNG", "TIFF", "DICOM")])

for media_type in FILM_TYPES:
    schemathesis.openapi.media_type(media_type, FILMS)
schemathesis.openapi.format("binary", FILMS)
