"""Write a job's result, new file versions and delta statuses in one transaction."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from ..core import file_versions
from ..core.blob_references import collect_after_commit, hold_blobs
from ..core.models import (
    ApplyJob,
    ApplyJobDelta,
    Delta,
    DeltaStatus,
    File,
    FileType,
    Job,
    JobStatus,
    JobType,
    PackageJob,
    Project,
    User,
)
from .feedback import failure_feedback, success_feedback
from .leases import Lease
from .preparation import Prepared
from .work import Result

logger = logging.getLogger(__name__)

OUTCOMES = """
    jsonb_to_recordset(%(outcomes)s::jsonb) as o (delta_id uuid, status text, feedback jsonb, modified_pk text)
"""
OUTCOMES_OF_JOB = f"""
    update core_applyjobdelta part
    set status = o.status, feedback = o.feedback, modified_pk = o.modified_pk
    from {OUTCOMES}
    where part.apply_job_id = %(job)s and part.delta_id = o.delta_id
"""
OUTCOMES_OF_DELTAS = f"""
    update core_delta delta
    set last_status = o.status, last_feedback = o.feedback, last_modified_pk = o.modified_pk,
        last_apply_attempt_at = clock_timestamp(), last_apply_attempt_by_id = %(author)s
    from {OUTCOMES}
    where delta.id = o.delta_id
"""


class StaleFilesError(Exception):
    """Somebody uploaded a new version of a file that the job changed: the job must start again from that version."""


def finish(lease: Lease, prepared: Prepared, result: Result, output: str) -> None:
    """Store the result of a successful job, or nothing: raises LeaseLostError, StaleFilesError or StorageError."""
    with transaction.atomic():
        _begin()
        hold_blobs(file.blob for file in result.files)
        job = lease.hold()
        project = Project.objects.select_for_update(no_key=True).get(pk=job.project_id)
        WRITERS[job.type](job, project, prepared, result)
        _end(job, JobStatus.FINISHED, output, success_feedback(result))


def fail(lease: Lease, result: Result, output: str, exit_code: int | None) -> None:
    """Store the error of a failed job; the project and its files stay as they were. Raises LeaseLostError."""
    with transaction.atomic():
        _begin()
        job = lease.hold()
        if job.type == JobType.PROCESS_PROJECTFILE:
            Project.objects.filter(pk=job.project_id).update(problem=result.error)
        if job.type == JobType.DELTA_APPLY:
            _fail_deltas(job, result)
        _end(job, JobStatus.FAILED, output, failure_feedback(result, exit_code))


def _begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '10s'")
        cursor.execute("set local synchronous_commit = on")


def _end(job: Job, status: JobStatus, output: str, feedback: dict[str, Any]) -> None:
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        status=status, output=output, feedback=feedback, docker_finished_at=now, finished_at=now
    )


def _write_report(job: Job, project: Project, prepared: Prepared, result: Result) -> None:
    del job, prepared
    old_thumbnail = project.thumbnail_uri
    new_thumbnail = result.files[0].blob.key
    Project.objects.filter(pk=project.pk).update(
        project_details=result.details, thumbnail_uri=new_thumbnail, problem=None
    )
    if old_thumbnail and old_thumbnail != new_thumbnail:
        collect_after_commit([old_thumbnail])


def _write_package(job: Job, project: Project, prepared: Prepared, result: Result) -> None:
    package_job = PackageJob.objects.get(pk=job.pk)
    file_versions.write_package_files(package_job, [(file.name, file.blob) for file in result.files])
    file_versions.delete_older_packages(package_job)
    # The package contains the data of the snapshot: files that were uploaded meanwhile still need packaging.
    Project.objects.filter(pk=project.pk).update(
        last_package_job=package_job, data_last_packaged_at=prepared.snapshot_at
    )


def _write_deltas(job: Job, project: Project, prepared: Prepared, result: Result) -> None:
    _check_still_newest(project, prepared, [file.name for file in result.files])
    author = User.objects.filter(pk=job.created_by_id).first()
    for file in result.files:
        file_versions.write_version(project, file.name, file.blob, author)
    _write_outcomes(job, (*prepared.refused, *result.outcomes))
    _fail_deltas(job, Result("crash", "The job did not report an outcome for this delta.", "UNKNOWN"))


WRITERS: dict[str, Callable[[Job, Project, Prepared, Result], None]] = {
    JobType.PROCESS_PROJECTFILE: _write_report,
    JobType.PACKAGE: _write_package,
    JobType.DELTA_APPLY: _write_deltas,
}


def _check_still_newest(project: Project, prepared: Prepared, names: Sequence[str]) -> None:
    based_on = {file.name: file.version_id for file in prepared.work.files}
    rows = File.objects.filter(project=project, file_type=FileType.PROJECT_FILE, name__in=names)
    newest = dict(rows.values_list("name", "latest_version_id"))
    if any(newest.get(name) != based_on.get(name) for name in names):
        raise StaleFilesError


def _write_outcomes(job: Job, outcomes: Sequence[dict[str, Any]]) -> None:
    """Write the outcomes of the deltas with two statements, however many deltas there are."""
    given = {"outcomes": json.dumps(outcomes), "job": job.pk, "author": job.created_by_id}
    with connection.cursor() as cursor:
        cursor.execute(OUTCOMES_OF_JOB, given)
        cursor.execute(OUTCOMES_OF_DELTAS, given)


def _fail_deltas(job: Job, result: Result) -> None:
    feedback = {"msg": result.error, "e_type": result.error_class or result.error_type, "status": "status_error"}
    parts = ApplyJobDelta.objects.filter(apply_job=ApplyJob(pk=job.pk), status__in=["pending", "started"])
    delta_ids = list(parts.values_list("delta_id", flat=True))
    parts.update(status=DeltaStatus.ERROR, feedback=feedback)
    Delta.objects.filter(pk__in=delta_ids).update(
        last_status=DeltaStatus.ERROR, last_feedback=feedback, last_apply_attempt_at=timezone.now()
    )
