"""The queue: jobs, and the workers that hold them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now

from .accounts import User
from .projects import Project


class JobType(models.TextChoices):
    """Values of `core_job.type`."""

    PACKAGE = "package"
    DELTA_APPLY = "delta_apply"
    PROCESS_PROJECTFILE = "process_projectfile"


class JobStatus(models.TextChoices):
    """Values of `core_job.status`: pending → queued → started → finished or failed; stopped by an operator."""

    PENDING = "pending"
    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


#: The statuses of a job that a worker holds.
ACTIVE_STATUSES = (JobStatus.QUEUED, JobStatus.STARTED)


class Worker(models.Model):
    """A running `dequeue` process. The row exists as long as the process is considered alive."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: Key of the session advisory lock that the worker holds while its database connection lives.
    lock_key = models.BigIntegerField(unique=True)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    release = models.CharField(max_length=64)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
    #: idle, busy or draining
    state = models.CharField(max_length=16, default="idle")
    #: What holds the worker's jobs: one object per layer with name, state (used, missing, off) and detail.
    layers: models.JSONField[list[dict[str, str]] | None] = models.JSONField(null=True)

    class Meta:
        db_table = "node_worker"

    def __str__(self) -> str:
        return f"{self.host}, pid {self.pid}"


class Job(models.Model):
    """A job on one project. The columns down to `container_id` are QFieldCloud's; the rest is the lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    project_id: uuid.UUID
    output = models.TextField(null=True, blank=True)
    type = models.CharField(max_length=32, choices=JobType.choices)
    status = models.CharField(max_length=32, choices=JobStatus.choices, default=JobStatus.PENDING)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_by_id: int
    feedback: models.JSONField[dict[str, Any] | None] = models.JSONField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    #: When the child process of the job started and ended (a container, in the official deployment).
    docker_started_at = models.DateTimeField(null=True, blank=True)
    docker_finished_at = models.DateTimeField(null=True, blank=True)
    #: Id of the worker that holds the job; the official deployment stores the container's id.
    container_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    #: How often a worker started the job and died before its end.
    attempts = models.SmallIntegerField(default=0, db_default=0)
    #: Faults of the infrastructure (database, storage) during the job; they determine the wait before the next attempt.
    faults = models.SmallIntegerField(default=0, db_default=0)
    #: No worker claims the job before this time.
    not_before = models.DateTimeField(null=True, blank=True)
    #: Fencing token: only the holder of this value may write the job's result.
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "core_job"
        constraints = [
            # The database enforces "one active job per project", so that no race can break the rule.
            models.UniqueConstraint(
                "project",
                condition=models.Q(status__in=["queued", "started"]),
                name="core_job_one_active_a_project",
            ),
        ]
        indexes = [
            models.Index(
                "created_at",
                include=["project", "not_before"],
                condition=models.Q(status="pending"),
                name="core_job_pending_idx",
            ),
            models.Index(
                "project",
                "created_at",
                "id",
                condition=models.Q(status="pending", type="delta_apply"),
                name="core_job_waiting_edits_idx",
            ),
            models.Index("project", "type", "created_at", name="core_job_project_type_idx"),
            models.Index("status", "created_at", name="core_job_status_idx"),
            models.Index("status", "finished_at", include=["created_at", "started_at"], name="core_job_ended_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class PackageJob(Job):
    """Creates the package that devices download."""

    class Meta:
        db_table = "core_packagejob"


class ProcessProjectfileJob(Job):
    """Reads the project file and fills `project_details` and the thumbnail."""

    class Meta:
        db_table = "core_processprojectfilejob"
