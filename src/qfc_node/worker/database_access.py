"""The rules for a project's layers in databases: the owner's plan, the operator's list, the node's own server."""

from __future__ import annotations

import socket
import time
from functools import lru_cache
from ipaddress import ip_address

import psutil
from django.conf import settings

from ..core.models import Project
from ..core.quota import current_subscription
from ..gis.database_rules import DatabaseRules, resolve

#: Seconds for which the addresses of the node's own server are taken as known.
_KNOWN_S = 60
#: Addresses by which every machine reaches itself.
_HERE = ("127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128")


def rules_for(project: Project) -> DatabaseRules:
    """Return the rules for one job of the project."""
    subscription = current_subscription(project.owner_id)
    permitted = subscription is not None and subscription.plan.is_external_db_supported
    own = settings.DATABASES["default"]
    return DatabaseRules(
        permitted,
        tuple(settings.DATABASE_HOSTS),
        _own_servers(int(time.monotonic() / _KNOWN_S)),
        str(own["NAME"]),
        str(own["USER"]),
    )


@lru_cache(maxsize=1)
def _own_servers(_moment: int) -> tuple[tuple[str, int], ...]:
    """Return networks and port of the node's database server; none if it listens on a socket of this machine only."""
    own = settings.DATABASES["default"]
    host, port = str(own["HOST"]), int(own["PORT"])
    if not host or host.startswith("/"):
        return ()
    try:
        found = resolve(host, port)
    except OSError:
        return ()
    here = own_addresses()
    is_here = any(address in here or ip_address(address).is_loopback for address in found)
    return tuple((network, port) for network in (*found, *((*here, *_HERE) if is_here else ())))


def own_addresses() -> tuple[str, ...]:
    """Return the addresses of this machine's interfaces."""
    families = (socket.AF_INET, socket.AF_INET6)
    found = (entry for entries in psutil.net_if_addrs().values() for entry in entries if entry.family in families)
    return tuple(dict.fromkeys(entry.address.partition("%")[0] for entry in found))
