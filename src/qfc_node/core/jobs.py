"""Making jobs. Every function locks the project's row, so that two requests at once make one job."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection, transaction

from .models import Job, JobStatus, JobType, PackageJob, ProcessProjectfileJob, Project, User
from .project_lock import lock_project

#: A job in one of these statuses is still to end.
OPEN_STATUSES = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)


class Requested(NamedTuple):
    """A job, and whether it was made for this request."""

    job: Job
    is_new: bool


def wake_workers() -> None:
    """Have idle workers look again after this transaction: they pass over a waiting job whose row we hold."""
    with connection.cursor() as cursor:
        cursor.execute("notify qfc_jobs")


def request_package(project: Project, user: User, *, force: bool = False) -> Requested:
    """Make a package job, or return the one that is under way; with `force` always make one."""
    with transaction.atomic():
        lock_project(project)
        active = PackageJob.objects.filter(project=project, status__in=OPEN_STATUSES)
        job = None if force else active.order_by("-created_at").first()
        if job is not None:
            return Requested(job, False)
        return Requested(PackageJob.objects.create(project=project, created_by=user, type=JobType.PACKAGE), True)


def request_process_projectfile(project: Project, user: User) -> Requested:
    """Make a job that reads the project file, or return the one that waits: it will read what is there by then."""
    with transaction.atomic():
        lock_project(project)
        waiting = ProcessProjectfileJob.objects.filter(project=project, status=JobStatus.PENDING)
        # A worker that takes the job up at this very moment may have read the old files: then a new one is made.
        job = waiting.select_for_update(skip_locked=True, of=("job_ptr",)).order_by("-created_at").first()
        if job is not None:
            wake_workers()
            return Requested(job, False)
        made = ProcessProjectfileJob.objects.create(project=project, created_by=user, type=JobType.PROCESS_PROJECTFILE)
        return Requested(made, True)


def retry(job: Job) -> bool:
    """Make an ended job pending again; False when it has not ended."""
    ended = (JobStatus.FAILED, JobStatus.STOPPED)
    return bool(
        Job.objects.filter(pk=job.pk, status__in=ended).update(
            status=JobStatus.PENDING, attempts=0, faults=0, not_before=None, output=None, feedback=None
        )
    )
