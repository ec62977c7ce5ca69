"""Projects, their collaborators and their secrets."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Value

from .accounts import User


class ProjectRole(models.TextChoices):
    """Values of `core_projectcollaborator.role`, the strongest first."""

    ADMIN = "admin"
    MANAGER = "manager"
    EDITOR = "editor"
    REPORTER = "reporter"
    READER = "reader"


class PublicRole(models.TextChoices):
    """Values of `core_project.public_collaborator_role`: the role of every logged-in user in a public project."""

    READER = "reader"
    REPORTER = "reporter"
    EDITOR = "editor"


class ProjectType(models.TextChoices):
    """Values of `core_project.project_type`."""

    REGULAR = "regular"
    TEMPLATE = "template"
    SHARED_DATASETS = "shared_datasets"


#: Layers whose data change without the server's knowledge, as a path into `project_details`.
ONLINE_LAYERS = (
    "$.layers_by_id.* ? (@.provider_name like_regex "
    '"^(postgres|wfs|oapif|arcgisfeatureserver|mssql|oracle|hana)$" flag "i")'
)


class Project(models.Model):
    """A QGIS project and its files. The bytes are in the blob store, the names in `filestorage_file`."""

    name_validator = RegexValidator(
        r"^[-a-zA-Z0-9_. ]+$", "A project name has letters, digits, '-', '_', '.' and spaces only."
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, validators=[name_validator])
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
    owner = models.ForeignKey(User, models.CASCADE, related_name="projects")
    owner_id: int
    overwrite_conflicts = models.BooleanField(default=True)
    is_public = models.BooleanField(default=False)
    project_filename = models.TextField(null=True, blank=True)
    thumbnail_uri = models.CharField(max_length=255, blank=True, default="")
    project_details: models.JSONField[dict[str, Any] | None] = models.JSONField(null=True, blank=True)
    data_last_packaged_at = models.DateTimeField(null=True, blank=True)
    data_last_updated_at = models.DateTimeField(null=True, blank=True)
    #: A `PackageJob`. Its class refers to this one, so that importing it here would be circular.
    last_package_job: models.ForeignKey[models.Model | None] = models.ForeignKey(
        "core.PackageJob", models.SET_NULL, null=True, blank=True, related_name="last_job_of_project"
    )
    last_package_job_id: uuid.UUID | None
    #: Read by older releases only.
    repackaging_cache_expire = models.DurationField(default=timedelta(minutes=60))
    file_storage_bytes = models.BigIntegerField(default=0)
    storage_keep_versions = models.PositiveIntegerField(null=True, blank=True)
    packaging_offliner = models.CharField(max_length=100, default="pythonmini")
    has_restricted_projectfiles = models.BooleanField(default=False)
    #: Why the newest project file could not be read; `project_details` keeps the details of the last readable one.
    problem = models.TextField(null=True, blank=True)
    #: Set while somebody has locked the project; until it is cleared, no worker claims a job of the project.
    locked_at = models.DateTimeField(null=True, blank=True)

    project_type = models.CharField(
        max_length=20, choices=ProjectType.choices, default=ProjectType.REGULAR, db_default=ProjectType.REGULAR
    )
    public_collaborator_role = models.CharField(
        max_length=10, choices=PublicRole.choices, default=PublicRole.READER, db_default=PublicRole.READER
    )
    #: Comes first in lists.
    is_featured = models.BooleanField(default=False, db_default=False)
    #: Devices fetch attachments when somebody looks at them, not with the package.
    is_attachment_download_on_demand = models.BooleanField(default=False, db_default=False)
    #: When a file that `has_restricted_projectfiles` protects last changed.
    restricted_data_last_updated_at = models.DateTimeField(null=True, blank=True)
    #: Whether a layer's data are in an external database or service; null while there are no details.
    has_online_vector_data = models.GeneratedField(
        expression=Func(F("project_details"), Value(ONLINE_LAYERS), function="jsonb_path_exists"),
        output_field=models.BooleanField(null=True),
        db_persist=True,
    )

    class Meta:
        db_table = "core_project"
        constraints = [models.UniqueConstraint("owner", "name", name="core_project_owner_name")]

    def __str__(self) -> str:
        return f"{self.owner_id}/{self.name}"


class ProjectCollaborator(models.Model):
    """The role of a user or team in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="direct_collaborators")
    project_id: uuid.UUID
    collaborator = models.ForeignKey(User, models.CASCADE, related_name="collaborations")
    collaborator_id: int
    role = models.CharField(max_length=10, choices=ProjectRole.choices, default=ProjectRole.READER)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_by_id: int | None
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    updated_by_id: int | None
    is_incognito = models.BooleanField(default=False)

    class Meta:
        db_table = "core_projectcollaborator"
        constraints = [
            models.UniqueConstraint("project", "collaborator", name="core_projectcollaborator_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.collaborator.username} in {self.project}"


class ProjectRoleRow(models.Model):
    """The strongest role of each user in each project (view `projects_with_roles_vw`), without public roles."""

    pk = models.CompositePrimaryKey("project_id", "user_id")
    project = models.ForeignKey(Project, models.DO_NOTHING, related_name="role_rows")
    user = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    level = models.IntegerField()
    role_name = models.CharField(max_length=10)
    origin = models.CharField(max_length=20)
    is_incognito = models.BooleanField()

    class Meta:
        managed = False
        db_table = "projects_with_roles_vw"


class ProjectSeed(models.Model):
    """The source from which a project is to be created. The forms are small files, stored in the row."""

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="seed")
    crs = models.CharField(max_length=255, default="EPSG:3857")
    #: xmin, ymin, xmax, ymax in the CRS's units
    extent: models.JSONField[list[float]] = models.JSONField()
    settings: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    xlsform_name = models.CharField(max_length=255, blank=True, default="")
    xlsform = models.BinaryField(null=True)
    json2qgis = models.BinaryField(null=True)

    class Meta:
        db_table = "core_projectseed"

    def __str__(self) -> str:
        return f"seed of {self.project}"


class Secret(models.Model):
    """A value that jobs of a project get and no client can read. `value` is encrypted with the stack's key."""

    class Type(models.TextChoices):
        """Values of `core_secret.type`."""

        PGSERVICE = "pgservice"
        ENVVAR = "envvar"

    name = models.TextField()
    type = models.CharField(max_length=32, choices=Type.choices)
    project = models.ForeignKey(Project, models.CASCADE, related_name="secrets")
    project_id: uuid.UUID
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_by_id: int
    value = models.BinaryField()

    class Meta:
        db_table = "core_secret"
        constraints = [models.UniqueConstraint("project", "name", name="core_secret_project_name")]

    def __str__(self) -> str:
        return self.name
