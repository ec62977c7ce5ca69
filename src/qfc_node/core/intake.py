"""Take in the deltas that devices send: each is stored once and belongs to exactly one open job.

Everything happens in one transaction that holds the project's row, so that deltafiles of one project are processed one
after the other. A delta joins the newest apply job that still waits, else a new one. A worker's claim locks the job's
row; no delta joins a job that is being claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from . import jobs
from .deltafile import Deltafile, DeltafileError, SentDelta
from .models import (
    ApplyJob,
    ApplyJobDelta,
    Delta,
    DeltaStatus,
    Job,
    JobStatus,
    JobType,
    Project,
    ProjectRole,
    ResentDelta,
    User,
)
from .moments import TICK, later_than
from .permissions import delta_action, is_allowed
from .project_lock import lock_project

#: Deltas that are stored at a time.
BATCH = 500
OPEN = (DeltaStatus.PENDING, DeltaStatus.STARTED)
#: The statuses of deltas that `deltas/apply` requeues.
WAITING = (DeltaStatus.PENDING, DeltaStatus.NOT_APPLIED)
#: The statuses of deltas that a user may requeue.
REAPPLICABLE = (
    DeltaStatus.PENDING,
    DeltaStatus.NOT_APPLIED,
    DeltaStatus.CONFLICT,
    DeltaStatus.ERROR,
    DeltaStatus.IGNORED,
    DeltaStatus.UNPERMITTED,
)


def take(project: Project, deltafile: Deltafile, user: User, role: ProjectRole) -> list[Delta]:
    """Store the new deltas of a file and put them into jobs; return them.

    Deltas that the role does not allow are stored as `unpermitted`, in no job. Raises DeltafileError if another project
    has a delta with the same uuid, Project.DoesNotExist if the project was deleted.
    """
    with transaction.atomic():
        held = lock_project(project)
        stored: list[Delta] = []
        rest = iter(deltafile.deltas)
        while batch := list(islice(rest, BATCH)):
            stored += _store(held, deltafile.id, batch, user, role)
        assign(held, _unassigned(held), user)
    return stored


def _store(
    project: Project, deltafile_id: UUID, batch: Sequence[SentDelta], user: User, role: ProjectRole
) -> list[Delta]:
    """Store the new deltas of a part of a file; return them, of large files without their content."""
    new = _unknown(project, batch)
    rows = _rows(project, deltafile_id, new, user, role)
    stored = Delta.objects.bulk_create(rows, batch_size=BATCH)
    _remember_resent(deltafile_id, batch)
    return stored if len(batch) < BATCH else [Delta(pk=row.pk) for row in stored]


def _remember_resent(deltafile_id: UUID, batch: Sequence[SentDelta]) -> None:
    """Note which deltas of the file are known from another one, so that the device finds them under this id as well."""
    known = Delta.objects.filter(pk__in=[delta.id for delta in batch]).exclude(deltafile_id=deltafile_id)
    rows = [ResentDelta(deltafile_id=deltafile_id, delta_id=pk) for pk in known.values_list("pk", flat=True)]
    ResentDelta.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def of_deltafile(project: Project, deltafile_id: UUID) -> QuerySet[Delta]:
    """Return the deltas that a device sent in this file, for the first time or again."""
    resent = ResentDelta.objects.filter(deltafile_id=deltafile_id).values("delta_id")
    return Delta.objects.filter(Q(deltafile_id=deltafile_id) | Q(pk__in=resent), project=project)


def _unassigned(project: Project) -> list[Delta]:
    """Return the pending deltas that are in no open job, the oldest first.

    Besides the new ones these are deltas whose job failed for good: they must be applied before any later ones.
    """
    return _closed(Delta.objects.filter(project=project, last_status=DeltaStatus.PENDING))


def _unknown(project: Project, sent: Sequence[SentDelta]) -> list[SentDelta]:
    owners = dict(Delta.objects.filter(pk__in=[delta.id for delta in sent]).values_list("pk", "project_id"))
    foreign = next((known for known, owner in owners.items() if owner != project.pk), None)
    if foreign is not None:
        raise DeltafileError(f"The delta {foreign} was already sent to another project.")
    return [delta for delta in sent if delta.id not in owners]


def _rows(
    project: Project, deltafile_id: UUID, sent: Sequence[SentDelta], user: User, role: ProjectRole
) -> list[Delta]:
    last: datetime | None = Delta.objects.filter(project=project).aggregate(last=Max("created_at"))["last"]
    moment = later_than(last)
    rows = [_row(project, deltafile_id, delta, user, moment + index * TICK) for index, delta in enumerate(sent)]
    for row in rows:
        action = delta_action(row)
        if not is_allowed(role, action):
            row.last_status = DeltaStatus.UNPERMITTED
            row.last_feedback = {"msg": f"A {role.value} is not permitted to {action.title}."}
    return rows


def _row(project: Project, deltafile_id: UUID, sent: SentDelta, user: User, moment: datetime) -> Delta:
    return Delta(
        id=sent.id,
        deltafile_id=deltafile_id,
        content=sent.content,
        created_at=moment,
        project=project,
        created_by=user,
        client_id=sent.client_id,
        old_geom=sent.geometry("old"),
        new_geom=sent.geometry("new"),
    )


def assign(project: Project, deltas: Iterable[Delta], user: User) -> list[ApplyJob]:
    """Put deltas that are in no open job into jobs; return the jobs. The caller holds the project's row."""
    rest = iter(deltas)
    used: list[ApplyJob] = []
    job, room = _joinable(project)
    while chunk := list(islice(rest, room)):
        if job is None:
            job = _new_job(project, user)
        else:
            jobs.wake_workers()
        ApplyJobDelta.objects.bulk_create(ApplyJobDelta(apply_job=job, delta=delta) for delta in chunk)
        used.append(job)
        job, room = None, settings.APPLY_DELTAS_LIMIT
    return used


def _joinable(project: Project) -> tuple[ApplyJob | None, int]:
    """Return the newest waiting apply job, its row locked, and the number of deltas that still fit into it.

    Return None and the capacity of a new job if its settings differ, it is full or it is being claimed: in an older
    job, new deltas would be applied before those of the newest.
    """
    waiting = _waiting_jobs(project)
    newest = waiting.order_by("-created_at", "-pk").first()
    if newest is None or newest.overwrite_conflicts != project.overwrite_conflicts:
        return None, settings.APPLY_DELTAS_LIMIT
    job = waiting.filter(pk=newest.pk).select_for_update(skip_locked=True, of=("job_ptr",)).first()
    room: int = settings.APPLY_DELTAS_LIMIT - ApplyJobDelta.objects.filter(apply_job=job).count() if job else 0
    return (job, room) if room > 0 else (None, settings.APPLY_DELTAS_LIMIT)


def _waiting_jobs(project: Project) -> QuerySet[ApplyJob]:
    return ApplyJob.objects.filter(project=project, status=JobStatus.PENDING)


def _new_job(project: Project, user: User) -> ApplyJob:
    """Create a job that runs after all waiting ones, even if the clock was set back."""
    last: datetime | None = _waiting_jobs(project).aggregate(last=Max("created_at"))["last"]
    job = ApplyJob.objects.create(
        project=project,
        created_by=user,
        type=JobType.DELTA_APPLY,
        overwrite_conflicts=project.overwrite_conflicts,
    )
    if last is not None and job.created_at <= last:
        job.created_at = later_than(last)
        job.save(update_fields=["created_at"])
    return job


def apply_waiting(project: Project, user: User) -> list[ApplyJob]:
    """Put the project's pending and not applied deltas that are in no open job into jobs; return the jobs."""
    return _reopen(project, Delta.objects.filter(project=project, last_status__in=WAITING), user).jobs


def reapply(project: Project, delta_ids: Iterable[UUID], user: User) -> list[ApplyJob]:
    """Requeue these deltas, except those that were applied or are in an open job; return the jobs."""
    chosen = Delta.objects.filter(project=project, pk__in=list(delta_ids), last_status__in=REAPPLICABLE)
    return _reopen(project, chosen, user).jobs


class Reopened(NamedTuple):
    """Deltas that are pending again, and their jobs."""

    deltas: list[Delta]
    jobs: list[ApplyJob]


def _reopen(project: Project, chosen: QuerySet[Delta], user: User) -> Reopened:
    with transaction.atomic():
        held = lock_project(project)
        deltas = _closed(chosen)
        Delta.objects.filter(pk__in=[delta.pk for delta in deltas]).update(last_status=DeltaStatus.PENDING)
        created = assign(held, deltas, user)
        if created:
            _package_after(held, created[-1])
        return Reopened(deltas, created)


def _package_after(project: Project, job: ApplyJob) -> None:
    """Move waiting package jobs behind a job: without its edits, the device that sent them would no longer see them."""
    packages = Job.objects.filter(project=project, type=JobType.PACKAGE, status=JobStatus.PENDING)
    moment = job.created_at
    for package in packages.select_for_update(skip_locked=True).order_by("created_at", "pk"):
        if package.created_at <= moment:
            package.created_at = moment = later_than(moment)
            package.save(update_fields=["created_at"])


def _closed(chosen: QuerySet[Delta]) -> list[Delta]:
    """Return the deltas that are in no open job, in the order of their arrival, without their content.

    This takes one statement: between two, a job that contains one of them could end.
    """
    open_parts = ApplyJobDelta.objects.filter(delta=OuterRef("pk"), status__in=OPEN)
    return list(chosen.filter(~Exists(open_parts)).order_by("created_at").only("pk"))


def ignore(project: Project, delta_ids: Iterable[UUID]) -> int:
    """Ignore these deltas, except those that were applied or that a worker holds; return the number ignored."""
    with transaction.atomic():
        held = lock_project(project)
        chosen = Delta.objects.filter(project=held, pk__in=list(delta_ids), last_status__in=REAPPLICABLE)
        deltas = _withdraw(chosen)
        return Delta.objects.filter(pk__in=[delta.pk for delta in deltas]).update(last_status=DeltaStatus.IGNORED)


def set_status(project: Project, deltafile_id: UUID, status: DeltaStatus, user: User) -> int:
    """Ignore or requeue the deltas of a file that were not applied; return the number changed."""
    sent = of_deltafile(project, deltafile_id).filter(last_status__in=REAPPLICABLE)
    if status == DeltaStatus.IGNORED:
        return ignore(project, sent.values_list("pk", flat=True))
    return len(_reopen(project, sent, user).deltas)


def _withdraw(chosen: QuerySet[Delta]) -> list[Delta]:
    """Remove deltas from waiting jobs; return those that are then in no open job."""
    wanted = list(chosen.values_list("pk", flat=True))
    members = ApplyJobDelta.objects.filter(delta_id__in=wanted, status=DeltaStatus.PENDING)
    waiting = ApplyJob.objects.filter(status=JobStatus.PENDING, pk__in=members.values("apply_job_id"))
    held = list(waiting.select_for_update(skip_locked=True, of=("job_ptr",)))
    members.filter(apply_job__in=held).delete()
    return _closed(chosen)
