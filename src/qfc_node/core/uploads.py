"""Store uploaded files in a project: checks, version and the job that reads it, all or nothing."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Length
from django.utils import timezone

from ..storage.archives import check_archive
from ..storage.blobs import Staged
from ..storage.errors import UnsafeNameError
from ..storage.names import check_name
from ..storage.project_files import check_project_file
from ..storage.store import blob_store
from . import file_versions, jobs
from .attachments import is_attachment
from .blob_references import hold_blob
from .models import File, FileType, FileVersion, Project, ProjectType, User
from .project_lock import lock_project
from .projects import is_project_file, is_restricted_file

#: Names that differ only by case, which older releases accepted; the first of them is enough.
_ALIKE = 20


class LastVersionError(Exception):
    """The version is the only one of its file."""


class ProjectFileNotAllowedError(Exception):
    """A project with shared datasets has no QGIS file."""


class SecondProjectFileError(Exception):
    """The project already has another QGIS project file; the message is its name."""


def store(project: Project, name: str, staged: Staged, user: User) -> FileVersion:
    """Store staged bytes as the newest version of a file; request a job that reads the project if it may have changed.

    Raises SecondProjectFileError, ProjectFileNotAllowedError, RejectedError, StorageError, Project.DoesNotExist.
    """
    check_name(name)
    if name.lower().endswith(".qgz"):
        check_archive(staged.path)
    if is_project_file(name):
        check_project_file(name, staged.path)
    blob = blob_store().adopt(staged)
    with transaction.atomic():
        hold_blob(blob, staged)
        held = lock_project(project)
        _check_others(held, name)
        if is_project_file(name):
            _name_project_file(held, name)
        version = file_versions.write_version(held, name, blob, user)
        _note_restricted(held, name)
        if held.project_filename and not is_attachment(held, name):
            jobs.request_process_projectfile(held, user)
    return version


def _check_others(project: Project, name: str) -> None:
    """Refuse a name that no device can store beside the others: as file and folder, or twice in different case."""
    parts = name.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    beside = Q(name__iexact=name) | Q(name__in=folders) | Q(name__startswith=f"{name}/")
    files = File.objects.filter(beside, project=project, file_type=FileType.PROJECT_FILE).order_by(Length("name"))
    names = list(files.values_list("name", flat=True)[: len(folders) + _ALIKE])
    if name in names:
        return
    other_case = next((other for other in names if other not in folders and not other.startswith(f"{name}/")), None)
    if other_case is not None:
        raise UnsafeNameError(f"{name!r} differs only by case from {other_case!r}, some devices keep only one.")
    if names:
        raise UnsafeNameError(f"{min(names[0], name, key=len)!r} cannot be both a file and a folder of the project.")


def _note_restricted(project: Project, name: str) -> None:
    if is_restricted_file(project, name):
        Project.objects.filter(pk=project.pk).update(restricted_data_last_updated_at=timezone.now())


def _name_project_file(project: Project, name: str) -> None:
    if project.project_type == ProjectType.SHARED_DATASETS:
        raise ProjectFileNotAllowedError
    files = File.objects.filter(project=project, file_type=FileType.PROJECT_FILE).exclude(name=name)
    second = next((file.name for file in files.only("name") if is_project_file(file.name)), None)
    if second is not None:
        raise SecondProjectFileError(second)
    if project.project_filename != name:
        project.project_filename = name
        project.save(update_fields=["project_filename"])


def remove(project: Project, name: str) -> bool:
    """Remove a file with all its versions; return False if the project has no such file."""
    with transaction.atomic():
        held = lock_project(project)
        if not file_versions.delete_file(held, name):
            return False
        _note_restricted(held, name)
        _forget_project_file(held, name)
    return True


def remove_version(version: FileVersion) -> None:
    """Remove one of a file's versions. Raises LastVersionError: a file is only removed as a whole."""
    with transaction.atomic():
        held = lock_project(version.file.project)
        if not FileVersion.objects.filter(file=version.file_id).exclude(pk=version.pk).exists():
            raise LastVersionError
        file_versions.delete_version(version)
        _note_restricted(held, version.file.name)


def _forget_project_file(project: Project, name: str) -> None:
    """Clear the project's details and problem when its QGIS file is removed."""
    if project.project_filename == name:
        Project.objects.filter(pk=project.pk).update(project_filename=None, project_details=None, problem=None)
