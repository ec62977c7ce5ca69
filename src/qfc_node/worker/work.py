"""The input and the result of a job, as plain values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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
    """Everything that a job needs, read from the database."""

    job_id: uuid.UUID
    type: str
    project_id: uuid.UUID
    project_filename: str
    files: tuple[SnapshotFile, ...]
    deltas: tuple[Delta, ...] = ()
    overwrite_conflicts: bool = False
    secrets: tuple[SealedSecret, ...] = ()
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
    """The result of a job, as it is stored."""

    kind: ResultKind
    error: str = ""
    error_type: str = ""
    error_class: str = ""
    error_stack: str = ""
    steps: tuple[dict[str, Any], ...] = ()
    files: tuple[StoredFile, ...] = ()
    details: dict[str, Any] | None = None
    outcomes: tuple[dict[str, Any], ...] = ()
