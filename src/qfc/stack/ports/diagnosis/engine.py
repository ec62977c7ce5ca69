"""The engine that runs a deployment's containers."""

from __future__ import annotations

from typing import Protocol

from ...model import EngineFacts, Neighbour


class EngineInspection(Protocol):
    """The engine, and what it has beside containers."""

    def facts(self) -> EngineFacts:
        """Return what the engine is."""
        ...

    def networks(self) -> tuple[str, ...]:
        """Return the names of the engine's networks."""
        ...

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the deployment's volumes, used or not."""
        ...

    def other_deployments(self) -> tuple[Neighbour, ...]:
        """Return deployments whose running workers mark their containers with the same label as those of this one."""
        ...
