"""The engine that runs a deployment's containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model import EngineFacts, Neighbour


class EngineInspection(Protocol):
    """The engine, its networks and its volumes."""

    def facts(self) -> EngineFacts:
        """Return version, architecture and folder of the engine, and the version of Compose."""
        ...

    def networks(self) -> tuple[str, ...]:
        """Return the names of the engine's networks."""
        ...

    def subnets(self, network: str) -> tuple[str, ...]:
        """Return the ranges of addresses of a network (172.18.0.0/16); none for a network that does not exist."""
        ...

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the deployment's volumes, used or not."""
        ...

    def other_deployments(self) -> tuple[Neighbour, ...]:
        """Return deployments whose running workers label their containers with the same value as this one's."""
        ...
