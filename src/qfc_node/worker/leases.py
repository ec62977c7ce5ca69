"""Claim jobs, keep them, and requeue the jobs of dead workers.

A claim writes a fencing token into the job. A worker may write the job's result only while its token is still there,
so that a worker that was wrongly believed dead can do no harm.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from ..core.json_text import storable
from ..core.models import ApplyJob, ApplyJobDelta, Delta, DeltaStatus, Job, JobStatus, JobType
from ..core.project_lock import lock_project
from .registry import GRACE_S, HELD, LOCK_CLASS, Registration

#: The longest wait of a job between two attempts after faults of the infrastructure, in seconds.
MAX_BACKOFF_S = 60
#: The most faults of a job that are counted. A store may be unreachable for days: 2 to the power of more faults does
#: not fit into a float, and their number not into a smallint. The wait reached its maximum long before.
MAX_FAULTS = 1000

#: First of the two keys of the advisory lock that one claim holds at a time.
CLAIM_LOCK_CLASS = LOCK_CLASS + 1

CLAIM = """
    update core_job
    set status = 'queued', lease_token = %(token)s, container_id = %(worker)s, attempts = attempts + 1,
        lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second'
    where id = (
        select j.id
        from core_job j
        join core_project p on p.id = j.project_id
        where j.status = 'pending'
          and (j.not_before is null  -- a clock that was set back must not make the job wait longer than intended
               or j.not_before not between clock_timestamp() and clock_timestamp() + %(wait)s * interval '1 second')
          and p.locked_at is null
          and (%(trial)s::timestamptz is null or j.created_at >= %(trial)s)
          and not exists (
              select 1 from core_job b where b.project_id = j.project_id and b.status in ('queued', 'started')
          )
          and not (j.type = 'delta_apply' and exists (  -- edits keep their order, even if a job was postponed
              select 1 from core_job b
              where b.project_id = j.project_id and b.type = 'delta_apply' and b.status = 'pending'
                and (b.created_at, b.id) < (j.created_at, j.id)
          ))
        order by j.created_at, j.id
        limit 1
        for update of j skip locked
    )
    returning id
"""

RENEW = """
    update core_job set lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second'
    where id = %(job)s and lease_token = %(token)s
"""

DEAD = f"""
    select j.id
    from core_job j
    left join node_worker w on w.id::text = j.container_id
    where j.status in ('queued', 'started')
      and clock_timestamp() not between pg_postmaster_start_time()
                                    and pg_postmaster_start_time() + %(grace)s * interval '1 second'
      and (j.lease_token is null or j.lease_expires_at < clock_timestamp() or w.id is null or not {HELD}
           or w.id = %(idle)s)
    for update of j skip locked
"""


class LeaseLostError(Exception):
    """This worker no longer holds the job: it was deleted, stopped, or given to another worker."""


@dataclass(frozen=True)
class Lease:
    """The right to run one job."""

    job_id: uuid.UUID
    token: uuid.UUID

    def renew(self) -> None:
        """Extend the lease. Raises LeaseLostError."""
        with connection.cursor() as cursor:
            cursor.execute(RENEW, {"lease": settings.LEASE_S, "job": self.job_id, "token": self.token})
            if cursor.rowcount == 0:
                raise LeaseLostError

    def hold(self) -> Job:
        """Lock the job's row until the end of the transaction and return it. Raises LeaseLostError."""
        job = Job.objects.select_for_update().filter(pk=self.job_id, lease_token=self.token).first()
        if job is None:
            raise LeaseLostError
        return job


def claim(worker: Registration) -> Lease | None:
    """Claim the oldest job that may run; return None without one.

    Only one claim runs at a time: of two at once, one would find the older job of a project held by the other, and
    take the younger one.
    """
    token = uuid.uuid4()
    values = {"token": token, "worker": str(worker.id), "lease": settings.LEASE_S, "wait": MAX_BACKOFF_S}
    values |= {"trial": settings.TRIAL_SINCE or None}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, 0)", [CLAIM_LOCK_CLASS])
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    return Lease(row[0], token) if row else None


def give_back(lease: Lease) -> None:
    """Requeue a job as if it had never been claimed: the worker was asked to stop."""
    with transaction.atomic():
        _to_pending(lease.hold(), counted=False)


def postpone(lease: Lease, reason: str) -> None:
    """Requeue a job after a fault of the infrastructure; the wait before the next attempt grows with each fault."""
    with transaction.atomic():
        job = lease.hold()
        job.faults = min(job.faults + 1, MAX_FAULTS)
        _to_pending(job, counted=False, backoff_s=min(MAX_BACKOFF_S, 2.0**job.faults / 2), reason=reason)


def retry_or_give_up(lease: Lease, reason: str) -> None:
    """Requeue a job whose process was killed, or whose result cannot be stored; the third time, it and its deltas fail.

    A job that fails so often is too large or unsuitable for the machine: later deltas must not wait for it.
    """
    with transaction.atomic():
        job = lease.hold()
        if job.attempts < settings.JOB_MAX_ATTEMPTS:
            _to_pending(job, counted=True)
        else:
            message = f"The job was tried {job.attempts} times and unexpectedly terminated each time. {reason}"
            _release_deltas(job, DeltaStatus.ERROR, DeltaStatus.ERROR, storable(message))
            _give_up(job, storable(message))


def requeue_jobs_of_dead_workers(worker: Registration) -> list[uuid.UUID]:
    """Requeue the jobs of dead workers; a job whose third worker died fails. Return the ids of all these jobs.

    The caller must not hold a job: a job in its name was claimed just when the connection broke, so that the worker
    never received it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DEAD, {"lock_class": LOCK_CLASS, "grace": GRACE_S, "idle": worker.id})
        ids = [row[0] for row in cursor.fetchall()]
        for job in Job.objects.filter(pk__in=ids):
            _to_pending_or_give_up(job)
    return ids


def _to_pending_or_give_up(job: Job) -> None:
    if job.attempts < settings.JOB_MAX_ATTEMPTS:
        _to_pending(job, counted=True)
        return
    message = f"The job was started {job.attempts} times and its worker died each time."
    if job.type == JobType.DELTA_APPLY:
        _hand_on_deltas(job, message)
    _give_up(job, message)


def _to_pending(job: Job, *, counted: bool, backoff_s: float = 0.0, reason: str = "") -> None:
    _release_deltas(job, DeltaStatus.PENDING, DeltaStatus.PENDING)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update core_job
            set status = 'pending', attempts = attempts - %(uncounted)s, faults = %(faults)s,
                not_before = case when %(backoff)s > 0 then clock_timestamp() + %(backoff)s * interval '1 second' end,
                output = coalesce(nullif(%(reason)s, ''), output)
            where id = %(job)s
            """,
            {
                "uncounted": 0 if counted else 1,
                "faults": job.faults,
                "backoff": backoff_s,
                "reason": storable(reason),
                "job": job.pk,
            },
        )


def _give_up(job: Job, message: str) -> None:
    Job.objects.filter(pk=job.pk).update(
        status=JobStatus.FAILED,
        output=job.output or message,
        feedback={"error": message, "error_type": "WORKER_DIED", "error_origin": "worker_wrapper", "error_stack": ""},
    )


def _release_deltas(
    job: Job, in_this_job: DeltaStatus, from_now_on: DeltaStatus, message: str | None = None
) -> list[uuid.UUID]:
    """Set the status of the job's deltas, in the job's records and in the deltas themselves. Return their ids."""
    if job.type != JobType.DELTA_APPLY:
        return []
    feedback = {"msg": message} if message else None
    parts = ApplyJobDelta.objects.filter(apply_job=ApplyJob(pk=job.pk), status__in=["pending", "started"])
    delta_ids = list(parts.values_list("delta_id", flat=True))
    parts.update(status=in_this_job, feedback=feedback)
    Delta.objects.filter(pk__in=delta_ids).update(last_status=from_now_on, last_feedback=feedback)
    return delta_ids


def _hand_on_deltas(job: Job, message: str) -> None:
    """Move deltas to the next apply job of the project: they did not cause the worker's death, and precede later ones.

    Without such a job they stay pending, visible to clients, until the project's next deltas arrive or a user applies
    them.
    """
    lock_project(job.project)  # deltas that arrive now get a new job, which must be visible here
    delta_ids = _release_deltas(job, DeltaStatus.ERROR, DeltaStatus.PENDING, message)
    waiting = ApplyJob.objects.filter(project_id=job.project_id, status=JobStatus.PENDING).order_by("created_at")
    following = waiting.select_for_update(of=("job_ptr",)).first()
    if following is not None:
        ApplyJobDelta.objects.bulk_create(ApplyJobDelta(apply_job=following, delta_id=key) for key in delta_ids)
