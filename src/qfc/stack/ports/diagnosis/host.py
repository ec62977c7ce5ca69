"""The host of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...model import DiskPart, Inodes, TemporaryFolder


class HostInspection(Protocol):
    """Disks, clock, and what jobs left on the host."""

    def logs(self) -> tuple[DiskPart, ...]:
        """Return the logs of containers; what may not be measured has no bytes."""
        ...

    def inodes(self) -> tuple[Inodes, ...]:
        """Return how many files the file systems of the deployment can hold; those without a limit are left out."""
        ...

    def clock_offset_s(self) -> float:
        """Return by how many seconds the host's clock is ahead of this machine's."""
        ...

    def temporary_folders(self) -> tuple[TemporaryFolder, ...]:
        """Return the folders that jobs left where workers share files with the host; none where they do not."""
        ...

    def remove_folders(self, paths: Sequence[str]) -> None:
        """Remove folders of `temporary_folders` with all that is in them. Raises RefusedError for any other."""
        ...
