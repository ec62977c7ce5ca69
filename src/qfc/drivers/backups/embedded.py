"""An embedded stack as the source of a set."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO

from ...errors import QfcError
from ...stack.backup_set import SECRET_KEY, Reference
from ...stack.ports import BackupSource, ObjectStore, Snapshot
from ..postgres.connection import Connect
from ..runtimes.embedded import EmbeddedRuntime
from .programs import output_of
from .snapshot import snapshot_of

NODE_ENV, STATE, DATABASE_PASSWORD, DATABASE_URL = (
    "node.env",
    "state.json",
    "secrets/POSTGRES_PASSWORD",
    "secrets/database-url",
)


class EmbeddedBackupSource(BackupSource):
    """The database, the blobs, the settings and the secrets of an embedded stack."""

    def __init__(self, runtime: EmbeddedRuntime, connect: Connect, objects: ObjectStore) -> None:
        self._runtime, self._connect, self._objects = runtime, connect, objects

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        return snapshot_of(self._connect, lambda words: output_of(*self._runtime.database_command(words)))

    def open(self, reference: Reference) -> BinaryIO:
        return self._objects.get(object_key(reference.sha256))

    def release(self) -> str:
        return ""

    def configuration(self) -> Mapping[str, bytes]:
        return self._files(STATE)

    def secrets(self) -> Mapping[str, bytes]:
        """Return the secrets; the operator's own settings are among them, as they may have passwords of stores."""
        found = dict(self._files(NODE_ENV, SECRET_KEY, DATABASE_PASSWORD))
        if self._runtime.settings.database_url_file is not None:
            found[DATABASE_URL] = self._runtime.settings.database_url_file.read_bytes()
        return found

    def _files(self, *names: str) -> Mapping[str, bytes]:
        paths = {name: self._runtime.layout.folder / name for name in names}
        try:
            return {name: path.read_bytes() for name, path in paths.items() if path.exists()}
        except OSError as error:
            raise QfcError(f"{error.filename} cannot be read.", hint="Run qfc as the stack's owner.") from error


def object_key(sha256: str) -> str:
    """Return the key of an object in the node's store."""
    return f"{sha256[:2]}/{sha256}"
