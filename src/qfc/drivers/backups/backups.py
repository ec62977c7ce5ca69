"""The backups of one stack: store, key, source, and what is recorded of drills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import BinaryIO

from ...errors import RefusedError
from ...stack.backup_health import DRILL_RECORD, BackupState, Drill
from ...stack.backup_rules import Retention
from ...stack.backup_set import DumpContent
from ...stack.ports import Backups, BackupSource, BackupStore, Ports, ProjectTarget, Records, RestoreTarget
from .dumps import read_dump
from .keys import FileBackupKeys


def no_projects() -> ProjectTarget:
    """Raise RefusedError: the projects of a deployment cannot be replaced one by one."""
    raise RefusedError(
        "One project alone comes back on embedded stacks only.",
        hint="Restore the set into an embedded stack of the same release, or restore all of it: qfc db restore --help",
    )


class StackBackups(Backups):
    """Backups of a stack. `pg_restore` returns the command that reads dumps here."""

    def __init__(
        self,
        store: BackupStore,
        keys: FileBackupKeys,
        source: Callable[[], BackupSource],
        target: Callable[[], RestoreTarget],
        scratch: Callable[[], AbstractContextManager[Ports]],
        *,
        retention: Retention,
        encryption: str,
        records: Records,
        born_at: Callable[[], datetime | None],
        pg_restore: Callable[[], Sequence[str]],
        projects: Callable[[], ProjectTarget] = no_projects,
    ) -> None:
        self._store, self._keys, self._make_source = store, keys, source
        self._source: BackupSource | None = None
        self._make_target, self._scratch, self._projects = target, scratch, projects
        self._retention, self._encryption = retention, encryption
        self._records, self._pg_restore, self._born_at = records, pg_restore, born_at

    @property
    def store(self) -> BackupStore:
        return self._store

    @property
    def keys(self) -> FileBackupKeys:
        return self._keys

    @property
    def source(self) -> BackupSource:
        if self._source is None:
            self._source = self._make_source()
        return self._source

    @property
    def target(self) -> RestoreTarget:
        return self._make_target()

    @property
    def project_target(self) -> ProjectTarget:
        return self._projects()

    @property
    def retention(self) -> Retention:
        return self._retention

    @property
    def encryption(self) -> str:
        return self._encryption

    def scratch(self) -> AbstractContextManager[Ports]:
        return self._scratch()

    def read_dump(self, write: Callable[[BinaryIO], None]) -> DumpContent:
        return read_dump(self._pg_restore(), write)

    def state(self) -> BackupState:
        manifests = self._store.manifests()
        return BackupState(
            manifests=manifests,
            verdicts=self._store.verdicts(),
            unreadable=self._store.unreadable(),
            drill=self._drill(),
            recipient=self._keys.recipient(),
            has_identity=self._keys.identity() is not None,
            period=timedelta(hours=self._retention.period_hours),
            place=self._store.place,
            born_at=None if manifests else self._born_at(),
        )

    def _drill(self) -> Drill | None:
        document = self._records.read(DRILL_RECORD)
        if document is None:
            return None
        at = datetime.fromisoformat(document["at"])
        failed = tuple(one["name"] for one in document["assertions"] if not one["ok"])
        return Drill(document["backup"], at, bool(document["ok"]), float(document["seconds"]), failed)
