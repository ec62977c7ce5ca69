"""What operations need of the outside world. Drivers implement these; `qfc.drivers.memory` has an honest twin of each.

Every method raises `UnreachableError` when the other side cannot be reached, and never answers from a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from io import BufferedReader, BufferedWriter
from pathlib import Path, PurePath
from typing import BinaryIO, Protocol

from .model import (
    ApiAnswer,
    AuditEntry,
    CommandResult,
    DatabaseStatus,
    Delta,
    Disk,
    Holder,
    Job,
    JobStatistics,
    JobStatus,
    Kind,
    LogLine,
    Project,
    QueueChange,
    QueueDepth,
    QueueSnapshot,
    Service,
    User,
    Worker,
)


class Clock(Protocol):
    """The time, and waiting."""

    def now(self) -> datetime:
        """Return the time now, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Host(Protocol):
    """Where commands run and files lie."""

    name: str

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command to its end. Raises CommandError when `check` and the exit code is not 0."""
        ...

    def read_bytes(self, path: PurePath) -> bytes:
        """Return a file's content. Raises NotFoundError."""
        ...

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        """Replace a file's content atomically; the file never exists with wider rights than `mode`."""
        ...

    def disk(self, path: PurePath) -> Disk:
        """Return the space of the file system that holds the path."""
        ...


class Process(Protocol):
    """A running command that is talked with."""

    stdin: BufferedWriter
    stdout: BufferedReader

    def finish(self, *, check: bool = True) -> CommandResult:
        """Close the input, drop what was not read, wait for the end. Raises CommandError as `Host.run` does."""
        ...


class Streams(Protocol):
    """What else a host can do with commands: pass bytes of any size and value, a piece at a time."""

    def stream(
        self,
        argv: Sequence[str],
        *,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command like `Host.run`, with files for its input and its output."""
        ...

    def start(
        self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Process]:
        """Run a command and talk with it; it ends with the block."""
        ...

    def attach(self, argv: Sequence[str]) -> CommandResult:
        """Run a command on the operator's terminal. Raises CommandError when its exit code is not 0."""
        ...

    def forward(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Give an address and a port of this machine that lead to those which the host reaches."""
        ...

    def close(self) -> None:
        """Close what is open towards the host; the next use opens it again."""
        ...


class Machine(Host, Streams, Protocol):
    """A host whose commands may also be talked with."""


class Runtime(Protocol):
    """What runs the services of a stack."""

    def services(self) -> tuple[Service, ...]:
        """Return every service that the stack should have, running or not."""
        ...

    def start(self, names: Sequence[str]) -> None:
        """Start services and wait until each one is ready; no names means all. Starting twice is harmless."""
        ...

    def stop(self, names: Sequence[str], *, now: bool = False) -> None:
        """Stop services; workers finish what they hold unless `now`; no names means all."""
        ...

    def scale(self, name: str, count: int) -> None:
        """Make a service have that many instances; the ones that go finish their work first."""
        ...

    def execute(
        self,
        service: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float | None = None,
        attached: bool = False,
    ) -> CommandResult:
        """Run a command in the surroundings of a service. Raises CommandError when its exit code is not 0.

        With `attached` the command has the operator's terminal; nothing of its output is kept.
        """
        ...

    def logs(self, names: Sequence[str], *, lines: int, since: datetime | None, follow: bool) -> Iterator[LogLine]:
        """Yield the last lines of services (0: all of them), in the order of time; with `follow`, new ones too."""
        ...


class JobStore(Protocol):
    """The rows that a stack's database holds about its work. Every query is bounded."""

    def depth(self) -> QueueDepth:
        """Count what waits and runs."""
        ...

    def jobs(
        self,
        *,
        statuses: Sequence[JobStatus] = (),
        project_id: str | None = None,
        type: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Job, ...]:
        """Return jobs, the newest first, without output and feedback."""
        ...

    def job(self, job_id: str) -> Job:
        """Return one job with output and feedback. Raises NotFoundError."""
        ...

    def deltas(
        self,
        *,
        statuses: Sequence[str] = (),
        project_id: str | None = None,
        job_id: str | None = None,
        limit: int = 50,
    ) -> tuple[Delta, ...]:
        """Return deltas in the order of arrival."""
        ...

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers that the database knows to live."""
        ...

    def reset_jobs(self, job_ids: Sequence[str], *, allowed: Sequence[JobStatus], to: JobStatus) -> tuple[str, ...]:
        """Change the status of jobs that have one of the allowed ones, under a row lock; return the ids changed."""
        ...


class JobHistory(Protocol):
    """What became of jobs and deltas."""

    def ended(self, *, since: datetime, statuses: Sequence[JobStatus] = (), limit: int = 50) -> tuple[Job, ...]:
        """Return jobs that ended since then, the last one first.

        Those that did not finish have the end of their output, and of their feedback only what describes the error.
        """
        ...

    def statistics(self, *, since: datetime) -> JobStatistics:
        """Count and measure the jobs that ended since then."""
        ...

    def delta(self, delta_id: str) -> Delta:
        """Return one delta with content and feedback. Raises NotFoundError."""
        ...


class Queue(Protocol):
    """The queue as a whole, and what an operator may do with it.

    Every change checks the state under row locks, happens in one transaction, is announced to the workers, and reports
    what it left alone and why. With `dry_run` all of that is done and then rolled back. At most 1000 ids at a time.
    """

    def snapshot(self, *, limit: int = 200) -> QueueSnapshot:
        """Return the queue at one moment."""
        ...

    def retry(self, job_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Let failed and stopped jobs wait again, with those of their deltas that never arrived."""
        ...

    def cancel(self, job_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Stop jobs that wait or run; their deltas wait again, without a job."""
        ...

    def reapply(self, delta_ids: Sequence[str], *, dry_run: bool = False) -> QueueChange:
        """Make new apply jobs, one a project, of deltas that never arrived, in the order of their arrival."""
        ...


class QueueStore(JobStore, JobHistory, Queue, Protocol):
    """All that a stack's database says about its work, and lets do with it."""


class Directory(Protocol):
    """The people and the projects of a stack, as its database knows them."""

    def users(self, *, limit: int = 10_000) -> tuple[User, ...]:
        """Return accounts of people and organizations, in the order of names."""
        ...

    def projects(self, *, limit: int = 1000) -> tuple[Project, ...]:
        """Return projects, the most recently changed first."""
        ...

    def project(self, name: str) -> Project:
        """Return a project by its id or by `owner/name`. Raises NotFoundError."""
        ...

    def set_active(self, username: str, active: bool) -> int:
        """Let a person log in, or not and end all tokens; return the number of tokens ended. Raises NotFoundError."""
        ...

    def database(self) -> DatabaseStatus:
        """Return facts about the database itself."""
        ...


class ObjectStore(Protocol):
    """Where the bytes of files are."""

    def put(self, key: str, content: BinaryIO) -> int:
        """Store bytes under a key, all or nothing; return their number."""
        ...

    def get(self, key: str) -> BinaryIO:
        """Open the bytes of a key. Raises NotFoundError."""
        ...

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (key, size in bytes) of everything stored under a prefix, in the order of keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove a key; removing what is not there is harmless."""
        ...


class Api(Protocol):
    """The stack's HTTP API, as its clients reach it."""

    @property
    def url(self) -> str:
        """Return the address of the server, without a slash at its end."""
        ...

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        """Answer a GET, whatever its status. Raises UnreachableError when nobody answers in time."""
        ...


class Footprint(Protocol):
    """What a stack takes on the disk."""

    def parts(self) -> tuple[tuple[str, int], ...]:
        """Return names of parts of the stack and their sizes in bytes."""
        ...


class Lock(Protocol):
    """Lets one operator at a time change a stack."""

    def identity(self) -> str:
        """Return who this process works for, as user@host."""
        ...

    def take(self, reason: str) -> Holder:
        """Take the lock, from a dead holder too. Raises LockHeldError with who, what and since when."""
        ...

    def release(self) -> None:
        """Give the lock back; giving back what this process does not hold is harmless."""
        ...

    def holder(self) -> Holder | None:
        """Return who holds the lock and lives."""
        ...


class AuditLog(Protocol):
    """What was done to a stack, by whom, with which result."""

    def append(self, entry: AuditEntry) -> None:
        """Write one line, for good."""
        ...

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return the last entries, the newest first."""
        ...


class Ports(Protocol):
    """Everything that an operation may use of one stack. A port is made when it is first asked for."""

    @property
    def name(self) -> str:
        """Name of the stack in the configuration."""
        ...

    @property
    def kind(self) -> Kind:
        """What runs the stack's services."""
        ...

    @property
    def folder(self) -> Path:
        """Folder of the stack on its host: data of an embedded stack; lock, audit and history of every stack."""
        ...

    @property
    def clock(self) -> Clock: ...
    @property
    def host(self) -> Host: ...
    @property
    def runtime(self) -> Runtime: ...
    @property
    def jobs(self) -> QueueStore: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def objects(self) -> ObjectStore: ...
    @property
    def api(self) -> Api: ...
    @property
    def footprint(self) -> Footprint: ...
    @property
    def lock(self) -> Lock: ...
    @property
    def audit(self) -> AuditLog: ...

    def close(self) -> None:
        """Close what the ports hold open."""
        ...
