"""Names of files and their versions: the only module that writes `filestorage_file` and `filestorage_fileversion`.

Callers put the bytes into the store first and protect them there: see `blob_references`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import BinaryIO

from django.db import transaction
from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from ..storage.blobs import Blob, Staged
from ..storage.etags import digest_of
from ..storage.store import blob_store
from .blob_references import collect_after_commit, hold_blob
from .models import File, FileType, FileVersion, PackageJob, Plan, Project, User
from .moments import later_than
from .project_lock import lock_project

#: How many versions of a file are kept for an owner without a plan.
DEFAULT_KEEP_VERSIONS = 10


def write_version(project: Project, name: str, blob: Blob, user: User | None) -> FileVersion:
    """Write the rows of a new version of a project's file; the caller holds the locks of project and blob."""
    file, _ = File.objects.get_or_create(project=project, name=name, file_type=FileType.PROJECT_FILE)
    version = _create(file, blob, user)
    freed = _prune(file, keep_versions(project))
    Project.objects.filter(pk=project.pk).update(
        data_last_updated_at=timezone.now(), file_storage_bytes=F("file_storage_bytes") + blob.size - freed
    )
    return version


def write_package_file(job: PackageJob, name: str, blob: Blob) -> FileVersion:
    """Write the rows of a file of a package; the caller holds the lock of the blob."""
    file = File.objects.create(project_id=job.project_id, name=name, file_type=FileType.PACKAGE_FILE, package_job=job)
    return _create(file, blob, None)


def write_package_files(job: PackageJob, blobs: Sequence[tuple[str, Blob]]) -> None:
    """Write the rows of all files of a new package, in few statements; the caller holds the locks of the blobs."""
    kind = FileType.PACKAGE_FILE
    files = [File(project_id=job.project_id, name=name, file_type=kind, package_job=job) for name, _ in blobs]
    File.objects.bulk_create(files)
    moment = later_than(None)
    versions = [_version(file, blob, None, moment) for file, (_, blob) in zip(files, blobs, strict=True)]
    FileVersion.objects.bulk_create(versions)
    newest = FileVersion.objects.filter(file=OuterRef("pk")).values("pk")
    File.objects.filter(package_job=job).update(latest_version=Subquery(newest))


def replace_package_file(job: PackageJob, name: str, staged: Staged) -> FileVersion:
    """Store staged bytes as a file of a package; replace a file of the same name. Raises StorageError."""
    blob = blob_store().adopt(staged)
    with transaction.atomic():
        hold_blob(blob, staged)
        File.objects.filter(package_job=job, name=name).delete()
        return write_package_file(job, name, blob)


def _create(file: File, blob: Blob, user: User | None) -> FileVersion:
    last = FileVersion.objects.filter(file=file).aggregate(last=Max("uploaded_at"))["last"]
    version = _version(file, blob, user, later_than(last))
    version.save(force_insert=True)
    file.latest_version = version
    file.save(update_fields=["latest_version"])
    return version


def _version(file: File, blob: Blob, user: User | None, uploaded_at: datetime) -> FileVersion:
    return FileVersion(
        file=file,
        content=blob.key,
        etag=blob.etag,
        md5sum=digest_of(blob.etag),
        sha256sum=blob.sha256,
        size=blob.size,
        uploaded_at=uploaded_at,
        uploaded_by=user,
    )


def keep_versions(project: Project) -> int:
    """Return how many versions of each file the project keeps: its own number, else that of its owner's plan."""
    if project.storage_keep_versions:
        return project.storage_keep_versions
    plans = Plan.objects.filter(subscriptions__account_id=project.owner_id).order_by("-subscriptions__id")
    number: int | None = plans.values_list("storage_keep_versions", flat=True).first()
    return number if number is not None else DEFAULT_KEEP_VERSIONS


def _newest_first(file: File) -> QuerySet[FileVersion]:
    return FileVersion.objects.filter(file=file).order_by("-uploaded_at", "-id")


def _prune(file: File, keep: int) -> int:
    old = list(_newest_first(file)[max(1, keep) :])
    if not old:
        return 0
    FileVersion.objects.filter(pk__in=[version.pk for version in old]).delete()
    collect_after_commit(version.content for version in old)
    return sum(version.size for version in old)


def delete_file(project: Project, name: str) -> bool:
    """Remove a file with all its versions; return False if the project has no such file."""
    with transaction.atomic():
        lock_project(project)
        file = File.objects.filter(project=project, name=name, file_type=FileType.PROJECT_FILE).first()
        if file is None:
            return False
        _remove(project, _newest_first(file))
        file.delete()
    return True


def delete_version(version: FileVersion) -> None:
    """Remove one version. Clients see the newest of the others; with the last version, the file is removed."""
    with transaction.atomic():
        project = version.file.project
        lock_project(project)
        file = File.objects.filter(pk=version.file_id, versions=version).first()
        if file is None:
            return  # another request removed it first
        _remove(project, [version])
        file.latest_version = _newest_first(file).first()
        if file.latest_version is None:
            file.delete()
        else:
            file.save(update_fields=["latest_version"])


def _remove(project: Project, versions: Iterable[FileVersion]) -> None:
    doomed = list(versions)
    File.objects.filter(latest_version__in=[version.pk for version in doomed]).update(latest_version=None)
    FileVersion.objects.filter(pk__in=[version.pk for version in doomed]).delete()
    Project.objects.filter(pk=project.pk).update(
        data_last_updated_at=timezone.now(),
        file_storage_bytes=F("file_storage_bytes") - sum(version.size for version in doomed),
    )
    collect_after_commit(version.content for version in doomed)


def delete_older_packages(job: PackageJob) -> None:
    """Remove the files of the project's other packages: clients only get the newest one."""
    files = File.objects.filter(project_id=job.project_id, file_type=FileType.PACKAGE_FILE).exclude(package_job=job)
    keys = list(FileVersion.objects.filter(file__in=files).values_list("content", flat=True))
    files.delete()
    collect_after_commit(keys)


def recount(project: Project) -> int:
    """Count the bytes of all versions of the project's files again; return the total."""
    versions = FileVersion.objects.filter(file__project=project, file__file_type=FileType.PROJECT_FILE)
    total: int = versions.aggregate(total=Sum("size"))["total"] or 0
    Project.objects.filter(pk=project.pk).update(file_storage_bytes=total)
    return total


def read(version: FileVersion) -> BinaryIO:
    """Open the bytes of a version. Raises StorageError."""
    return blob_store().open(version.content)
