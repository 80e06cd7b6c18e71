"""Names of images: what is a digest in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageReference:
    """``name:tag@digest``; tag and digest are '' where there is none."""

    name: str
    tag: str
    digest: str

    @classmethod
    def read(cls, text: str) -> ImageReference:
        """What ``text`` names."""
        rest, _, digest = text.partition("@")
        # A colon before the last slash is a registry's port.
        head, slash, tail = rest.rpartition("/")
        name, _, tag = tail.partition(":")
        return cls(f"{head}{slash}{name}", tag, digest)


def digest_of(image_id: str) -> str:
    """The digest in a kubelet's ``imageID``, as ``sha256:…``; '' where there is none."""
    digest = image_id.rpartition("@")[2].rpartition("://")[2]
    return digest if digest.startswith("sha256:") else ""
