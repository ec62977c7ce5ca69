"""The work of a job, in a process that is in the box and may be killed at any moment."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from ..faults import is_machine_error
from ..gis.elsewhere import NetworkNeededError
from ..gis.port import Engine, EngineClass, GisError
from .transcript import Transcript
from .work import ANSWER, EXPORT, FILES, OUTPUT, SCRATCH, Answer, JobInput, MadeFile, Secrets

#: Where this package and `gis` are: in stacks of errors, only what is below is shown.
_CODE = str(Path(__file__).parents[2])
_LIBRARIES = str(Path(os.__file__).parent)


class Task:
    """One job in progress: its input, its folder, its transcript."""

    def __init__(self, given: JobInput, folder: Path, transcript: Transcript) -> None:
        self.given = given
        self.export = folder / EXPORT
        self.files = folder / FILES
        self.log = transcript.log
        self.step = transcript.step
        self._folder = folder

    @property
    def project_file(self) -> Path:
        """The project file in the folder."""
        return self.files / self.given.project_filename

    def made(self, name: str, path: Path) -> MadeFile:
        """Return the description of a file in the folder."""
        return MadeFile(name, path.relative_to(self._folder).as_posix())


def report(task: Task, engine: Engine) -> Answer:
    """Run `process_projectfile`: report the details and draw the thumbnail."""
    with task.step("project_details", "Project Details") as returns:
        found = engine.report(task.project_file, task.log)
        returns["project_details"] = found.details
    with task.step("generate_thumbnail_image", "Generate Thumbnail Image"):
        picture = task.export / "thumbnail.png"
        picture.write_bytes(found.thumbnail_png)
    return Answer("done", details=found.details, files=(task.made(picture.name, picture),))


def package(task: Task, engine: Engine) -> Answer:
    """Run `package`: write the files that devices download."""
    with task.step("package_project", "Package Project") as returns:
        made = engine.package(task.project_file, task.export, task.log)
        returns["notes"] = list(made.notes)
    with task.step("qgis_layers_data", "QGIS Layers Data") as returns:
        returns["layers_by_id"] = made.layers_before
    with task.step("qfield_layer_data", "Packaged Layers Data") as returns:
        returns["layers_by_id"] = made.layers_after
    return Answer("done", files=tuple(task.made(file.name, file.path) for file in made.files))


def apply(task: Task, engine: Engine) -> Answer:
    """Run `delta_apply`: apply the deltas to the project's files."""
    with task.step("apply_deltas", "Apply Deltas") as returns:
        applied = engine.apply(
            task.project_file,
            task.given.deltas,
            overwrite_conflicts=task.given.overwrite_conflicts,
            known_pks={(client, layer, local): pk for client, layer, local, pk in task.given.known_pks},
            log=task.log,
        )
        returns["delta_feedback"] = [outcome.feedback for outcome in applied.outcomes]
    files = tuple(task.made(name, task.files / name) for name in sorted(applied.changed_files))
    return Answer("done", files=files, outcomes=tuple(asdict(outcome) for outcome in applied.outcomes))


ACTIONS: dict[str, Callable[[Task, Engine], Answer]] = {
    "process_projectfile": report,
    "package": package,
    "delta_apply": apply,
}


def run(given: JobInput, folder: Path, engine: EngineClass) -> None:
    """Do the job and write its answer. Errors are part of it; nothing is raised but for a full disk and the like."""
    with (folder / OUTPUT).open("a", encoding="utf-8", errors="backslashreplace") as output:
        transcript = Transcript(output, lambda text: within(folder, text))
        try:
            _set_up(given.secrets, folder / SCRATCH)
            task = Task(given, folder, transcript)
            answer = ACTIONS[given.type](task, engine(task.files))
        except NetworkNeededError:
            answer = Answer("needs_network")
        except BaseException as error:  # noqa: BLE001  (the process ends here; the worker needs the reason)
            answer = _failure(error, folder)
            transcript.log(f"{answer.error_class}: {answer.error}")
    replace(answer, steps=tuple(transcript.steps)).write(folder / ANSWER)


def within(folder: Path, text: str) -> str:
    """Return a text that names files as the project does, and no other place of the server."""
    for place in (f"{folder}/{FILES}/", f"{folder}/", f"{_CODE}/", f"{_LIBRARIES}/"):
        text = text.replace(place, "")
    return text


def _set_up(secrets: Secrets, scratch: Path) -> None:
    """Put temporary files into the folder, and the secrets where libpq finds them."""
    os.environ["TMPDIR"] = os.environ["SQLITE_TMPDIR"] = os.environ["CPL_TMPDIR"] = tempfile.tempdir = str(scratch)
    os.environ.update(secrets.variables)
    if secrets.services:
        path = scratch / "pg_service.conf"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join(secrets.services) + "\n")
        os.environ["PGSERVICEFILE"] = str(path)


def _failure(error: BaseException, folder: Path) -> Answer:
    kind = type(error).__name__
    text = within(folder, str(error))
    if isinstance(error, GisError):
        return Answer("project_error", text, error.error_type, kind)
    if is_machine_error(error):
        return Answer("storage_fault", text, "STORAGE", kind)
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return Answer("crash", "The job needed more memory than its limit.", "OUT_OF_MEMORY", kind)
    stack = within(folder, "".join(traceback.format_exception(error)))
    return Answer("crash", text or kind, "UNKNOWN", kind, stack)
