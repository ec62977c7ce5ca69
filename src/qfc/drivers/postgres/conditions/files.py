"""Problems of projects' files, as rows show them."""

from __future__ import annotations

from datetime import datetime

from qfc.stack.model.conditions import FileTrouble, FoundFile, Miscount, OldVersions

from ....stack.ports.diagnosis import FileConditions
from ..connection import Database
from .reading import MOST, Reader

#: Only this many of the newest edits are searched for announced files.
MOST_EDITS = 20_000
#: The queries for files, by their kind of trouble.
TROUBLES = {
    FileTrouble.RESERVED: "conditions_files.reserved",
    FileTrouble.HIDDEN: "conditions_files.hidden",
    FileTrouble.SECOND_PROJECT: "conditions_files.second_project",
    FileTrouble.IN_DATASETS: "conditions_files.in_datasets",
    FileTrouble.TINY: "conditions_files.tiny",
}


class PostgresFiles(FileConditions):
    """Files of projects in the database."""

    def __init__(self, database: Database) -> None:
        self._reader = Reader(database)

    def with_trouble(self, trouble: FileTrouble) -> tuple[FoundFile, ...] | None:
        return self._reader.kept(FoundFile, TROUBLES[trouble], limit=MOST)

    def miscounts(self, *, until: datetime) -> tuple[Miscount, ...] | None:
        return self._reader.kept(Miscount, "conditions_files.miscounted", until=until, limit=MOST)

    def old_versions(self) -> tuple[OldVersions, ...] | None:
        return self._reader.kept(OldVersions, "conditions_files.old_versions", limit=MOST)

    def missing_attachments(self, *, since: datetime, until: datetime) -> tuple[FoundFile, ...] | None:
        bounds = {"since": since, "until": until, "most": MOST_EDITS, "limit": MOST}
        return self._reader.kept(FoundFile, "conditions_files.missing_attachments", **bounds)
