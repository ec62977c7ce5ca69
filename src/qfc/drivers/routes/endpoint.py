"""Translates an address that a deployment's containers use into one that this machine can reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit, urlunsplit

from ...errors import QfcError, UnreachableError
from ..docker.containers import Container
from .address import HOST_NAMES, LOOPBACK, Place, places, reachable
from .forwards import Forwards

PORTS = {"http": 80, "https": 443}


def endpoint_here(url: str, forwards: Forwards, containers: Callable[[], Sequence[Container]]) -> str:
    """Return the address at which this machine reaches it: a service of the deployment, its host, or another server.

    Any other server keeps its own name, so that its certificate can be checked. Raises UnreachableError for a service
    that does not run.
    """
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 80)
    known = containers()
    own = [one for one in known if name in (one.service, one.name)]
    if not own and name not in HOST_NAMES:
        return url
    for place in _published_by(known, port) if not own else places(name, port, own):
        try:
            here = forwards.to(place)
        except UnreachableError:
            raise
        except QfcError:
            continue
        return _at(url, here)
    raise UnreachableError(f"{name} does not run.", hint=f"Type: qfc services restart --service {name}")


def _published_by(containers: Sequence[Container], port: int) -> list[Place]:
    """Return the target of a port of the host, as the host sees it: a container, or the host itself."""
    ports = [one for container in containers for one in container.ports if one.host_port == port]
    found = [Place(reachable(one.host_ip), port) for one in ports if ":" not in one.host_ip]
    return list(dict.fromkeys(found)) or [Place(LOOPBACK, port)]


def _at(url: str, here: Place) -> str:
    parts = urlsplit(url)
    address = f"[{here.address}]" if ":" in here.address else here.address
    return urlunsplit((parts.scheme, f"{address or LOOPBACK}:{here.port}", parts.path, parts.query, ""))
