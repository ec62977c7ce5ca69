"""The input and the result of a job, as plain values that pass between the worker and the child process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..core.json_text import is_storable, made_storable
from ..gis.database_rules import DatabaseRules
from ..gis.port import Delta
from ..storage.blobs import Blob
from .secret_environment import SealedSecret


@dataclass(frozen=True)
class SnapshotFile:
    """A file of the project as it was when the job started."""

    name: str
    version_id: uuid.UUID
    blob: Blob


@dataclass(frozen=True)
class Work:
    """Everything that the child process needs, because it has no database."""

    job_id: uuid.UUID
    type: str
    project_id: uuid.UUID
    project_filename: str
    files: tuple[SnapshotFile, ...]
    deltas: tuple[Delta, ...] = ()
    overwrite_conflicts: bool = False
    secrets: tuple[SealedSecret, ...] = ()
    databases: DatabaseRules = field(default_factory=DatabaseRules)
    known_pks: Mapping[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])


ResultKind = Literal["done", "project_error", "storage_fault", "crash"]


@dataclass(frozen=True)
class StoredFile:
    """A file that the job wrote: already in the blob store, but no row refers to it yet."""

    name: str
    sha256: str
    etag: str
    size: int

    @property
    def blob(self) -> Blob:
        """The identity of its bytes."""
        return Blob(bytes.fromhex(self.sha256), self.etag, self.size)


def stored(name: str, blob: Blob) -> StoredFile:
    """Return the description of a blob under a name."""
    return StoredFile(name, blob.sha256.hex(), blob.etag, blob.size)


@dataclass(frozen=True)
class Result:
    """The result of the child process."""

    kind: ResultKind
    error: str = ""
    error_type: str = ""
    error_class: str = ""
    error_stack: str = ""
    steps: tuple[dict[str, Any], ...] = ()
    files: tuple[StoredFile, ...] = ()
    details: dict[str, Any] | None = None
    outcomes: tuple[dict[str, Any], ...] = ()

    def write(self, path: Path) -> None:
        """Write the result atomically: the file is complete or absent."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), default=str), encoding="utf-8")
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> Result | None:
        """Read a result; None when the child left none."""
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        values = found if is_storable(found) else made_storable(found)
        values["files"] = tuple(StoredFile(**item) for item in values["files"])
        values["steps"] = tuple(values["steps"])
        values["outcomes"] = tuple(values["outcomes"])
        return cls(**values)
