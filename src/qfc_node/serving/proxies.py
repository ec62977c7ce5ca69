"""Whose word about the client's address counts: that of the proxies that the operator trusts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from .. import environment

Network = IPv4Network | IPv6Network
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

#: What proxies say about a request; from anybody else it is removed.
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
DEFAULT = ("127.0.0.0/8", "::1/128")
#: A site has at least this much of IPv6 for itself.
SITE_BITS = 64


def trusted_proxies() -> tuple[Network, ...]:
    """Return the networks of `QFC_NODE_TRUSTED_PROXIES`. Raises SettingsError."""
    words = environment.words("QFC_NODE_TRUSTED_PROXIES") or DEFAULT
    try:
        return tuple(ip_network(word, strict=False) for word in words)
    except ValueError as error:
        raise environment.SettingsError(
            f"QFC_NODE_TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8, with blanks between: {error}."
        ) from error


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether an address belongs to a trusted proxy."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def client_of(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Return the address of the client: the last one that no trusted proxy has, as the proxies tell it."""
    client = peer
    for name in reversed(forwarded_for.split(",")):
        if not is_trusted(client, trusted):
            break
        parsed = _parsed(name)
        if parsed is None:
            break
        client = str(parsed)
    return client


def counted_as(address: str) -> str:
    """Return what connections are counted by: an IPv4 address, or the network of a site."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network(f"{parsed}/{SITE_BITS}", strict=False))
    return address


def behind_proxies(application: Application, trusted: Sequence[Network]) -> Application:
    """Return the application with the client's own address in `REMOTE_ADDR`, and no word of untrusted proxies."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if is_trusted(peer, trusted):
            environ["REMOTE_ADDR"] = client_of(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
        else:
            for name in FORWARDED:
                environ.pop(name, None)
        return application(environ, start_response)

    return call


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.strip().split("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
