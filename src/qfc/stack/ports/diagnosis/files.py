"""Problems of projects' files, as rows show them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model.conditions import FileTrouble, FoundFile, Miscount, OldVersions


class FileConditions(Protocol):
    """Files of projects. None: this server has no rows of files, so the answer is unknown."""

    def with_trouble(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        """Return the files of projects with one kind of trouble."""
        ...

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        """Return projects whose counted bytes differ from their stored bytes, and that stored nothing since `until`."""
        ...

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        """Return the number and bytes of superseded file versions by account, the largest first."""
        ...

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        """Return files that never arrived, although edits announced them.

        Only edits count that arrived between `since` and `until` and that are in the data.
        """
        ...
