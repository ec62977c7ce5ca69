"""The containers of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...model import ContainerFacts


class ContainerInspection(Protocol):
    """The containers of a deployment, and small repairs of them."""

    def all(self) -> tuple[ContainerFacts, ...]:
        """Return all containers of the deployment, those of single commands and of jobs too."""
        ...

    def orphans(self) -> tuple[ContainerFacts, ...]:
        """Return the containers of services that the files do not have any more. Raises CommandError."""
        ...

    def keep_running(self, service: str) -> None:
        """Let the engine start a service's containers again whenever they end, until they are recreated.

        Raises NotFoundError when it has none.
        """
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Remove containers of `all`, running or not; volumes stay. Raises RefusedError for any other."""
        ...
