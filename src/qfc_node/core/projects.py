"""Create, change, copy and delete projects."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.db import transaction

from ..storage.blobs import Blob
from . import file_versions, jobs
from .blob_references import collect_after_commit, hold_blobs
from .models import File, FileType, FileVersion, Job, Project, ProjectCollaborator, ProjectRole, User
from .permissions import role_in

PROJECT_SUFFIXES = (".qgs", ".qgz")


class ProjectExistsError(Exception):
    """The owner already has a project of that name."""


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
    """Check that a name is free. Raises ProjectExistsError; the database decides between simultaneous requests."""
    taken = Project.objects.filter(owner=owner, name=name)
    if besides is not None:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists():
        raise ProjectExistsError


def create(owner: User, fields: dict[str, Any], user: User) -> Project:
    """Create an empty project. A user without a role in it, such as a creator, becomes an admin of the project.

    Raises ProjectExistsError.
    """
    check_name_is_free(owner, fields["name"])
    with transaction.atomic():
        project = Project.objects.create(owner=owner, **fields)
        if role_in(user, project) is None:
            ProjectCollaborator.objects.create(
                project=project, collaborator=user, role=ProjectRole.ADMIN, created_by=user, updated_by=user
            )
    return project


def change(project: Project, fields: dict[str, Any]) -> None:
    """Change a project. A new owner stops being its collaborator. Raises ProjectExistsError."""
    with transaction.atomic():
        check_name_is_free(fields.get("owner", project.owner), fields.get("name", project.name), besides=project)
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
    """Create a project with the newest versions of another project's files. Raises ProjectExistsError, StorageError."""
    with transaction.atomic():
        project = create(owner, {"overwrite_conflicts": source.overwrite_conflicts, **fields}, user)
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
