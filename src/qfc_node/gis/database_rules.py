"""Which database servers layers may be in: decided by address, after names were resolved, once.

A name says nothing: it may stand for this machine, for another one behind the firewall, or for another one a moment
later. So the addresses are checked, and the caller connects to these, not to the name.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from .defence import Layer, is_on

#: A job's process gets its rules in this variable, as the text of `DatabaseRules.to_text`.
RULES_VARIABLE = "QFC_NODE_DATABASE_RULES"
#: A secret of the project: the role that writes the edits, instead of the layers' own `session_role`.
EFFECTIVE_USER = "QFC_PG_EFFECTIVE_USER"
Address = IPv4Address | IPv6Address
#: Returns the addresses of a name, as texts. Raises OSError.
Resolver = Callable[[str, int], Sequence[str]]

NOT_IN_THE_PLAN = "The plan of the project's owner does not include layers in databases"
#: Of longer names of databases and users, PostgreSQL reads only the beginning.
_NAME_BYTES = 63
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|[0-9A-Fa-f:.]+(?:%\w+)?")
#: An entry of the operator's list: a name, an address or a network, possibly with a port.
_ENTRY = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<plain>[^:]+)|(?P<bare>[0-9A-Fa-f:]+(?:/\d+)?))(?::(?P<port>\d+))?")
#: Addresses that contain one of IPv4: NAT64 and 6to4.
_NAT64, _SIX_TO_FOUR = IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16")


class ForbiddenServerError(Exception):
    """A layer names a server that it may not name; the message says why and what to do."""


@dataclass(frozen=True)
class DatabaseRules:
    """The rules of one job.

    `permitted`: whether layers in databases are allowed at all. `allowed`: names, addresses and networks of the
    operator, needed for servers in private ranges, possibly as `host:port`. `own_servers`: networks and port of the
    node's own database server, where layers need an entry `host:port`, and may never be in `own_database` or log in as
    `own_user`.
    """

    permitted: bool = True
    allowed: tuple[str, ...] = ()
    own_servers: tuple[tuple[str, int], ...] = ()
    own_database: str = ""
    own_user: str = ""

    def to_text(self) -> str:
        """Return the rules as text, for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> DatabaseRules:
        """Return the rules in a text of `to_text`; without a text, the strictest."""
        if not text:
            return DatabaseRules()
        values = json.loads(text)
        values["allowed"] = tuple(values["allowed"])
        values["own_servers"] = tuple((str(host), int(port)) for host, port in values["own_servers"])
        return DatabaseRules(**values)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def addresses(host: str, port: str, rules: DatabaseRules, resolver: Resolver = resolve) -> tuple[list[str], int]:
    """Return the addresses and the port of a server, all of them checked. Raises ForbiddenServerError."""
    if not rules.permitted:
        raise ForbiddenServerError(NOT_IN_THE_PLAN)
    number = _port(port)
    if not host or host.startswith(("/", "@", "\\")):
        raise ForbiddenServerError("The layer names no server, or the socket of one; give the server's name")
    if not _NAME.fullmatch(host):
        raise ForbiddenServerError("The layer must name one server, by its name or address")
    try:
        found = [ip_address(text) for text in resolver(host, number)]
    except (OSError, UnicodeError, ValueError):
        found = []
    if not found:
        raise ForbiddenServerError(f"The server '{host}' is unknown")
    if is_on(Layer.ADDRESSES):
        for address in found:
            _check_address(host, _plain(address), number, rules)
    return [str(address) for address in found], number


def check_login(found: Sequence[str], port: int, database: str, user: str, rules: DatabaseRules) -> None:
    """Check a login at addresses of `addresses`: it must not be the node's own. Raises ForbiddenServerError."""
    is_own = any(_is_own(_plain(ip_address(address)), port, rules) for address in found)
    if not (is_own and is_on(Layer.ADDRESSES)):
        return
    if _as_read(database) == _as_read(rules.own_database):
        raise ForbiddenServerError("Layers may not be in the node's own database; use another one of that server")
    if _as_read(user) == _as_read(rules.own_user):
        raise ForbiddenServerError("Layers may not use the login of the node itself; make another one on that server")


def _as_read(name: str) -> bytes:
    """Return the part of a name that PostgreSQL reads."""
    return name.encode("utf-8", "surrogatepass")[:_NAME_BYTES]


def _port(text: str) -> int:
    if not text:
        return 5432
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise ForbiddenServerError(f"'{text[:20]}' is not a port")
    return int(text)


def _check_address(host: str, address: Address, port: int, rules: DatabaseRules) -> None:
    entries = [entry for entry in rules.allowed if _matches(entry, host, address, port)]
    if _is_own(address, port, rules):
        if not any(map(_is_explicit, entries)):
            hint = f"ask the operator of the node to add '{host}' with the port {port} to QFC_NODE_DATABASE_HOSTS"
            reason = "the node's own database is there. For another database of that server, with another login"
            raise ForbiddenServerError(f"Layers may not be in a database at '{host}': {reason}, {hint}")
        return
    is_public = address.is_global and not address.is_multicast and not address.is_reserved
    if not (is_public or entries):
        hint = "ask the operator of the node to add it to QFC_NODE_DATABASE_HOSTS"
        raise ForbiddenServerError(f"Layers may not be in a database at '{host}': {hint}")


def _is_own(address: Address, port: int, rules: DatabaseRules) -> bool:
    return any(port == number and address in ip_network(network) for network, number in rules.own_servers)


def _is_explicit(entry: str) -> bool:
    """Whether an entry is about one server, not about a network or every port of a machine."""
    found = _ENTRY.fullmatch(entry)
    return found is not None and bool(found["port"]) and "/" not in entry


def _plain(address: Address) -> Address:
    """Return the address of IPv4 in one of IPv6, if there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return address.sixtofour or address
    return address.ipv4_mapped or address


def _matches(entry: str, host: str, address: Address, port: int) -> bool:
    found = _ENTRY.fullmatch(entry)
    if found is None or (found["port"] and int(found["port"]) != port):
        return False
    text = found["six"] or found["plain"] or found["bare"]
    try:
        return address in ip_network(text, strict=False)
    except ValueError:
        return text.lower().rstrip(".") == host.lower().rstrip(".")
