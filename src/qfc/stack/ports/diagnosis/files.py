"""What rows tell of projects' files."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ...model.conditions import FileTrouble, FoundFile, Miscount, OldVersions


class FileConditions(Protocol):
    """Files of projects. None: this server keeps no rows of them, so nobody knows."""

    def with_trouble(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        """Return the files of projects that have a trouble."""
        ...

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        """Return projects whose files take other bytes than their rows say, where nothing was stored since `until`."""
        ...

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        """Return what versions that are not the newest ones take, by account, the most first."""
        ...

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        """Return files that edits announced, which arrived in that time and are in the data, and that never came."""
        ...
