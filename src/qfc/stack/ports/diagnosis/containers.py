"""The containers of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model import ContainerFacts


class ContainerInspection(Protocol):
    """The containers of a deployment, and small repairs of them."""

    def all(self) -> tuple[ContainerFacts, ...]:
        """Return all containers of the deployment, including those of single commands and of jobs."""
        ...

    def orphans(self) -> tuple[ContainerFacts, ...]:
        """Return the containers of services that the files no longer define. Raises CommandError."""
        ...

    def keep_running(self, service: str) -> None:
        """Make the engine restart a service's containers whenever they end, until they are recreated.

        Raises NotFoundError when the service has no container.
        """
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Remove containers of `all`, running or not; volumes stay. Raises RefusedError for any other container."""
        ...
