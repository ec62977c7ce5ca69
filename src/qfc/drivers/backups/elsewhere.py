"""Sets of another server, in a folder: their store and their key, and otherwise the backups of a stack here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO

from ...stack.backup_health import BackupState
from ...stack.backup_rules import Retention
from ...stack.backup_set import DumpContent
from ...stack.ports import BackupKeys, Backups, BackupSource, BackupStore, Ports, ProjectTarget, RestoreTarget


class SetsElsewhere(Backups):
    """The sets of a folder, for a stack that reads them. `own` are the stack's own backups."""

    def __init__(self, own: Backups, store: BackupStore, keys: BackupKeys) -> None:
        self._own, self._store, self._keys = own, store, keys

    @property
    def store(self) -> BackupStore:
        return self._store

    @property
    def keys(self) -> BackupKeys:
        return self._keys

    @property
    def source(self) -> BackupSource:
        return self._own.source

    @property
    def target(self) -> RestoreTarget:
        return self._own.target

    @property
    def project_target(self) -> ProjectTarget:
        return self._own.project_target

    @property
    def retention(self) -> Retention:
        return self._own.retention

    @property
    def encryption(self) -> str:
        return self._own.encryption

    def scratch(self) -> AbstractContextManager[Ports]:
        return self._own.scratch()

    def read_dump(self, write: Callable[[BinaryIO], None]) -> DumpContent:
        return self._own.read_dump(write)

    def state(self) -> BackupState:
        return self._own.state()
