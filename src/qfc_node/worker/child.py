"""The work of a job, in a child process that has no database connection and may be killed at any moment."""

from __future__ import annotations

import errno
import logging
import os
import traceback
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.utils.module_loading import import_string

from ..core.models import JobType
from ..gis.database_rules import RULES_VARIABLE
from ..gis.own_words import OwnWords
from ..gis.port import Engine, EngineClass, GisError
from ..storage.blobs import Blob, stage_file
from ..storage.errors import is_fault_of_the_machine
from ..storage.store import blob_store
from . import secret_environment
from .folder import JobFolder
from .work import Result, SnapshotFile, StoredFile, Work, stored

logger = logging.getLogger(__name__)


class Task:
    """One job in progress: its folder, its output, and its steps so far."""

    def __init__(self, work: Work, folder: JobFolder, output: TextIO, attachment_dirs: tuple[str, ...]) -> None:
        self.work = work
        self.folder = folder
        self.steps: list[dict[str, Any]] = []
        self._output = output
        self._attachment_dirs = attachment_dirs
        self._laid_out: list[SnapshotFile] = []
        self._marks: dict[str, tuple[int, int]] = {}

    def log(self, line: str) -> None:
        """Write a line to the job's output."""
        self._output.write(f"{datetime.now(UTC):%H:%M:%S.%f} {line}\n")
        self._output.flush()

    @contextmanager
    def step(self, identifier: str, name: str) -> Generator[dict[str, Any]]:
        """Record a step and its return values, and mark it in the output as the official server does."""
        mark = uuid.uuid4()
        record: dict[str, Any] = {"id": identifier, "name": name, "stage": 1, "returns": {}}
        self.steps.append(record)
        self._output.write(f"::<<<::{mark} {name}\n")
        yield record["returns"]
        record["stage"] = 2
        self._output.write(f"::>>>::{mark} 2\n")
        self._output.flush()

    @property
    def project_file(self) -> Path:
        """The project file in the folder."""
        return self.folder.files / self.work.project_filename

    def lay_out_files(self) -> None:
        """Lay out the project's files in the job's folder."""
        with self.step("download_project_directory", "Download Project Directory"):
            self._laid_out = self.folder.lay_out_files(self.work, blob_store(), self._attachment_dirs)
            for file in self._laid_out:
                self._marks[file.name] = _mark(self.folder.files / file.name)
            self.log(f"Laid out {len(self._laid_out)} of {len(self.work.files)} files.")

    def store(self, name: str, path: Path) -> StoredFile:
        """Put a file into the blob store; an unchanged file of the project is already in it."""
        known = self._known(path)
        return stored(name, known if known is not None else _store(path))

    def _known(self, path: Path) -> Blob | None:
        for file in self._laid_out:
            if path == self.folder.files / file.name and self._marks[file.name] == _mark(path):
                return file.blob
        return None


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _store(path: Path) -> Blob:
    staged = stage_file(path)
    try:
        return blob_store().adopt(staged)
    finally:
        staged.close()


def report(task: Task, engine: Engine) -> Result:
    """Run `process_projectfile`: report the details and draw the thumbnail."""
    with task.step("project_details", "Project Details") as returns:
        found = engine.report(task.project_file, task.log)
        returns["project_details"] = found.details
    with task.step("generate_thumbnail_image", "Generate Thumbnail Image"):
        picture = task.folder.export / "thumbnail.png"
        picture.write_bytes(found.thumbnail_png)
        thumbnail = task.store("thumbnail.png", picture)
    return Result("done", details=found.details, files=(thumbnail,))


def package(task: Task, engine: Engine) -> Result:
    """Run `package`: write the files that devices download."""
    with task.step("package_project", "Package Project") as returns:
        made = engine.package(task.project_file, task.folder.export, task.log)
        returns["notes"] = list(made.notes)
    with task.step("qgis_layers_data", "QGIS Layers Data") as returns:
        returns["layers_by_id"] = made.layers_before
    with task.step("qfield_layer_data", "Packaged Layers Data") as returns:
        returns["layers_by_id"] = made.layers_after
    with task.step("upload_packaged_project", "Upload Packaged Project"):
        files = tuple(task.store(file.name, file.path) for file in made.files)
    return Result("done", files=files)


def apply(task: Task, engine: Engine) -> Result:
    """Run `delta_apply`: apply the deltas to the project's files."""
    with task.step("apply_deltas", "Apply Deltas") as returns:
        applied = engine.apply(
            task.project_file,
            task.work.deltas,
            overwrite_conflicts=task.work.overwrite_conflicts,
            known_pks=task.work.known_pks,
            log=task.log,
        )
        returns["delta_feedback"] = [outcome.feedback for outcome in applied.outcomes]
    with task.step("upload_changed_files", "Upload Changed Files"):
        files = tuple(stored(name, _store(task.folder.files / name)) for name in sorted(applied.changed_files))
    return Result("done", files=files, outcomes=tuple(asdict(outcome) for outcome in applied.outcomes))


ACTIONS: dict[str, Callable[[Task, Engine], Result]] = {
    JobType.PROCESS_PROJECTFILE: report,
    JobType.PACKAGE: package,
    JobType.DELTA_APPLY: apply,
}


def chosen_engine() -> EngineClass:
    """Return the engine that the settings name. Imported before the fork, so that every job starts fast."""
    engine: EngineClass = import_string(settings.GIS_ENGINE)
    return engine


def run(work: Work, folder: JobFolder, engine: EngineClass, attachment_dirs: tuple[str, ...]) -> Result:
    """Run the job in its folder. Errors are part of the result; nothing is raised."""
    with folder.output.open("w", encoding="utf-8", errors="backslashreplace") as output:
        task = Task(work, folder, output, attachment_dirs)
        try:
            secret_environment.set_up(work.secrets, folder.service_file, task.log)
            os.environ[RULES_VARIABLE] = work.databases.to_text()
            task.lay_out_files()
            result = ACTIONS[work.type](task, engine(folder.files))
        except BaseException as error:  # noqa: BLE001  (the process ends here; the worker needs the reason)
            result = _cleaned(_failure(error), folder)
            task.log(f"{result.error_class}: {result.error}")
    return replace(result, steps=tuple(task.steps))


def _cleaned(result: Result, folder: JobFolder) -> Result:
    """Return the result without the paths of the server."""
    words = OwnWords(folder.files, folder.export)
    return replace(result, error=words.text(result.error), error_stack=words.text(result.error_stack))


def _failure(error: BaseException) -> Result:
    if isinstance(error, GisError):
        return Result("project_error", str(error), error.error_type, type(error).__name__)
    if is_fault_of_the_machine(error):
        return Result("storage_fault", str(error), "STORAGE", type(error).__name__)
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return Result("crash", "The job needed more memory than its limit.", "OUT_OF_MEMORY", type(error).__name__)
    stack = "".join(traceback.format_exception(error))
    return Result("crash", str(error) or type(error).__name__, "UNKNOWN", type(error).__name__, stack)
