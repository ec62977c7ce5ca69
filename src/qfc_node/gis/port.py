"""The interface between the worker and a GIS engine.

An engine works on a folder with the files of one project. It reads and writes only there, uses no database or network
except the databases that the project names, and may be killed at any moment: the folder is removed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Feedback = dict[str, Any]
DeltaMethod = Literal["create", "patch", "delete"]
OutcomeStatus = Literal["applied", "conflict", "not_applied", "error", "ignored"]

#: (client id, local layer id, local primary key) of a feature created on a device → its key in the source.
PkMap = Mapping[tuple[str, str, str], str]

#: Called with one line of text for the job's output.
Log = Callable[[str], None]


class GisError(Exception):
    """The project cannot be processed; the message says why, in words for the user who uploaded it."""

    #: As stored in the job's feedback (`error_type`).
    error_type = "UNKNOWN"


class InvalidProjectFileError(GisError):
    """The project file cannot be read as a QGIS project."""

    error_type = "INVALID_PROJECT_FILE"


class MissingFileError(GisError):
    """A file that the job needs is missing."""

    error_type = "FILE_NOT_FOUND"


@dataclass(frozen=True)
class ProjectReport:
    """The result of `process_projectfile`.

    `details` is `core_project.project_details`: crs, extent, background_color, qgis_version, attachment_dirs,
    data_dirs, layers_by_id, ordered_layer_ids, … as plain JSON values.
    """

    details: dict[str, Any]
    thumbnail_png: bytes


@dataclass(frozen=True)
class PackagedFile:
    """A file of a package: its name in the package (POSIX, relative) and its current path."""

    name: str
    path: Path


@dataclass(frozen=True)
class PackageReport:
    """A package. It does not contain attachments: clients download them on demand."""

    files: tuple[PackagedFile, ...]
    layers_before: dict[str, Any]
    layers_after: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delta:
    """One edit of a device. `content` is the delta as the device sent it (see docs/reference/deltas.md)."""

    id: str
    deltafile_id: str
    client_id: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class DeltaOutcome:
    """The outcome of one delta. `feedback` has the keys of `core_delta.last_feedback`."""

    delta_id: str
    status: OutcomeStatus
    feedback: Feedback
    modified_pk: str | None = None


@dataclass(frozen=True)
class ApplyReport:
    """The outcomes of the deltas, in order, and the changed files of the project (relative, POSIX)."""

    outcomes: tuple[DeltaOutcome, ...]
    changed_files: frozenset[str] = field(default_factory=frozenset[str])


class Engine(Protocol):
    """Reads, packages and edits one project. `project_file` is the .qgs or .qgz in its folder."""

    def report(self, project_file: Path, log: Log) -> ProjectReport:
        """Describe the project and draw its thumbnail. Raises GisError."""
        ...

    def package(self, project_file: Path, export_dir: Path, log: Log) -> PackageReport:
        """Write the package into `export_dir` (empty, exists). Raises GisError."""
        ...

    def apply(
        self,
        project_file: Path,
        deltas: Sequence[Delta],
        *,
        overwrite_conflicts: bool,
        known_pks: PkMap,
        log: Log,
    ) -> ApplyReport:
        """Apply the deltas in order; a bad delta is reported and never stops the others. Raises GisError."""
        ...


class EngineClass(Protocol):
    """Creates the engine for one job."""

    def __call__(self, files_root: Path) -> Engine:
        """Return an engine for the folder of all of a project's files; the project file may be in a folder below it."""
        ...
