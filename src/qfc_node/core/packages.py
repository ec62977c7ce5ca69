"""The newest package of a project: its files, its attachments and its layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.db import OperationalError
from django.db.models import Q, QuerySet

from .attachments import attachment_folders
from .models import File, FileType, FileVersion, PackageJob, Project

#: The step of a package job that describes the layers as they were before packaging.
LAYERS_STEP = "qgis_layers_data"
#: So many packages in the time of one request mean that something else is wrong.
REPLACED_AT_MOST = 10


@dataclass(frozen=True)
class PackageFile:
    """A file that a device downloads with a package."""

    name: str
    version: FileVersion
    is_attachment: bool


def newest_package(project: Project) -> PackageJob | None:
    """Return the job of the newest package; None if no package job ever succeeded."""
    newest = Project.objects.filter(pk=project.pk).values("last_package_job")
    return PackageJob.objects.filter(pk__in=newest).defer("output").first()


def read_newest(project: Project) -> tuple[PackageJob, list[PackageFile]] | None:
    """Return the job of the newest package and its files; None without one.

    A worker may replace the package between two statements; then the next one is read.
    """
    job = newest_package(project)
    for _ in range(REPLACED_AT_MOST):
        if job is None:
            return None
        files = list(files_of(job))
        now = newest_package(project)
        if now == job:
            return job, files
        job = now
    raise OperationalError("the package is replaced again and again")


def files_of(job: PackageJob) -> Iterator[PackageFile]:
    """Yield the files of a package by name."""
    rows = FileVersion.objects.select_related("file").filter(file__package_job=job).order_by("file__name")
    for version in rows:
        yield PackageFile(version.file.name, version, is_attachment=False)


def attachments_of(project: Project) -> Iterator[PackageFile]:
    """Yield the newest version of each of the project's attachments, by name."""
    for file in _attachments(project).order_by("name"):
        if file.latest_version is not None:
            yield PackageFile(file.name, file.latest_version, is_attachment=True)


def _attachments(project: Project) -> QuerySet[File]:
    inside = Q()
    for folder in attachment_folders(project):
        inside |= Q(name__startswith=f"{folder}/")
    files = File.objects.select_related("latest_version").filter(project=project, file_type=FileType.PROJECT_FILE)
    return files.filter(inside)


def find_file(project: Project, name: str) -> FileVersion | None:
    """Return the newest package's file of that name, else the project's attachment.

    One statement finds package and file: between two, a worker may replace the package and remove the files of the old.
    """
    newest = Project.objects.filter(pk=project.pk).values("last_package_job")
    packaged = FileVersion.objects.filter(file__package_job__in=newest, file__name=name).first()
    if packaged is not None:
        return packaged
    attachment = _attachments(project).filter(name=name).first()
    return attachment.latest_version if attachment else None


def layers_of(job: PackageJob) -> dict[str, Any] | None:
    """Return the layers that a package job reported, by id, from either form of feedback."""
    feedback = cast(Mapping[str, Any], job.feedback or {})
    outputs = cast(Mapping[str, Any], feedback.get("outputs") or {})
    found = _layers(outputs.get(LAYERS_STEP))
    if found is not None:
        return found
    steps = cast(list[Mapping[str, Any]], feedback.get("steps") or [])
    step = next((step for step in steps if step.get("id") == LAYERS_STEP), None)
    return _layers(step.get("returns")) if step else None


def _layers(returned: Any) -> dict[str, Any] | None:
    if not isinstance(returned, dict):
        return None
    layers = cast(dict[str, Any], returned).get("layers_by_id")
    return cast(dict[str, Any], layers) if isinstance(layers, dict) else None
