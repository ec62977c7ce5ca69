"""Names and their versions: the only place that writes `filestorage_file` and `filestorage_fileversion`.

Bytes first, rows second. Between the two, a blob is kept from being collected by an advisory lock: whoever writes a
row shares it, whoever removes a blob has it alone. Locks are taken in this order: blobs, job, project, the rest; the
store may be slow, and nobody shall wait for a project because of that.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import BinaryIO

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Max, QuerySet, Sum
from django.utils import timezone

from ..core.models import File, FileType, FileVersion, Job, JobStatus, PackageJob, Plan, Project, User
from ..core.moments import later_than
from .blobs import Blob, Staged, blob_store
from .errors import StorageError
from .names import check_name

logger = logging.getLogger(__name__)

#: How many versions of a file are kept for an owner without a plan.
DEFAULT_KEEP_VERSIONS = 10

#: First of the two keys of a blob's advisory lock. The second is the first byte of its sha256: a package may hold very
#: many blobs, and PostgreSQL has room for some thousand locks in all.
LOCK_CLASS = 0x51464342


def add_version(project: Project, name: str, staged: Staged, user: User | None) -> FileVersion:
    """Make staged bytes the newest version of a name, all or nothing; old versions beyond the plan's number go.

    Raises UnsafeNameError, StorageError, or Project.DoesNotExist when the project is gone.
    """
    check_name(name)
    blob = blob_store().adopt(staged)
    with transaction.atomic():
        hold_blob(blob, staged)
        lock_project(project)
        return write_version(project, name, blob, user)


def lock_project(project: Project) -> None:
    """Hold the project's row to the end of the transaction. Raises Project.DoesNotExist."""
    Project.objects.select_for_update(no_key=True).only("pk").get(pk=project.pk)


def hold_blob(blob: Blob, staged: Staged) -> None:
    """Keep a blob from being collected to the end of the transaction; it is made anew when it is gone already."""
    _lock_together([blob.key])
    if not blob_store().exists(blob.key):
        blob_store().adopt(staged)


def hold_blobs(blobs: Iterable[Blob]) -> None:
    """Keep blobs from being collected to the end of the transaction. Raises StorageError when one is gone already."""
    keys = {blob.key for blob in blobs}
    _lock_together(keys)
    for key in keys - _named(keys):
        if not blob_store().exists(key):
            raise StorageError(f"blob {key[:12]}… was collected before it was named")


def _lock_together(keys: Iterable[str]) -> None:
    places = sorted({_place(key) for key in keys})
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock_shared(%s, place) from unnest(%s::int[]) as place", [LOCK_CLASS, places]
        )


def lock_alone(key: str) -> bool:
    """Have a blob for oneself to the end of the transaction; False, at once, when somebody is about to name it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, _place(key)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _place(key: str) -> int:
    return int(key[:2], 16)


def _named(keys: Collection[str]) -> set[str]:
    """Return those keys that a row names."""
    of_files = FileVersion.objects.filter(content__in=keys).values_list("content", flat=True)
    of_thumbnails = Project.objects.filter(thumbnail_uri__in=keys).values_list("thumbnail_uri", flat=True)
    return {*of_files.distinct(), *of_thumbnails}


def write_version(project: Project, name: str, blob: Blob, user: User | None) -> FileVersion:
    """Write the rows of a new version of a project's file; the caller holds the project and the blob."""
    file, _ = File.objects.get_or_create(project=project, name=name, file_type=FileType.PROJECT_FILE)
    version = _create(file, blob, user)
    freed = _prune(file, keep_versions(project))
    Project.objects.filter(pk=project.pk).update(
        data_last_updated_at=timezone.now(), file_storage_bytes=F("file_storage_bytes") + blob.size - freed
    )
    return version


def write_package_file(job: PackageJob, name: str, blob: Blob) -> FileVersion:
    """Write the rows of a file of a package; the caller holds the blob."""
    file = File.objects.create(project_id=job.project_id, name=name, file_type=FileType.PACKAGE_FILE, package_job=job)
    return _create(file, blob, None)


def _create(file: File, blob: Blob, user: User | None) -> FileVersion:
    last = FileVersion.objects.filter(file=file).aggregate(last=Max("uploaded_at"))["last"]
    version = FileVersion.objects.create(
        file=file,
        content=blob.key,
        md5sum=blob.md5,
        sha256sum=blob.sha256,
        size=blob.size,
        uploaded_at=later_than(last),
        uploaded_by=user,
    )
    file.latest_version = version
    file.save(update_fields=["latest_version"])
    return version


def keep_versions(project: Project) -> int:
    """How many versions of each file the project keeps: its own number, else its owner's plan's."""
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
    """Remove a name with all its versions; False when the project has no such file."""
    with transaction.atomic():
        lock_project(project)
        file = File.objects.filter(project=project, name=name, file_type=FileType.PROJECT_FILE).first()
        if file is None:
            return False
        _remove(project, _newest_first(file))
        file.delete()
    return True


def delete_version(version: FileVersion) -> None:
    """Remove one version; the newest of those that are left is what clients see, and with the last the name goes."""
    with transaction.atomic():
        project = version.file.project
        lock_project(project)
        file = File.objects.filter(pk=version.file_id, versions=version).first()
        if file is None:
            return  # somebody else was faster
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


def delete_project(project: Project) -> None:
    """Remove a project with everything that belongs to it. A job that runs on it notices and ends."""
    with transaction.atomic():
        _keep_everybody_out(project)
        keys = list(FileVersion.objects.filter(file__project=project).values_list("content", flat=True).distinct())
        if project.thumbnail_uri:
            keys.append(project.thumbnail_uri)
        project.delete()
        collect_after_commit(keys)


def _keep_everybody_out(project: Project) -> None:
    """Wait for those who are writing to the project, and let nobody begin."""
    open_statuses = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)
    open_jobs = Job.objects.filter(project=project, status__in=open_statuses).order_by("pk")
    list(open_jobs.select_for_update().values_list("pk"))
    list(Project.objects.filter(pk=project.pk).select_for_update().values_list("pk"))


def delete_older_packages(job: PackageJob) -> None:
    """Remove the files of the project's other packages: only the newest is ever served."""
    files = File.objects.filter(project_id=job.project_id, file_type=FileType.PACKAGE_FILE).exclude(package_job=job)
    keys = list(FileVersion.objects.filter(file__in=files).values_list("content", flat=True))
    files.delete()
    collect_after_commit(keys)


def recount(project: Project) -> int:
    """Compute the bytes of all versions of the project's files anew; return their number."""
    versions = FileVersion.objects.filter(file__project=project, file__file_type=FileType.PROJECT_FILE)
    total: int = versions.aggregate(total=Sum("size"))["total"] or 0
    Project.objects.filter(pk=project.pk).update(file_storage_bytes=total)
    return total


def collect_after_commit(keys: Iterable[str]) -> None:
    """Remove blobs that no row names any more, once the rows are gone for certain."""
    doomed = set(keys)

    def collect_them() -> None:
        try:
            collect(doomed)
        except (StorageError, DatabaseError) as error:
            logger.warning("%d blobs are left to the sweep: %s", len(doomed), error)

    if doomed:
        transaction.on_commit(collect_them)


def collect(keys: Collection[str]) -> int:
    """Remove those blobs that no row names and nobody is about to name; return how many went. Raises StorageError."""
    doomed = set(keys) - _named(keys)
    return sum(_collect(key) for key in doomed)


def _collect(key: str) -> bool:
    with transaction.atomic():
        if not lock_alone(key) or _named([key]):
            return False
        blob_store().delete(key)
        return True


def read(version: FileVersion) -> BinaryIO:
    """Open the bytes of a version. Raises StorageError."""
    return blob_store().open(version.content)
