"""Create jobs. Every function locks the project's row, so that two simultaneous requests create one job."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection, transaction

from .models import Job, JobStatus, JobType, PackageJob, ProcessProjectfileJob, Project, User
from .project_lock import lock_project

#: A job in one of these statuses has not ended.
OPEN_STATUSES = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)


class Requested(NamedTuple):
    """A job, and whether it was created for this request."""

    job: Job
    is_new: bool


def wake_workers() -> None:
    """Have idle workers check the queue after this transaction: they skip a waiting job while we hold its row."""
    with connection.cursor() as cursor:
        cursor.execute("notify qfc_jobs")


def request_package(project: Project, user: User, *, force: bool = False) -> Requested:
    """Create a package job, or return the open one; with `force` always create one."""
    with transaction.atomic():
        lock_project(project)
        active = PackageJob.objects.filter(project=project, status__in=OPEN_STATUSES)
        job = None if force else active.order_by("-created_at").first()
        if job is not None:
            return Requested(job, False)
        return Requested(PackageJob.objects.create(project=project, created_by=user, type=JobType.PACKAGE), True)


def request_process_projectfile(project: Project, user: User) -> Requested:
    """Create a job that reads the project file, or return the waiting one, which will read the newest files."""
    with transaction.atomic():
        lock_project(project)
        waiting = ProcessProjectfileJob.objects.filter(project=project, status=JobStatus.PENDING)
        # A worker that claims the waiting job at this very moment may have read the old files: then create a new job.
        job = waiting.select_for_update(skip_locked=True, of=("job_ptr",)).order_by("-created_at").first()
        if job is not None:
            wake_workers()
            return Requested(job, False)
        new = ProcessProjectfileJob.objects.create(project=project, created_by=user, type=JobType.PROCESS_PROJECTFILE)
        return Requested(new, True)


def retry(job: Job) -> bool:
    """Requeue a failed or stopped job; return False for any other."""
    ended = (JobStatus.FAILED, JobStatus.STOPPED)
    return bool(
        Job.objects.filter(pk=job.pk, status__in=ended).update(
            status=JobStatus.PENDING, attempts=0, faults=0, not_before=None, output=None, feedback=None
        )
    )
