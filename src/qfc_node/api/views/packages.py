"""Packages, which devices download."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import file_versions, packages
from ...core.models import ClientType, JobStatus, PackageJob, Project
from ...core.packages import PackageFile
from ...core.permissions import Action
from ...storage.names import check_name
from ..base import NodeView
from ..downloads import send
from ..errors import InvalidJobError, ObjectNotFoundError, PermissionDeniedError
from ..openapi import BODY, FILE_NAME, PROJECT, multipart, operation
from ..serializers.files import UploadBody
from ..serializers.jobs import LegacyPackageSerializer, PackageSerializer
from .files import RANGE_ANSWERS

NO_PACKAGE = "Packaging has never been triggered or successful for this project."


def newest_package(project: Project) -> tuple[PackageJob, list[PackageFile]]:
    """Return the job of the newest package and its files. Raises InvalidJobError."""
    newest = packages.read_newest(project)
    if newest is None:
        raise InvalidJobError(NO_PACKAGE)
    return newest


def _describe(file: PackageFile) -> dict[str, Any]:
    version = file.version
    return {
        "name": file.name,
        "size": version.size,
        "last_modified": version.uploaded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "uploaded_at": version.uploaded_at,
        "md5sum": version.entity_tag,
        "is_attachment": file.is_attachment,
        "sha256": bytes(version.sha256sum).hex(),
    }


class LatestPackageView(NodeView):
    """`packages/<project>/latest/`."""

    @operation("packages_latest", "The newest package", answers={200: PackageSerializer}, errors=PROJECT | {400})
    def get(self, request: Request, project_id: UUID) -> Response:
        """Describe the package and the project's attachments."""
        del request
        project = self.access(project_id, Action.READ_FILES).project
        job, packaged = newest_package(project)
        files = [*packaged, *packages.attachments_of(project)]
        answer = {
            "files": [_describe(file) for file in files],
            "layers": packages.layers_of(job),
            "status": job.status,
            "package_id": str(job.pk),
            "packaged_at": project.data_last_packaged_at,
            "data_last_updated_at": project.data_last_updated_at,
        }
        return Response(answer)


class LatestPackageFileView(NodeView):
    """`packages/<project>/latest/files/<name>/`."""

    @operation(
        "packages_download",
        "Download a file of the newest package, or an attachment",
        parameters=[FILE_NAME],
        answers=RANGE_ANSWERS,
        errors=PROJECT | {400, 416},
    )
    def get(self, request: Request, project_id: UUID, filename: str) -> HttpResponseBase:
        """Send the bytes."""
        project = self.access(project_id, Action.READ_FILES).project
        version = packages.find_file(project, filename)
        if version is None:
            newest_package(project)
            raise ObjectNotFoundError(f"the package has no such file: {filename!r}")
        return send(request, version, filename)


class PackageFileView(NodeView):
    """`packages/<project>/<job>/files/<name>/`: a worker on another machine uploads its package here."""

    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]

    @operation(
        "packages_upload",
        "Upload a file of a package; only with a worker's token",
        parameters=[FILE_NAME],
        request=multipart(UploadBody),
        answers={201: None},
        errors=PROJECT | BODY | {409},
    )
    def post(self, request: Request, project_id: UUID, job_id: UUID, filename: str) -> Response:
        """Store the bytes as a file of the package."""
        del request
        project = self.access(project_id, Action.UPLOAD).project
        if self.client_type != ClientType.WORKER:
            raise PermissionDeniedError
        check_name(filename)
        job = PackageJob.objects.filter(pk=job_id, project=project, status=JobStatus.STARTED).first()
        if job is None:
            raise InvalidJobError("No such package job is running.")
        file_versions.replace_package_file(job, filename, self.read_file("file").staged)
        return Response(status=201)


class LegacyPackageView(NodeView):
    """`qfield-files/<project>/`, the older URL of the package."""

    @operation(
        "qfield_files",
        "The newest package, for older clients",
        answers={200: LegacyPackageSerializer},
        errors=PROJECT | {400},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Describe the package's files, without attachments."""
        del request
        project = self.access(project_id, Action.READ_FILES).project
        job, packaged = newest_package(project)
        kept = ("name", "size", "sha256")
        files = [{key: _describe(file)[key] for key in kept} for file in packaged]
        layers = packages.layers_of(job) or {}
        return Response({"files": files, "layers": {key: _legacy_layer(layer) for key, layer in layers.items()}})


def _legacy_layer(layer: dict[str, Any]) -> dict[str, Any]:
    return {**layer, "valid": layer.get("is_valid"), "status": layer.get("error_code")}
