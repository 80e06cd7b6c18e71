"""Who asks, and whether they may.

Cookies are not used here, but a proxy before the gateway may use them: so a request that another
site made a browser send is refused by what browsers say of it and pages cannot change.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from neumo_serving.gateway.gateway_settings import AccessRules
from neumo_serving.gateway.problems import Refusal, plain, refusal

Address: TypeAlias = IPv4Address | IPv6Address

_OWN_SITE = {"same-origin", "none"}
_IPV6_SUBSCRIBER_BITS = 64


def check(headers: Headers, peer: str, access: AccessRules) -> None:
    """Raise a ``Refusal`` where the token is wrong, or the proxy names no user."""
    if access.token_digests and not _has_token(headers, access.token_digests):
        raise refusal("unauthorized", "send a valid token: Authorization: Bearer ...")
    if access.user_header and not (_is_proxy(peer, access) and headers.get(access.user_header)):
        raise refusal("unauthorized", "come by the proxy, which signs users in")


def check_site(headers: Headers) -> None:
    """Raise a ``Refusal`` (403) where a page of another site sent the request."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    # Programs send neither header; a browser sends Origin with every upload.
    is_own = site in _OWN_SITE if site else not origin or _is_host(origin, headers.get("host"))
    if not is_own:
        raise Refusal(plain(403, "sent by a page of another site"))


def client(headers: Headers, peer: str, access: AccessRules) -> str:
    """Who is asking, for counting: an address, or the 64 bits of IPv6 that one subscriber has.

    Behind trusted proxies it is the last address in X-Forwarded-For that is not one of them.
    """
    asker = peer
    if _is_proxy(peer, access):
        hops = (hop for line in headers.getlist("x-forwarded-for") for hop in line.split(","))
        # From the right: each proxy adds the address it saw, and what stands left of them the
        # client wrote.
        for hop in reversed([hop.strip() for hop in hops]):
            if _address(hop) is None:
                break
            asker = hop
            if not _is_proxy(hop, access):
                break
    return _subscriber(asker)


def _has_token(headers: Headers, digests: tuple[bytes, ...]) -> bool:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    digest = sha256(token.strip().encode("latin-1", "replace")).digest()
    # Every digest is compared, and each in constant time.
    matches = [hmac.compare_digest(digest, known) for known in digests]
    return scheme.lower() == "bearer" and any(matches)


def _is_host(origin: str, host: str | None) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == (host or "").lower()
    except ValueError:
        return False


def _is_proxy(text: str, access: AccessRules) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in access.proxies)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket of both families tells of IPv4 as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def _subscriber(text: str) -> str:
    address = _address(text)
    if isinstance(address, IPv6Address):
        # One subscriber has 2**64 addresses to send from.
        whole = ip_network((int(address), _IPV6_SUBSCRIBER_BITS), strict=False)
        return str(whole)
    # Behind a UNIX socket there is no address: all are one client.
    return str(address or text)
