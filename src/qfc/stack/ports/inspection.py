"""What a diagnosis needs of a deployment's host and nobody else gives, and the small repairs that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..model import (
    ContainerFacts,
    DiskPart,
    EngineFacts,
    Inodes,
    MailServer,
    Neighbour,
    Reached,
    StoreFacts,
    TemporaryFolder,
    Vantage,
)


class Inspection(Protocol):
    """A closer look at a deployment. It changes nothing but by its last three methods."""

    def containers(self) -> tuple[ContainerFacts, ...]:
        """Return all containers of the deployment, those of single commands and of jobs too."""
        ...

    def orphans(self) -> tuple[ContainerFacts, ...]:
        """Return the containers of services that the files do not have any more. Raises CommandError."""
        ...

    def environment(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service. It holds secrets."""
        ...

    def networks(self) -> tuple[str, ...]:
        """Return the names of the engine's networks."""
        ...

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the deployment's volumes, used or not."""
        ...

    def engine(self) -> EngineFacts:
        """Return what the engine is."""
        ...

    def stores(self) -> tuple[StoreFacts, ...]:
        """Return the stores of files that the settings name, the usual one first. Raises ConfigError."""
        ...

    def other_deployments(self) -> tuple[Neighbour, ...]:
        """Return deployments whose running workers mark their containers with the same label as those of this one."""
        ...

    def temporary_folders(self) -> tuple[TemporaryFolder, ...]:
        """Return the folders that jobs left where workers share files with the host; none where they do not."""
        ...

    def logs(self) -> tuple[DiskPart, ...]:
        """Return the logs of containers; what may not be measured has no bytes."""
        ...

    def inodes(self) -> tuple[Inodes, ...]:
        """Return how many files the file systems of the deployment can hold; those without a limit are left out."""
        ...

    def reach(self, vantage: Vantage, url: str) -> Reached:
        """Send a GET without credentials from there. Raises NotFoundError when there is nobody who could."""
        ...

    def resolves(self, name: str, vantage: Vantage) -> tuple[str, ...]:
        """Return the addresses to which a name leads there, none when it leads nowhere. Raises as `reach` does."""
        ...

    def mail_server(self, host: str, port: int, *, encrypted: bool) -> MailServer:
        """Greet a mail server from the application (EHLO), `encrypted` from the first byte; nothing is sent."""
        ...

    def clock_offset_s(self) -> float:
        """Return by how many seconds the host's clock is ahead of this machine's."""
        ...

    def keep_running(self, service: str) -> None:
        """Let the engine start a service's containers again whenever they end, until they are made anew.

        Raises NotFoundError when it has none.
        """
        ...

    def remove_containers(self, ids: Sequence[str]) -> None:
        """Remove containers of `containers`, running or not; volumes stay. Raises RefusedError for any other."""
        ...

    def remove_folders(self, paths: Sequence[str]) -> None:
        """Remove folders of `temporary_folders` with all that is in them. Raises RefusedError for any other."""
        ...
