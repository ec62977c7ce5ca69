"""Plans for changes to jobs and deltas: locked rows in, a plan out, which the drivers carry out. Pure.

- Only failed and stopped jobs are retried; only waiting and running jobs are cancelled.
- An applied delta is never applied again, and a delta that waits in an open job is not put into a second one.
- Deltas keep the order of their arrival; see also `queue_order`.
- A job whose worker died is requeued, unless its deltas may be in the data already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .model import Held, JobStatus, Refusal

RETRYABLE = (JobStatus.FAILED, JobStatus.STOPPED)
CANCELLABLE = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)
#: Statuses of deltas that a retry leaves alone: in the data already, or set aside by a user.
SETTLED = ("applied", "ignored")
#: Changes to more rows than this are refused; the operator splits them into several steps.
BULK_LIMIT = 1000
#: The most deltas that an official server applies in one job.
DELTAS_PER_JOB = 1000


@dataclass(frozen=True)
class LockedJob:
    """A locked row of a job."""

    id: str
    status: JobStatus
    type: str
    project_id: str
    created_at: datetime
    started_at: datetime | None = None
    worker_id: str | None = None


@dataclass(frozen=True)
class LockedDelta:
    """A locked row of a delta. `job_id` is the job that the change is about, `open_job_id` another open job with it."""

    delta_id: str
    project_id: str
    status: str
    created_at: datetime
    job_id: str | None = None
    open_job_id: str | None = None


@dataclass(frozen=True)
class RetryPlan:
    """Jobs that go back to pending, and the deltas that go back with them."""

    jobs: tuple[str, ...]
    parts: tuple[LockedDelta, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class CancelPlan:
    """Jobs that are stopped, and the ids of the deltas that wait again."""

    jobs: tuple[str, ...]
    deltas: tuple[str, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class ReleasePlan:
    """Jobs that are requeued with their deltas (`parts`), and jobs that fail because their deltas are in doubt."""

    requeued: tuple[str, ...]
    failed: tuple[str, ...]
    parts: tuple[LockedDelta, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class ReapplyPlan:
    """One tuple of deltas per new job, each of a single project and in order of arrival."""

    batches: tuple[tuple[LockedDelta, ...], ...]
    refused: tuple[Refusal, ...]


def plan_retry(
    asked: Sequence[str],
    jobs: Iterable[LockedJob],
    parts: Iterable[LockedDelta],
    *,
    skips_settled: bool,
    doubtful: Collection[str] = (),
) -> RetryPlan:
    """Decide which jobs are retried.

    `skips_settled`: the server's workers skip the settled deltas of a job. Official workers apply all of them, so a job
    with some settled deltas must not run again there. `doubtful` are the ids of deltas that may be in the data already.
    """
    found = {job.id: job for job in jobs}
    by_job = _by_job(parts)
    taken: dict[str, LockedDelta] = {}
    chosen: list[str] = []
    refused = _unknown(asked, found)
    for job in sorted(found.values(), key=lambda job: (job.created_at, job.id)):
        own = by_job.get(job.id, [])
        free = [part for part in own if _is_free(part) and part.delta_id not in taken]
        reason = _no_retry(job, own, free, skips_settled) or _in_doubt(free, doubtful)
        if reason:
            refused.append(Refusal(job.id, reason))
        else:
            chosen.append(job.id)
            taken |= {part.delta_id: part for part in free}
    return RetryPlan(tuple(chosen), tuple(taken.values()), tuple(refused))


def plan_cancel(
    asked: Sequence[str],
    jobs: Iterable[LockedJob],
    parts: Iterable[LockedDelta],
    *,
    stops_running: bool,
    only_waiting: bool = False,
) -> CancelPlan:
    """Decide which jobs are stopped. `stops_running`: the server's workers notice that their job was cancelled.

    `only_waiting`: jobs that a worker has picked up meanwhile are left alone.
    """
    found = {job.id: job for job in jobs}
    refused = _unknown(asked, found)
    chosen: list[str] = []
    for job in found.values():
        reason = _no_cancel(job, stops_running, only_waiting)
        if reason:
            refused.append(Refusal(job.id, reason))
        else:
            chosen.append(job.id)
    waiting = dict.fromkeys(
        part.delta_id
        for part in parts
        if part.job_id in chosen and part.status in ("pending", "started") and part.open_job_id is None
    )
    return CancelPlan(tuple(chosen), tuple(waiting), tuple(refused))


def plan_release(
    asked: Sequence[Held],
    jobs: Iterable[LockedJob],
    parts: Iterable[LockedDelta],
    *,
    with_effect: Iterable[str],
    skips_settled: bool,
) -> ReleasePlan:
    """Decide which jobs of dead workers are requeued, and which fail.

    `with_effect` are the jobs that may have begun to change files or databases, as far as can be seen. A package or
    process_projectfile job can always run again; field edits cannot, where they may be in the data.
    """
    found, by_job, changed = {job.id: job for job in jobs}, _by_job(parts), frozenset(with_effect)
    requeued: list[str] = []
    failed: list[str] = []
    refused = _unknown([held.id for held in asked], found)
    for held in asked:
        job = found.get(held.id)
        if job is None:
            continue
        if (job.status, job.started_at, job.worker_id) != (held.status, held.started_at, held.worker_id):
            refused.append(Refusal(job.id, "It has changed since qfc read it."))
        elif _may_be_in_the_data(job, by_job.get(job.id, []), changed, skips_settled):
            failed.append(job.id)
        else:
            requeued.append(job.id)
    waiting = tuple(part for name in requeued for part in by_job.get(name, []) if _is_free(part))
    return ReleasePlan(tuple(requeued), tuple(failed), waiting, tuple(refused))


def _may_be_in_the_data(
    job: LockedJob, own: Sequence[LockedDelta], changed: frozenset[str], skips_settled: bool
) -> bool:
    """Return whether deltas of a job may have been applied without a record of it."""
    if job.type != "delta_apply" or skips_settled:
        return False
    begun = job.status is JobStatus.STARTED and job.id in changed
    return begun or not all(_is_free(part) for part in own)


def plan_reapply(asked: Sequence[str], deltas: Iterable[LockedDelta]) -> ReapplyPlan:
    """Decide which deltas are applied again, and in which jobs."""
    found = {delta.delta_id: delta for delta in deltas}
    refused = _unknown(asked, found)
    projects: dict[str, list[LockedDelta]] = {}
    for delta in sorted(found.values(), key=lambda delta: (delta.created_at, delta.delta_id)):
        if delta.status == "applied":
            refused.append(Refusal(delta.delta_id, "It is already applied."))
        elif delta.open_job_id is not None:
            refused.append(Refusal(delta.delta_id, f"It is waiting in job {delta.open_job_id}."))
        else:
            projects.setdefault(delta.project_id, []).append(delta)
    batches = [
        tuple(chosen[start : start + DELTAS_PER_JOB])
        for chosen in projects.values()
        for start in range(0, len(chosen), DELTAS_PER_JOB)
    ]
    return ReapplyPlan(tuple(batches), tuple(refused))


def _is_free(part: LockedDelta) -> bool:
    return part.status not in SETTLED and part.open_job_id is None


def _no_retry(
    job: LockedJob, own: Sequence[LockedDelta], free: Sequence[LockedDelta], skips_settled: bool
) -> str | None:
    """Return why a job cannot be retried; None where it can."""
    if job.status not in RETRYABLE:
        return f"It is {job.status}; only failed and stopped jobs can be retried."
    if job.type != "delta_apply":
        return None
    if not free:
        return "None of its edits is left to apply: they are applied, ignored, or in another job."
    if len(free) < len(own) and not skips_settled:
        return f"Only {len(free)} of its {len(own)} edits are left to apply. Type: qfc deltas reapply --job {job.id}"
    return None


def _in_doubt(free: Sequence[LockedDelta], doubtful: Collection[str]) -> str | None:
    """Return why deltas cannot be applied again with their job; None where they can."""
    found = [part.delta_id for part in free if part.delta_id in doubtful]
    if not found:
        return None
    return f"{len(found)} of its edits may be in the data already. Compare, then type: qfc deltas reapply {found[0]}"


def _no_cancel(job: LockedJob, stops_running: bool, only_waiting: bool) -> str | None:
    """Return why a job cannot be cancelled; None where it can."""
    if job.status not in CANCELLABLE or (only_waiting and job.status is not JobStatus.PENDING):
        return f"It is already {job.status}."
    if job.status is not JobStatus.PENDING and not stops_running:
        return "It is running, and workers of this server cannot stop a job: its edits might be applied anyway."
    return None


def _unknown(asked: Sequence[str], found: Mapping[str, object]) -> list[Refusal]:
    return [Refusal(name, "It does not exist.") for name in dict.fromkeys(asked) if name not in found]


def _by_job(parts: Iterable[LockedDelta]) -> dict[str, list[LockedDelta]]:
    by_job: dict[str, list[LockedDelta]] = {}
    for part in parts:
        by_job.setdefault(part.job_id or "", []).append(part)
    return by_job
