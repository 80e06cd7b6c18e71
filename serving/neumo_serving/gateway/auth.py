"""Who asks, and whether they may.

Cookies are not used here, but a proxy before the gateway may use them: so a request that another
site made a browser send is refused by what browsers say of it and pages cannot change.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from neumo_serving.gateway.gateway_settings import AccessRules
from neumo_serving.gateway.problems import Refusal, plain, refusal

Address: TypeAlias = IPv4Address | IPv6Address

_OWN_SITE = {"same-origin", "none"}
_IPV6_SUBSCRIBER_BITS = 64


def check_user(headers: Headers, peer: str, access: AccessRules) -> None:
    """Raise a ``Refusal`` where a proxy should name the user, and none does."""
    if access.user_header and not (is_proxy(peer, access) and headers.get(access.user_header)):
        raise refusal("sign-in", "come by the proxy, which signs users in")


def token(headers: Headers) -> str:
    """The bearer token that a request brings, or an empty text."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def check_site(headers: Headers) -> None:
    """Raise a ``Refusal`` (403) where a page of another site sent the request."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    # Programs send neither header; a browser sends Origin with every upload.
    is_own = site in _OWN_SITE if site else not origin or _is_host(origin, headers.get("host"))
    if not is_own:
        raise Refusal(plain(403, "sent by a page of another site"))


def client(headers: Headers, peer: str, access: AccessRules) -> str:
    """Who is asking, for counting: an address, or the 64 bits of IPv6 that one subscriber has.

    Of a trusted proxy's X-Forwarded-For it is the address that the first of our ``proxy_hops``
    proxies saw, counted from the right: each adds one, and what stands before them the client
    wrote. Where there are fewer, or it is no address, it is the proxy itself.
    """
    if not is_proxy(peer, access):
        return subscriber(peer)
    lines = headers.getlist("x-forwarded-for")
    hops = [hop for line in lines for hop in line.split(",") if hop.strip()]
    found = _forwarded(hops[-access.proxy_hops]) if len(hops) >= access.proxy_hops else None
    return subscriber(found or peer)


def subscriber(address: str) -> str:
    """Whose ``address`` it is, as far as can be told: of IPv6, one has 2**64 to send from."""
    found = address_in(address)
    if isinstance(found, IPv6Address):
        whole = ip_network((int(found), _IPV6_SUBSCRIBER_BITS), strict=False)
        return str(whole)
    # Behind a UNIX socket there is no address: all are one client.
    return str(found or address)


def _forwarded(hop: str) -> str | None:
    """The address in ``hop``, which some proxies write with its port: 192.0.2.1:80, [::1]:80."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text if address_in(text) else None


def _is_host(origin: str, host: str | None) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == (host or "").lower()
    except ValueError:
        return False


def is_proxy(peer: str, access: AccessRules) -> bool:
    """Whether the other end of a connection is a trusted proxy."""
    address = address_in(peer)
    return address is not None and any(address in network for network in access.proxies)


def address_in(text: str) -> Address | None:
    """The address that ``text`` is, IPv4's in IPv6's form as IPv4; None for a name."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket of both families tells of IPv4 as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
