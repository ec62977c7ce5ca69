"""Shapes of jobs, packages and deltas."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ...core.models import ClientType, Delta, DeltaStatus, JobStatus, JobType
from ..fields import Choice, Flag, Uuid
from ..pagination import PageQuery

Shape = serializers.Serializer[Any]

#: The statuses of a delta, as clients know them.
CLIENT_STATUSES = {
    DeltaStatus.PENDING: "STATUS_PENDING",
    DeltaStatus.STARTED: "STATUS_BUSY",
    DeltaStatus.APPLIED: "STATUS_APPLIED",
    DeltaStatus.CONFLICT: "STATUS_CONFLICT",
    DeltaStatus.NOT_APPLIED: "STATUS_NOT_APPLIED",
    DeltaStatus.ERROR: "STATUS_ERROR",
    DeltaStatus.IGNORED: "STATUS_IGNORED",
    DeltaStatus.UNPERMITTED: "STATUS_UNPERMITTED",
}


#: Clients that know the status `stopped`. QField takes it for a job that is still running and asks for ever.
KNOW_STOPPED = frozenset({ClientType.SDK, ClientType.CLI, ClientType.BROWSER})


class JobStatusField(serializers.ChoiceField):
    """The status of a job. Apps are told of a stopped job as of a failed one; `client_type` is in the context."""

    def __init__(self, **options: Any) -> None:
        merged: dict[str, Any] = {"choices": JobStatus.choices, "read_only": True, **options}
        super().__init__(**merged)

    def to_representation(self, value: Any) -> Any:
        """Return a status that the client knows."""
        knows = self.context.get("client_type") in KNOW_STOPPED
        return super().to_representation(JobStatus.FAILED if value == JobStatus.STOPPED and not knows else value)


#: The official server makes projects of seeds and copies in jobs; here they are complete when the answer arrives.
CREATE_PROJECT = "create_project"
REQUESTED_TYPES = [*JobType.choices, (CREATE_PROJECT, "Create Project")]


class JobSerializer(Shape):
    """A job; `client_type` of the caller is in the context."""

    id = serializers.UUIDField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    created_by = serializers.IntegerField(source="created_by_id", read_only=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)
    project_id = serializers.UUIDField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True, allow_null=True)
    status = JobStatusField()
    type = serializers.ChoiceField(JobType.choices, read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class JobDetailSerializer(JobSerializer):
    """A job with its feedback and output."""

    feedback = serializers.JSONField(read_only=True, allow_null=True)
    output = serializers.CharField(read_only=True, allow_null=True)


class JobQuery(PageQuery):
    """The requested jobs."""

    project_id = Uuid()
    type = Choice(REQUESTED_TYPES, required=False)


class NewJobBody(Shape):
    """A new job."""

    project_id = Uuid()
    type = Choice(REQUESTED_TYPES, help_text="`create_project` is refused: 400 `not_supported`.")
    force = Flag(required=False, default=False, help_text="Create a package job even if one is open.")


class PackageFileSerializer(Shape):
    """A file of a package, or an attachment of its project."""

    name = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    last_modified = serializers.CharField(read_only=True, help_text="for example 2026-11-23T13:56:32Z")
    uploaded_at = serializers.DateTimeField(read_only=True)
    md5sum = serializers.CharField(read_only=True)
    is_attachment = serializers.BooleanField(read_only=True)
    sha256 = serializers.CharField(read_only=True)


class PackageSerializer(Shape):
    """The newest package of a project."""

    files = PackageFileSerializer(many=True, read_only=True)
    layers = serializers.DictField(child=serializers.DictField(), read_only=True, allow_null=True)
    status = serializers.ChoiceField(JobStatus.choices, read_only=True)
    package_id = serializers.UUIDField(read_only=True)
    packaged_at = serializers.DateTimeField(read_only=True, allow_null=True)
    data_last_updated_at = serializers.DateTimeField(read_only=True, allow_null=True)


class LegacyFileSerializer(Shape):
    """A file of a package, as older clients read it."""

    name = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    sha256 = serializers.CharField(read_only=True)


class LegacyPackageSerializer(Shape):
    """The newest package of a project, as older clients read it."""

    files = LegacyFileSerializer(many=True, read_only=True)
    layers = serializers.DictField(child=serializers.DictField(), read_only=True, allow_null=True)


class DeltaSerializer(Shape):
    """A delta and its status."""

    id = serializers.UUIDField(read_only=True)
    deltafile_id = serializers.UUIDField(read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    status = serializers.SerializerMethodField()
    output = serializers.SerializerMethodField()
    last_status = serializers.ChoiceField(DeltaStatus.choices, read_only=True)
    last_feedback = serializers.JSONField(read_only=True, allow_null=True)
    content = serializers.DictField(read_only=True)

    def get_status(self, delta: Delta) -> str:
        """Return the status as clients know it."""
        return CLIENT_STATUSES[DeltaStatus(delta.last_status)]

    def get_output(self, delta: Delta) -> str | None:
        """Return the feedback as text, in the notation that clients display."""
        return None if delta.last_feedback is None else str(delta.last_feedback)


class DeltaStatusBody(Shape):
    """The new status of deltas that were not applied."""

    status = Choice([(DeltaStatus.PENDING, "apply again"), (DeltaStatus.IGNORED, "never apply")])


class ChangedSerializer(Shape):
    """The number of changed deltas."""

    changed = serializers.IntegerField(read_only=True)
