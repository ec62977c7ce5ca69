"""The host of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model import DiskPart, Inodes, TemporaryFolder


class HostInspection(Protocol):
    """Disks, clock, and leftovers of jobs on the host."""

    def logs(self) -> tuple[DiskPart, ...]:
        """Return the logs of containers; `bytes` is None for one that we are not allowed to measure."""
        ...

    def inodes(self) -> tuple[Inodes, ...]:
        """Return the inodes of the deployment's file systems, except file systems without a limit."""
        ...

    def clock_offset_s(self) -> float:
        """Return the seconds by which the host's clock is ahead of this machine's clock."""
        ...

    def temporary_folders(self) -> tuple[TemporaryFolder, ...]:
        """Return the folders that jobs left where workers share files with the host; none where they share none."""
        ...

    def remove_folders(self, paths: Sequence[str]) -> None:
        """Remove folders of `temporary_folders` with their content. Raises RefusedError for any other folder."""
        ...
