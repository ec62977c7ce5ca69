"""Shapes of projects, collaborators, secrets and seeds."""

from __future__ import annotations

from typing import Any, cast

from rest_framework import serializers

from ...core.models import Project, ProjectRole, ProjectType, PublicRole, Secret
from ...core.permissions import Access, Action
from ...core.project_state import STATUSES, needs_repackaging, status_of
from ..fields import AnyObject, AnyValue, Choice, Flag, Number, Pattern, Text, Uuid
from ..pagination import PageQuery
from .new_seeds import SeedField

Shape = serializers.Serializer[Any]
NAME_PATTERN = str(cast(Any, Project.name_validator.regex).pattern)


class ProjectSerializer(Shape):
    """A project, and the caller's role in it (an `Access`)."""

    id = serializers.UUIDField(source="project.id", read_only=True)
    name = serializers.CharField(source="project.name", read_only=True)
    owner = serializers.CharField(source="project.owner.username", read_only=True)
    description = serializers.CharField(source="project.description", read_only=True)
    private = serializers.SerializerMethodField()
    is_public = serializers.BooleanField(source="project.is_public", read_only=True)
    created_at = serializers.DateTimeField(source="project.created_at", read_only=True)
    updated_at = serializers.DateTimeField(source="project.updated_at", read_only=True)
    data_last_packaged_at = serializers.DateTimeField(
        source="project.data_last_packaged_at", read_only=True, allow_null=True
    )
    data_last_updated_at = serializers.DateTimeField(
        source="project.data_last_updated_at", read_only=True, allow_null=True
    )
    can_repackage = serializers.SerializerMethodField()
    needs_repackaging = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    user_role = serializers.ChoiceField(ProjectRole.choices, source="role", read_only=True, allow_null=True)
    user_role_origin = serializers.CharField(source="origin", read_only=True, allow_null=True)
    problem = serializers.CharField(source="project.problem", read_only=True, allow_null=True)
    overwrite_conflicts = serializers.BooleanField(source="project.overwrite_conflicts", read_only=True)
    has_restricted_projectfiles = serializers.BooleanField(source="project.has_restricted_projectfiles", read_only=True)
    file_storage_bytes = serializers.IntegerField(source="project.file_storage_bytes", read_only=True)
    project_type = serializers.ChoiceField(ProjectType.choices, source="project.project_type", read_only=True)
    public_collaborator_role = serializers.ChoiceField(
        PublicRole.choices, source="project.public_collaborator_role", read_only=True
    )
    is_featured = serializers.BooleanField(source="project.is_featured", read_only=True)
    is_attachment_download_on_demand = serializers.BooleanField(
        source="project.is_attachment_download_on_demand", read_only=True
    )
    restricted_data_last_updated_at = serializers.DateTimeField(
        source="project.restricted_data_last_updated_at", read_only=True, allow_null=True
    )
    shared_datasets_project_id = serializers.UUIDField(
        source="project.shared_datasets_id", read_only=True, allow_null=True
    )
    is_shared_datasets_project = serializers.SerializerMethodField()
    the_qgis_file_name = serializers.CharField(source="project.project_filename", read_only=True, allow_null=True)

    def get_private(self, access: Access) -> bool:
        """Return the opposite of `is_public`, for older clients."""
        return not access.project.is_public

    def get_is_shared_datasets_project(self, access: Access) -> bool:
        """Whether the project holds the datasets that all projects of its owner share."""
        return access.project.project_type == ProjectType.SHARED_DATASETS

    def get_can_repackage(self, access: Access) -> bool:
        """Whether the caller may start a package job."""
        return access.allows(Action.PACKAGE) and access.project.project_type == ProjectType.REGULAR

    def get_needs_repackaging(self, access: Access) -> bool:
        """Whether the package is older than the data."""
        return needs_repackaging(access.project)

    def get_status(self, access: Access) -> STATUSES:
        """Return ok, busy or failed."""
        return status_of(access.project)


class _Settings(Shape):
    description = Text(required=False, allow_blank=True, max_length=100_000)
    is_public = Flag(required=False)
    private = Flag(required=False, help_text="The opposite of `is_public`, for older clients.")
    overwrite_conflicts = Flag(required=False)
    has_restricted_projectfiles = Flag(required=False)
    project_type = Choice(
        ProjectType.choices, required=False, help_text="`shared_datasets` only for a project of that name."
    )
    is_featured = Flag(required=False, help_text="Whether the project comes first in lists; for superusers.")
    is_attachment_download_on_demand = Flag(required=False)
    public_collaborator_role = Choice(PublicRole.choices, required=False)


class ProjectName(Pattern):
    """A name of a project."""

    def __init__(self, **options: Any) -> None:
        messages = {"invalid": str(Project.name_validator.message)}
        merged: dict[str, Any] = {"error_messages": messages, **options}
        super().__init__(NAME_PATTERN, **merged)


class NewProjectBody(_Settings):
    """A new project."""

    name = ProjectName()
    owner = Text(required=False, max_length=150, help_text="Name of the owner; without it, the caller.")
    clone_from_project = Uuid(required=False)
    seed = SeedField(required=False, help_text="A base map and the first view of a project without layers.")
    xlsform_file = AnyValue(required=False, help_text="Not supported: 400 `not_supported`.")


class ChangeProjectBody(_Settings):
    """A change of a project."""

    name = ProjectName(required=False)
    owner = Text(required=False, max_length=150, help_text="Name of the new owner.")


class ReplaceProjectBody(ChangeProjectBody):
    """A change of a project that repeats its name."""

    name = ProjectName()


ORDERING = "Fields to sort by, separated by commas: `owner`, `name`, `created_at`; `-` before one for descending order."


class PublicProjectQuery(PageQuery):
    """The requested public projects."""

    ordering = Text(required=False, allow_blank=True, help_text=ORDERING)


class ProjectQuery(PublicProjectQuery):
    """The requested projects. An empty text counts as none."""

    owner = Text(required=False, allow_blank=True, max_length=150, help_text="Name of the owner, in any case.")
    name = Text(required=False, allow_blank=True, max_length=255, help_text="Name of the project, in any case.")
    search = Text(required=False, allow_blank=True, help_text="Words that the name or the owner's name contains.")
    include_public = Flag(required=False, help_text="Include public projects.")

    def get_fields(self) -> dict[str, Any]:
        """Add the older form of `include_public`, which is not a name of Python."""
        return {**super().get_fields(), "include-public": Flag(required=False)}


class CollaboratorSerializer(Shape):
    """A collaborator's role in a project."""

    project_id = serializers.UUIDField(read_only=True)
    collaborator = serializers.CharField(source="collaborator.username", read_only=True)
    role = serializers.ChoiceField(ProjectRole.choices, read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True, allow_null=True, default=None)
    updated_by = serializers.CharField(source="updated_by.username", read_only=True, allow_null=True, default=None)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class NewCollaboratorBody(Shape):
    """A new collaborator and their role."""

    collaborator = Text(max_length=150)
    role = Choice(ProjectRole.choices, required=False, default=ProjectRole.READER)


class ChangeCollaboratorBody(Shape):
    """The new role of a collaborator."""

    role = Choice(ProjectRole.choices)


class SecretSerializer(Shape):
    """A secret, without its value."""

    name = serializers.CharField(read_only=True)
    type = serializers.ChoiceField(Secret.Type.choices, read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class SecretBody(Shape):
    """A new secret."""

    name = Pattern(r"^[A-Za-z_][A-Za-z0-9_]*$")
    type = Choice(Secret.Type.choices)
    value = Text(max_length=100_000, min_length=1)


class SeedSettingsSerializer(Shape):
    """The base maps and the form of a seed."""

    basemaps = serializers.ListField(child=serializers.DictField(), read_only=True)
    xlsform = serializers.CharField(read_only=True, allow_null=True, help_text="Name of the form, or null.")


class SeedSerializer(Shape):
    """A seed: the source from which a project is to be created."""

    project = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    crs = serializers.CharField(read_only=True)
    extent = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, read_only=True, help_text="xmin, ymin, xmax, ymax"
    )
    settings = SeedSettingsSerializer(read_only=True)
    xlsform_file = serializers.CharField(read_only=True, allow_null=True, help_text="Name of the form, or null.")
    clone_from_project = serializers.UUIDField(read_only=True, allow_null=True)


class SeedBody(Shape):
    """A new seed."""

    crs = Text(max_length=255, min_length=1)
    extent = serializers.ListField(child=Number(), min_length=4, max_length=4, help_text="xmin, ymin, xmax, ymax")
    basemaps = serializers.ListField(child=AnyObject(), required=False, default=list, max_length=100)
