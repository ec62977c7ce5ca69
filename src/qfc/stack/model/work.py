"""The work of a server: jobs, deltas, workers, the queue as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class QueueDepth:
    """Counts of jobs that wait and run. `oldest_pending_s` is 0 when nothing waits."""

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
        """Whether the job has ended; only an operator can change it now."""
        return self in (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED)


@dataclass(frozen=True)
class Job:
    """A row of `core_job`. `project` is `owner/name`; `created_by` a user name.

    `finished_at` is the end of the work, even where the row has none (official servers leave it empty when a job
    fails); `updated_at` is the last change of its row. Official servers do not maintain that: it stays at the creation
    of the job, until the admin or one of our commands changes the row.
    `worker_id`, `attempts`, `not_before`, `lease_expires_at` and `project_locked_at` are None where the
    server's release does not store them.
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
    updated_at: datetime | None = None


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

    @property
    def is_in_doubt(self) -> bool:
        """Whether it may be in the data without a record of that, because its job was interrupted.

        An official server's own clean-up leaves no feedback in that case; ours marks the delta as `in_doubt`.
        """
        return self.status == "error" and (not self.feedback or bool(self.feedback.get("in_doubt")))


@dataclass(frozen=True)
class BoxLayer:
    """A layer that holds the jobs of a worker: `used`, `missing` on its machine, or `off` by its settings."""

    name: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Worker:
    """A worker process or container, and the job that it holds. `host` is the own name of its machine.

    `release` is the release of its code, `layers` is what holds its jobs; None where the database does not store it.
    """

    id: str
    state: str
    pid: int | None = None
    job_id: str | None = None
    since: datetime | None = None
    heartbeat_at: datetime | None = None
    memory_bytes: int | None = None
    host: str | None = None
    release: str | None = None
    layers: tuple[BoxLayer, ...] | None = None


@dataclass(frozen=True)
class Held:
    """A job as it was when its worker was found dead. A change must verify that it is still the same."""

    id: str
    status: JobStatus
    started_at: datetime | None
    worker_id: str | None


@dataclass(frozen=True)
class WaitingCounts:
    """Counts of all pending jobs by the reason why they wait; each counts once, for the first field that applies."""

    project_locked: int
    project_busy: int
    postponed: int
    claimable: int


@dataclass(frozen=True)
class Transition:
    """A job's change to a status: first seen in it at `seen_at`, last at `last_at`, by the database's clock.

    `after` is a time at which it was not in this status yet; None where it was not seen before.
    """

    job_id: str
    project_id: str
    status: JobStatus
    seen_at: datetime
    last_at: datetime
    after: datetime | None = None


@dataclass(frozen=True)
class QueueSnapshot:
    """The queue at one moment, read in one transaction.

    `active` are the queued and started jobs, `pending` the waiting ones, oldest first; both are bounded, `depth` and
    `counts` are not. `workers` is None when the database keeps no list of workers (official servers). `seen` does not
    come from the database: it has the transitions of jobs to their present status, by job id, from earlier snapshots.
    """

    at: datetime
    depth: QueueDepth
    counts: WaitingCounts
    active: tuple[Job, ...]
    pending: tuple[Job, ...]
    workers: tuple[Worker, ...] | None
    seen: Mapping[str, Transition] = field(default_factory=dict[str, Transition])


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
    """The result of a change. `jobs` are the ids changed or created, `deltas` the ids that wait again."""

    jobs: tuple[str, ...] = ()
    deltas: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Released:
    """The result for jobs whose workers died. `deltas` wait again; `doubtful` ones may be in the data already."""

    requeued: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    deltas: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
