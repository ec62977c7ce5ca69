"""What a stack is made of: immutable snapshots, as observed at one moment.

Times are aware datetimes, durations seconds, sizes bytes. `None` means that the value is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What runs the services of a stack."""

    EMBEDDED = "embedded"
    COMPOSE = "compose"
    SWARM = "swarm"


class Verdict(StrEnum):
    """How something is. `UNKNOWN` means that it could not be looked at; it is never taken for `OK`."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class ServiceState(StrEnum):
    """What a service or an instance of it is doing."""

    RUNNING = "running"
    STOPPED = "stopped"
    RESTARTING = "restarting"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What a service's own check says."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Instance:
    """One process or container of a service."""

    id: str
    state: ServiceState
    pid: int | None = None
    uptime_s: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    restarts: int | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Service:
    """A service as it is and as it should be."""

    name: str
    state: ServiceState
    health: Health
    wanted: int
    instances: tuple[Instance, ...] = ()

    @property
    def running(self) -> int:
        """How many instances run."""
        return sum(instance.state is ServiceState.RUNNING for instance in self.instances)


@dataclass(frozen=True)
class Disk:
    """Space on the file system that holds the stack's data."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class QueueDepth:
    """How many jobs wait and run. `oldest_pending_s` is 0 when nothing waits."""

    pending: int
    queued: int
    started: int
    oldest_pending_s: float


class JobStatus(StrEnum):
    """Values of `core_job.status`."""

    PENDING = "pending"
    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the job by itself."""
        return self in (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED)


@dataclass(frozen=True)
class Job:
    """A row of `core_job`. `project` is `owner/name`; `created_by` a user name.

    `finished_at` is the end of the work where the row itself has none (official servers leave it empty when a job
    fails). `worker_id`, `attempts`, `not_before`, `lease_expires_at` and `project_locked_at` are None where the
    server's release does not keep them.
    """

    id: str
    type: str
    status: JobStatus
    project_id: str
    project: str
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker_id: str | None = None
    attempts: int | None = None
    not_before: datetime | None = None
    lease_expires_at: datetime | None = None
    project_locked_at: datetime | None = None
    output: str | None = None
    feedback: dict[str, Any] | None = None


@dataclass(frozen=True)
class Delta:
    """A row of `core_delta`. `project` is `owner/name`."""

    id: str
    deltafile_id: str
    project_id: str
    project: str
    status: str
    method: str
    layer_id: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    modified_pk: str | None = None
    feedback: dict[str, Any] | None = None
    content: dict[str, Any] | None = None


@dataclass(frozen=True)
class Worker:
    """A worker process or container, and the job that it holds."""

    id: str
    state: str
    pid: int | None = None
    job_id: str | None = None
    since: datetime | None = None
    heartbeat_at: datetime | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class WaitingCounts:
    """All pending jobs by what holds them back; each is counted once, in the order of these fields."""

    project_locked: int
    project_busy: int
    postponed: int
    claimable: int


@dataclass(frozen=True)
class QueueSnapshot:
    """The queue at one moment, read in one transaction.

    `active` are jobs that somebody holds, `pending` the oldest ones that wait, oldest first; both are bounded, `depth`
    and `counts` are not. `workers` is None when the database keeps no list of them (official servers).
    """

    at: datetime
    depth: QueueDepth
    counts: WaitingCounts
    active: tuple[Job, ...]
    pending: tuple[Job, ...]
    workers: tuple[Worker, ...] | None


@dataclass(frozen=True)
class Durations:
    """Percentiles in seconds; None when nothing was measured."""

    p50: float | None
    p95: float | None
    max: float | None


@dataclass(frozen=True)
class JobStatistics:
    """Jobs that ended in a period. `run` is start to end, `wait` creation to start, of the newest `sample` finished."""

    finished: int
    failed: int
    stopped: int
    run: Durations
    wait: Durations
    sample: int


@dataclass(frozen=True)
class Refusal:
    """Why one row was left as it is."""

    id: str
    reason: str


@dataclass(frozen=True)
class QueueChange:
    """What was really changed. `jobs` are the ids changed or made, `deltas` the ids that wait again."""

    jobs: tuple[str, ...] = ()
    deltas: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class User:
    """A row of `core_user`, with what its files take and may take. Sizes in bytes."""

    username: str
    email: str
    type: str
    is_superuser: bool
    is_active: bool
    last_login: datetime | None
    storage_used_bytes: int
    storage_quota_bytes: int | None


@dataclass(frozen=True)
class Project:
    """A row of `core_project` with sums over its files. `status` is ok, busy or failed.

    `files` is None where the release keeps no file names in its database. `size_bytes` counts all versions.
    """

    id: str
    name: str
    owner: str
    status: str
    files: int | None
    size_bytes: int
    data_last_updated_at: datetime | None
    data_last_packaged_at: datetime | None
    problem: str | None = None
    locked_at: datetime | None = None


@dataclass(frozen=True)
class LogLine:
    """A line of a service's log. `time` is None when the line carries none."""

    service: str
    instance: str
    time: datetime | None
    level: str
    text: str
    job_id: str | None = None


@dataclass(frozen=True)
class Holder:
    """Who holds a stack's lock. `process_started` (seconds since 1970) tells a reused pid from the holder's."""

    user: str
    host: str
    pid: int
    process_started: float
    since: datetime
    reason: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (pid {self.pid})"


@dataclass(frozen=True)
class AuditEntry:
    """One thing that was done to a stack. `result` begins with done, failed, refused, partly done or interrupted."""

    time: datetime
    who: str
    command: str
    target: str
    result: str
    seconds: float


@dataclass(frozen=True)
class ApiAnswer:
    """What the stack's HTTP API answered."""

    status: int
    seconds: float
    content: bytes


@dataclass(frozen=True)
class CommandResult:
    """What an external command left behind."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class DatabaseStatus:
    """The database of a stack. `lag` of migrations: names known to the application and not applied."""

    version: str
    size_bytes: int
    connections: int
    max_connections: int
    tables: tuple[tuple[str, int | None, int], ...] = field(default=())  # name, rows (estimate), bytes
    unapplied_migrations: tuple[str, ...] | None = None
