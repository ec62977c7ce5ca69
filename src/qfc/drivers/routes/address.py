"""The addresses of a deployment's services, as seen from its host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..docker.containers import Container, PublishedPort

#: Names of the host in its containers.
HOST_NAMES = frozenset({"host.docker.internal", "gateway.docker.internal", "localhost", "127.0.0.1", "172.17.0.1"})
EVERYWHERE = frozenset({"", "0.0.0.0", "::"})
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """An address and a port that the host can reach."""

    address: str
    port: int


def places(name: str, port: int, containers: Sequence[Container]) -> Iterator[Place]:
    """Yield the places where the host reaches the service that its containers call `name`, the cheapest first."""
    own = [one for one in containers if name in (one.service, one.name)]
    if not own:
        yield Place(LOOPBACK if name in HOST_NAMES else name, port)
        return
    for container in own:
        if container.status != "running":
            continue
        yield from (Place(reachable(one.host_ip), one.host_port) for one in _published(container, port))
        yield from (Place(address, port) for address in container.addresses.values())


def _published(container: Container, port: int) -> list[PublishedPort]:
    found = {one.host_port: one for one in container.ports if one.container_port == port and ":" not in one.host_ip}
    return list(found.values())


def reachable(address: str) -> str:
    """Return the address at which the host itself reaches a port that it publishes on this address."""
    return LOOPBACK if address in EVERYWHERE else address
