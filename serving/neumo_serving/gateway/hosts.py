"""Whether the Host that a request names is one of ours. Pure.

A page of another site can make its own name lead here (DNS rebinding); its browser then sends that
name, and takes the answers for the page's own. An address is no name, and cannot be made to lead.
"""

from __future__ import annotations

import re

from neumo_serving.gateway.auth import address_in
from neumo_serving.gateway.gateway_settings import is_loopback
from neumo_serving.gateway.problems import Refusal, plain, refusal

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
ANY = "*"


def check(hosts: list[str], allowed: frozenset[str], *, is_local: bool, is_guarded: bool) -> None:
    """Raise a ``Refusal``: 400 unless there is one valid Host, 421 where it is not ours.

    ``allowed`` are names beside those of this machine. ``is_local`` says that the gateway listens
    on this machine alone, ``is_guarded`` that whoever asks has to have a token, or a proxy's user.
    """
    found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if found is None:
        raise refusal("bad-request", "one valid Host is wanted in a request's head")
    name = found[1].strip("[]").rstrip(".").lower()
    if is_loopback(name) or name in allowed or ANY in allowed:
        return
    # A page whose name is made to lead here has no token; and a name without a dot is nobody's in
    # the public DNS.
    is_harmless = not allowed and (is_guarded or "." not in name)
    if is_local or not (address_in(name) or is_harmless):
        detail = "this host is not known here: start neumo web with --allowed-host NAME"
        raise Refusal(plain(421, detail))
