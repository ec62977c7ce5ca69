"""Deltas that devices sent, and the jobs that apply them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models

from .accounts import User
from .jobs import Job
from .projects import Project


class DeltaStatus(models.TextChoices):
    """Values of `core_delta.last_status`."""

    PENDING = "pending"
    STARTED = "started"
    APPLIED = "applied"
    CONFLICT = "conflict"
    NOT_APPLIED = "not_applied"
    ERROR = "error"
    IGNORED = "ignored"
    UNPERMITTED = "unpermitted"


class Delta(models.Model):
    """One edit of one feature, as the device sent it. The id is the device's uuid: sent twice, it is stored once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    deltafile_id = models.UUIDField(db_index=True)
    content: models.JSONField[dict[str, Any]] = models.JSONField()
    last_feedback: models.JSONField[dict[str, Any] | None] = models.JSONField(null=True, blank=True)
    #: Strictly increasing within a project: the order in which deltas are applied.
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="deltas")
    project_id: uuid.UUID
    created_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_by_id: int
    last_status = models.CharField(max_length=32, choices=DeltaStatus.choices, default=DeltaStatus.PENDING)
    last_modified_pk = models.TextField(null=True, blank=True)
    last_apply_attempt_at = models.DateTimeField(null=True, blank=True)
    last_apply_attempt_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    last_apply_attempt_by_id: int | None
    #: WKT of the geometries, for readers of the table; the official deployment has PostGIS geometries here.
    new_geom = models.TextField(null=True, blank=True)
    old_geom = models.TextField(null=True, blank=True)
    client_id = models.UUIDField(db_index=True)

    class Meta:
        db_table = "core_delta"
        indexes = [
            models.Index("project", "created_at", name="core_delta_project_idx"),
            models.Index("last_status", "created_at", name="core_delta_status_idx"),
        ]

    def __str__(self) -> str:
        return f"edit {self.id}"


class ResentDelta(models.Model):
    """A known delta that a device sent again in another deltafile: after a failed request, QField asks for that one."""

    deltafile_id = models.UUIDField()
    delta = models.ForeignKey(Delta, models.CASCADE, related_name="resent")
    delta_id: uuid.UUID

    class Meta:
        db_table = "node_resentdelta"
        constraints = [models.UniqueConstraint("deltafile_id", "delta", name="node_resentdelta_unique")]


class ApplyJob(Job):
    """Applies the deltas that were assigned to it when they arrived."""

    overwrite_conflicts = models.BooleanField()

    class Meta:
        db_table = "core_applyjob"


class ApplyJobDelta(models.Model):
    """A delta in a job. A delta is in at most one open job at a time; the unique index ensures it."""

    apply_job = models.ForeignKey(ApplyJob, models.CASCADE, related_name="job_deltas")
    apply_job_id: uuid.UUID
    delta = models.ForeignKey(Delta, models.CASCADE, related_name="job_deltas")
    delta_id: uuid.UUID
    status = models.CharField(max_length=32, choices=DeltaStatus.choices, default=DeltaStatus.PENDING)
    feedback: models.JSONField[dict[str, Any] | None] = models.JSONField(null=True, blank=True)
    modified_pk = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "core_applyjobdelta"
        constraints = [
            models.UniqueConstraint(
                "delta",
                condition=models.Q(status__in=["pending", "started"]),
                name="core_applyjobdelta_one_open_job",
            ),
        ]

    def __str__(self) -> str:
        return f"edit {self.delta_id} in job {self.apply_job_id}"
