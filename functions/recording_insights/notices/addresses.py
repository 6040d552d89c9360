"""Which hosts get events: public ones only, so that no caller of the API reaches into a network through us.

A host is resolved once for each call. If any of its addresses is not public, nothing is sent. The connection goes to
one of the addresses that were checked, so that a name cannot resolve to another one in between.

Source: https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from recording_insights.errors import HostRefused

PORTS = (443, 8443)
"""Any other port would let a caller of the API look for services, which answer each in its own way."""
RESOLVE_SECONDS = 5.0
_MOST_ADDRESSES = 3
"""Addresses of a host that are tried."""

_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
"""Of protocols, RFC 6890; at one cloud, of the metadata. Not every Python counts all of them as not public."""

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host; raises OSError or UnicodeError if it has none."""

_TUNNELS = tuple(
    map(
        IPv6Network,
        (
            "::/96",  # IPv4-compatible, RFC 4291
            "64:ff9b::/96",  # NAT64, RFC 6052
            "64:ff9b:1::/48",  # NAT64 of a network's own, RFC 8215
            "2001::/32",  # Teredo, RFC 4380
            "2002::/16",  # 6to4, RFC 3056
        ),
    )
)
"""IPv6 addresses that stand for an IPv4 address."""


@dataclass(frozen=True)
class Destination:
    """Where a webhook goes: `host` as the certificate names it, and the checked `addresses`; `target` is the path."""

    host: str
    port: int
    addresses: Sequence[str]
    target: str
    authority: str
    is_encrypted: bool = True


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, and stands for no other address."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return _is_public(found.ipv4_mapped)
        if found.is_site_local or any(found in network for network in _TUNNELS):
            return False
    return _is_public(found)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    is_local = address.is_private or address.is_link_local or address in _ASSIGNMENTS
    return address.is_global and not is_local and not is_special


def destination_of(url: str, *, allows_loopback: bool = False, resolve: Resolve | None = None) -> Destination:
    """Resolve the host of a URL, and return where to connect to.

    With `allows_loopback`, which the stage `local` alone has, plain http and this machine are allowed, at any port.

    Raises:
        HostRefused: the scheme or the port is not allowed, the host cannot be resolved, or an address is not public.
    """
    parts = urlsplit(url)
    host, is_encrypted = (parts.hostname or "").rstrip("."), parts.scheme == "https"
    port = parts.port or (443 if is_encrypted else 80)
    if not allows_loopback and not (is_encrypted and port in PORTS):
        raise HostRefused(f"must be https, at port {' or '.join(map(str, PORTS))}")
    addresses = _addresses(host, port, resolve or resolve_in_time)
    for address in addresses:
        if not (is_public(address) or (allows_loopback and ip_address(address).is_loopback)):
            raise HostRefused("its host has an address that is not public")
    if not is_encrypted and not all(ip_address(address).is_loopback for address in addresses):
        raise HostRefused("must be https")
    # A function outside of a VPC reaches IPv4 addresses only.
    first = sorted(addresses, key=lambda address: ":" in address)[:_MOST_ADDRESSES]
    return Destination(host, port, first, _target(parts), parts.netloc, is_encrypted)


def _addresses(host: str, port: int, resolve: Resolve) -> list[str]:
    try:
        # The scope of an IPv6 address is behind a %.
        addresses = [address.partition("%")[0] for address in resolve(host, port)]
    except (OSError, UnicodeError):
        addresses = []
    if not host or not addresses:
        raise HostRefused("its host cannot be resolved")
    return list(dict.fromkeys(addresses))


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def resolve_in_time(host: str, port: int) -> Sequence[str]:
    """Resolve a host. Raises OSError also after five seconds: the system's resolver has no limit of its own."""
    found: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def resolve() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(answer[4][0]) for answer in answers])
        except (OSError, UnicodeError) as error:
            found.put(error)

    Thread(target=resolve, daemon=True).start()
    try:
        result = found.get(timeout=RESOLVE_SECONDS)
    except Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(result, Exception):
        raise result
    return result
