"""One job, from its files in a folder to its results in the store. The worker's thread keeps the lease meanwhile."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.conf import settings

from ..box.limits import Limits
from ..box.transcript import Transcript
from ..box.work import EXPORT, FILES, Answer, JobInput, MadeFile, Secrets
from ..core.models import JobType
from ..gis.port import GisError
from ..storage.blobs import Blob, stage_stream
from ..storage.store import blob_store
from . import secret_environment
from .answers import ERRORS_LIMIT, OUTPUT_LIMIT, as_permitted, read_answer, read_output
from .background import Background
from .folder import Check, JobFolder, no_check
from .fork_server import ForkServer, ForkServers, as_input
from .preparation import Prepared
from .process import JobProcess
from .safe_files import UnsafeFileError, open_within, read_within
from .work import Result, ResultKind, SnapshotFile, StoredFile, Work, stored

Value = TypeVar("Value")
logger = logging.getLogger(__name__)

ERRORS = "errors.log"
#: The step in which the files of a successful job are stored, by the type of the job.
STORING = {
    JobType.PACKAGE: ("upload_packaged_project", "Upload Packaged Project"),
    JobType.DELTA_APPLY: ("upload_changed_files", "Upload Changed Files"),
}
#: Bytes of a project that are laid out at once.
QUICK_BYTES = 8_000_000
#: Files that are stored at a time: each waits for the disk.
STORED_AT_ONCE = 4
#: Seconds of a processor that a job may use beyond its time, before the kernel ends it: the worker should be first.
CPU_RESERVE_S = 60


class Waitable(Protocol):
    """Something that ends: then `descriptor` becomes readable."""

    @property
    def descriptor(self) -> int:
        """The descriptor to wait for."""
        ...

    def ended(self) -> bool:
        """Whether it has ended."""
        ...


#: Waits for the end of something while it keeps the lease.
Keep = Callable[[Waitable], None]


@dataclass(frozen=True)
class Done:
    """A job that has run: its result, its output, the exit code of its process."""

    result: Result
    output: str
    exit_code: int | None


class NetworkMissingError(Exception):
    """The project has layers in databases elsewhere, and the job ran without a network."""


class JobRun:
    """One attempt at a job, in a folder that the caller removes."""

    def __init__(self, prepared: Prepared, folder: JobFolder, servers: ForkServers, keep: Keep) -> None:
        self._prepared = prepared
        self._work: Work = prepared.work
        self._folder = folder
        self._servers = servers
        self._keep = keep
        self._text = io.StringIO()
        self._transcript = Transcript(self._text)

    def do(self, *, network: bool) -> Done:
        """Run the job. Raises NetworkMissingError, StorageError, and what `keep` raises."""
        server = self._servers.get(network=network)
        ready = server.ready if server.is_ready else self._in_background(lambda _: server.ready)
        self._folder.account = ready.account
        self._lay_out()
        process: JobProcess | None = None
        try:
            given = self._given(network)
        except GisError as error:
            answer = Answer("project_error", str(error), error.error_type, type(error).__name__)
        else:
            process = self._run_process(server, given)
            answer = read_answer(process, self._folder.path, {delta.id for delta in self._work.deltas})
        text = self._take_text() + read_output(self._folder.path)
        result = self._result(answer)
        output = (text + self._take_text())[-OUTPUT_LIMIT:]
        return Done(result, output, process.exit_code if process else None)

    def _lay_out(self) -> None:
        with self._transcript.step("download_project_directory", "Download Project Directory"):
            fill = self._fill_folder
            laid_out = fill(no_check) if self._is_quick else self._in_background(fill)
            self._transcript.log(f"Laid out {len(laid_out)} of {len(self._work.files)} files.")

    @property
    def _is_quick(self) -> bool:
        """Whether the files are here and take no time to copy: then a thread takes longer than it saves."""
        blobs = [file.blob for file in self._work.files]
        is_here = all(blob_store().local_path(blob.key) for blob in blobs[:1])
        return is_here and sum(blob.size for blob in blobs) <= QUICK_BYTES

    def _fill_folder(self, check: Check) -> list[SnapshotFile]:
        folder = self._folder
        folder.make()
        laid_out = folder.lay_out_files(self._work, blob_store(), self._prepared.attachment_dirs, check)
        folder.output.touch()
        folder.give_away()
        return laid_out

    def _given(self, network: bool) -> JobInput:
        """Return the input of the process. A job without a network has no use for secrets. Raises GisError."""
        work = self._work
        return JobInput(
            type=work.type,
            project_filename=work.project_filename,
            deltas=work.deltas,
            overwrite_conflicts=work.overwrite_conflicts,
            known_pks=tuple((*names, pk) for names, pk in work.known_pks.items()),
            databases=work.databases.to_text(),
            secrets=secret_environment.opened(work.secrets, self._transcript.log) if network else Secrets(),
        )

    def _run_process(self, server: ForkServer, given: JobInput) -> JobProcess:
        process = self._start(server, given)
        try:
            self._keep(process)
        finally:
            process.kill()
        errors = read_within(self._folder.path, ERRORS, ERRORS_LIMIT)
        if errors:
            text = errors.decode("utf-8", "replace")
            logger.warning("the job's process printed: %s", text, extra={"job_id": self._work.job_id})
        return process

    def _start(self, server: ForkServer, given: JobInput) -> JobProcess:
        limits = Limits(
            memory_bytes=settings.WORKER_MEMORY_LIMIT,
            file_bytes=settings.UPLOAD_MAX_BYTES,
            cpu_s=settings.WORKER_TIMEOUT_S + CPU_RESERVE_S,
        )
        folder = self._folder.path
        errors = os.open(folder / ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        content = as_input(given.encoded())
        try:
            return server.start_job(folder, limits, content, errors)
        finally:
            os.close(content)
            os.close(errors)

    def _result(self, answer: Answer) -> Result:
        answer = as_permitted(answer, self._work.databases)
        before = tuple(self._transcript.steps)
        files: tuple[StoredFile, ...] = ()
        if answer.kind == "done":
            try:
                files = self._store_all(answer)
            except UnsafeFileError as error:
                answer = Answer("crash", f"The job's results cannot be used: {error}.", "CRASH")
        after = self._transcript.steps[len(before) :]
        return Result(
            _kind(answer),
            answer.error,
            answer.error_type,
            answer.error_class,
            answer.error_stack,
            steps=(*before, *answer.steps, *after),
            files=files,
            details=answer.details,
            outcomes=answer.outcomes,
        )

    def _store_all(self, answer: Answer) -> tuple[StoredFile, ...]:
        """Store the files of the job, in the background. Raises StorageError, UnsafeFileError."""
        step = STORING.get(JobType(self._work.type))
        if step is None:
            return self._stored(answer.files)
        with self._transcript.step(*step):
            return self._stored(answer.files)

    def _stored(self, files: tuple[MadeFile, ...]) -> tuple[StoredFile, ...]:
        may_be_unchanged = self._work.type != JobType.DELTA_APPLY

        def store_all(check: Check) -> tuple[StoredFile, ...]:
            def store(file: MadeFile) -> StoredFile:
                return stored(file.name, _store(file, self._folder, check, may_be_unchanged))

            with ThreadPoolExecutor(STORED_AT_ONCE) as pool:
                return tuple(pool.map(store, files))

        return self._in_background(store_all)

    def _in_background(self, work: Callable[[Check], Value]) -> Value:
        background = Background(work)
        try:
            self._keep(background)
            return background.result()
        finally:
            background.close()

    def _take_text(self) -> str:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text


def _kind(answer: Answer) -> ResultKind:
    """Return the kind of the job's result. Raises NetworkMissingError."""
    if answer.kind == "needs_network":
        raise NetworkMissingError
    return answer.kind


def _store(file: MadeFile, folder: JobFolder, check: Check, may_be_unchanged: bool) -> Blob:
    """Put a file into the store; an unchanged file of the project is already in it."""
    root, _, name = file.path.partition("/")
    if root not in (FILES, EXPORT):
        raise UnsafeFileError(f"{file.path!r} is not among the job's results")
    known = folder.unchanged(name) if root == FILES and may_be_unchanged else None
    if known is not None:
        return known
    with open_within(folder.path, file.path) as source:
        staged = stage_stream(source, check)
    try:
        return blob_store().adopt(staged)
    finally:
        staged.close()
