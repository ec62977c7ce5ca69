"""Create, change, copy and delete projects."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.db import transaction

from ..storage.blobs import Blob
from . import file_versions, jobs
from .blob_references import collect_after_commit, hold_blobs
from .models import File, FileType, FileVersion, Job, Project, ProjectCollaborator, ProjectRole, ProjectType, User
from .permissions import role_in

PROJECT_SUFFIXES = (".qgs", ".qgz")


#: The name of the project whose datasets all projects of its owner share; the name makes the type.
SHARED_DATASETS_NAME = "shared_datasets"
#: What a copy has of the original unless the request says otherwise. It stays private until its owner publishes it.
COPIED_SETTINGS = (
    "description",
    "overwrite_conflicts",
    "has_restricted_projectfiles",
    "is_attachment_download_on_demand",
)


class ProjectExistsError(Exception):
    """The owner already has a project of that name."""


class ProjectTypeError(Exception):
    """The type and the name of the project do not go together; the message says why."""


class QgisFileError(Exception):
    """A project with a QGIS file cannot hold shared datasets."""


class NotCloneableError(Exception):
    """The project cannot be copied."""


def is_project_file(name: str) -> bool:
    """Whether the name belongs to a QGIS project file."""
    return name.lower().endswith(PROJECT_SUFFIXES)


def is_restricted_file(project: Project, name: str) -> bool:
    """Whether the name belongs to a QGIS project file, or to a file beside it that changes how the project works.

    These are the auxiliary data, the attachments embedded in the project, and the plugin of QField.
    """
    if is_project_file(name):
        return True
    stem = PurePosixPath(project.project_filename or "").stem
    return bool(stem) and PurePosixPath(name).name in (f"{stem}.qgd", f"{stem}_attachments.zip", f"{stem}.qml")


def check_name_is_free(owner: User, name: str, besides: Project | None = None) -> None:
    """Check that a name is free. Raises ProjectExistsError; the database decides between simultaneous requests.

    An owner has one project with shared datasets, whatever the case of its name.
    """
    taken = Project.objects.filter(owner=owner)
    is_shared = name.lower() == SHARED_DATASETS_NAME
    taken = taken.filter(name__iexact=name) if is_shared else taken.filter(name=name)
    if besides is not None:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists():
        raise ProjectExistsError


def _type_for(name: str, wanted: str | None, current: str = ProjectType.REGULAR) -> str:
    """Return the type of a project of that name. Raises ProjectTypeError."""
    if name.lower() == SHARED_DATASETS_NAME:
        return ProjectType.SHARED_DATASETS
    if wanted == ProjectType.SHARED_DATASETS and current != ProjectType.SHARED_DATASETS:
        raise ProjectTypeError(f"A project with shared datasets must have the name {SHARED_DATASETS_NAME!r}.")
    chosen = wanted or current
    return ProjectType.REGULAR if chosen == ProjectType.SHARED_DATASETS else chosen


def create(owner: User, fields: dict[str, Any], user: User) -> Project:
    """Create an empty project. A user without a role in it, such as a creator, becomes an admin of the project.

    Raises ProjectExistsError, ProjectTypeError.
    """
    check_name_is_free(owner, fields["name"])
    project_type = _type_for(fields["name"], fields.get("project_type"))
    with transaction.atomic():
        project = Project.objects.create(owner=owner, **{**fields, "project_type": project_type})
        if role_in(user, project) is None:
            ProjectCollaborator.objects.create(
                project=project, collaborator=user, role=ProjectRole.ADMIN, created_by=user, updated_by=user
            )
    return project


def change(project: Project, fields: dict[str, Any]) -> None:
    """Change a project. A new owner stops being its collaborator.

    Raises ProjectExistsError, ProjectTypeError, QgisFileError.
    """
    name = fields.get("name", project.name)
    if fields.keys() & {"name", "project_type"}:
        fields["project_type"] = _type_for(name, fields.get("project_type"), project.project_type)
    if fields.get("project_type") == ProjectType.SHARED_DATASETS and project.project_filename:
        raise QgisFileError
    with transaction.atomic():
        check_name_is_free(fields.get("owner", project.owner), name, besides=project)
        for name, value in fields.items():
            setattr(project, name, value)
        project.save(update_fields=[*fields, "updated_at"])
        if "owner" in fields:
            ProjectCollaborator.objects.filter(project=project, collaborator=fields["owner"]).delete()


def copied_bytes(source: Project) -> int:
    """Return the size of a copy of the project in bytes: that of the newest versions only."""
    return sum(version.size for version in _newest(source))


def _newest(source: Project) -> list[FileVersion]:
    files = File.objects.filter(project=source, file_type=FileType.PROJECT_FILE, latest_version__isnull=False)
    return list(FileVersion.objects.select_related("file").filter(pk__in=files.values("latest_version_id")))


def _blob(version: FileVersion) -> Blob:
    return Blob(bytes(version.sha256sum), version.entity_tag, version.size)


def clone(source: Project, owner: User, fields: dict[str, Any], user: User) -> Project:
    """Create a project with the newest versions of another project's files.

    Raises ProjectExistsError, ProjectTypeError, NotCloneableError, StorageError.
    """
    if source.project_type == ProjectType.SHARED_DATASETS or fields["name"].lower() == SHARED_DATASETS_NAME:
        raise NotCloneableError
    with transaction.atomic():
        copied = {name: getattr(source, name) for name in COPIED_SETTINGS}
        project = create(owner, {**copied, **fields}, user)
        newest = [(version.file.name, _blob(version)) for version in _newest(source)]
        hold_blobs(blob for _, blob in newest)
        for name, blob in newest:
            file_versions.write_version(project, name, blob, user)
        if source.project_filename:
            Project.objects.filter(pk=project.pk).update(project_filename=source.project_filename)
            jobs.request_process_projectfile(project, user)
    project.refresh_from_db()
    return project


def delete(project: Project) -> None:
    """Delete a project with everything that belongs to it. A job that is running on it notices this and ends."""
    with transaction.atomic():
        _block_writers(project)
        keys = list(FileVersion.objects.filter(file__project=project).values_list("content", flat=True).distinct())
        if project.thumbnail_uri:
            keys.append(project.thumbnail_uri)
        project.delete()
        collect_after_commit(keys)


def _block_writers(project: Project) -> None:
    """Wait for current writers to the project, and block new ones until the end of the transaction."""
    open_jobs = Job.objects.filter(project=project, status__in=jobs.OPEN_STATUSES).order_by("pk")
    list(open_jobs.select_for_update().values_list("pk"))
    list(Project.objects.filter(pk=project.pk).select_for_update().values_list("pk"))
