"""Files of projects: list, upload, download, delete."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import quota, uploads
from ...core.attachments import attachment_folders
from ...core.models import File, FileType, FileVersion, Project
from ...core.permissions import Access, Action
from ...core.projects import is_project_file, is_restricted_file
from ...storage.names import check_name
from ..base import Fields, NodeView
from ..downloads import send
from ..errors import (
    LastVersionError,
    MultipleProjectsError,
    ObjectNotFoundError,
    QgisProjectFileNotAllowedError,
    RestrictedProjectModificationError,
)
from ..fields import Uuid
from ..openapi import BODY, FILE, FILE_NAME, PROJECT, multipart, operation
from ..pagination import paginate
from ..refusals import refuse
from ..serializers.files import DownloadQuery, FileQuery, FileSerializer, UploadBody, describe_files

VERSION_HEADER = OpenApiParameter(
    "x-file-version", OpenApiTypes.UUID, OpenApiParameter.HEADER, description="Delete this version only."
)
RANGE_ANSWERS = {
    **FILE,
    (206, "application/octet-stream"): FILE[200, "application/octet-stream"],
    304: None,
}


def find_version(project: Project, name: str, version_id: UUID | None) -> FileVersion:
    """Return a version of a project's file; without an id, the newest one. Raises ObjectNotFoundError."""
    versions = FileVersion.objects.filter(file__project=project, file__name=name, file__file_type=FileType.PROJECT_FILE)
    if version_id is not None:
        versions = versions.filter(pk=version_id)
    version = versions.select_related("file").order_by("-uploaded_at", "-id").first()
    if version is None:
        raise ObjectNotFoundError(f"the project has no such file or version: {name!r}")
    return version


def versions_of(project: Project) -> QuerySet[FileVersion]:
    """Return the versions of the project's files, by name, the newest first."""
    rows = FileVersion.objects.select_related("file")
    rows = rows.filter(file__project=project, file__file_type=FileType.PROJECT_FILE)
    return rows.order_by("file__name", "-uploaded_at", "-id")


class FilesView(NodeView):
    """`files/<project>/`."""

    @operation(
        "files_list",
        "Files of a project with their versions",
        parameters=[FileQuery],
        answers={200: FileSerializer(many=True)},
        errors=PROJECT | {400},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """List the files by name."""
        del request
        query = self.read_query(FileQuery)
        project = self.access(project_id, Action.READ_FILES).project
        versions, headers = self._page(project, query)
        described = describe_files(
            versions,
            attachment_folders(project),
            metadata=not query.get("skip_metadata"),
            versions=not query.get("skip_versions"),
        )
        return Response(described, headers=headers)

    def _page(self, project: Project, query: Fields) -> tuple[QuerySet[FileVersion], dict[str, str]]:
        """Return the versions of the requested files, and the headers of the page."""
        if not query.keys() & {"limit", "offset"}:
            return versions_of(project), {}
        files = File.objects.filter(project=project, file_type=FileType.PROJECT_FILE).order_by("name", "pk")
        page = paginate(self.request, files, query)
        return versions_of(project).filter(file__in=[file.pk for file in page.rows]), page.headers


class FileMetadataView(NodeView):
    """`files/metadata/<project>/<name>/`."""

    @operation(
        "files_metadata",
        "A file with its versions, as the list has it",
        parameters=[FILE_NAME],
        answers={200: FileSerializer},
        errors=PROJECT,
    )
    def get(self, request: Request, project_id: UUID, filename: str) -> Response:
        """Describe the file."""
        del request
        project = self.access(project_id, Action.READ_FILES).project
        folders = attachment_folders(project)
        found = describe_files(versions_of(project).filter(file__name=filename), folders, metadata=True, versions=True)
        if not found:
            raise ObjectNotFoundError(f"the project has no such file: {filename!r}")
        return Response(found[0])


class FileView(NodeView):
    """`files/<project>/<name>/`."""

    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]

    @operation(
        "files_download",
        "Download a file, whole or in part",
        parameters=[FILE_NAME, DownloadQuery],
        answers=RANGE_ANSWERS,
        errors=PROJECT | {400, 416},
    )
    def get(self, request: Request, project_id: UUID, filename: str) -> HttpResponseBase:
        """Send the bytes."""
        version_id: UUID | None = self.read_query(DownloadQuery).get("version")
        project = self.access(project_id, Action.READ_FILES).project
        return send(request, find_version(project, filename, version_id), filename)

    @operation(
        "files_upload",
        "Upload a file, or a new version of it",
        parameters=[FILE_NAME],
        request=multipart(UploadBody),
        answers={201: OpenApiTypes.OBJECT},
        errors=PROJECT | BODY | {402, 409, 429},
    )
    def post(self, request: Request, project_id: UUID, filename: str) -> Response:
        """Store the bytes as the newest version."""
        access = self.access(project_id, Action.UPLOAD)
        check_name(filename)
        _check_restriction(access, filename)
        allowance = quota.upload_allowance(access.project.owner, self.client_type)
        refuse(allowance.refuses(_announced_bytes(request)))
        if is_project_file(filename):
            self.count_synchronisation(access.project)
        upload = self.read_file("file")
        refuse(allowance.refuses(upload.blob.size))
        try:
            uploads.store(access.project, filename, upload.staged, self.caller)
        except uploads.SecondProjectFileError as error:
            raise MultipleProjectsError from error
        except uploads.ProjectFileNotAllowedError as error:
            raise QgisProjectFileNotAllowedError from error
        return Response({}, status=201, headers={"Location": quote(request.path)})

    @operation(
        "files_delete",
        "Delete a file, or one version of it",
        parameters=[FILE_NAME, VERSION_HEADER, DownloadQuery],
        answers={204: None},
        errors=PROJECT | {400},
    )
    def delete(self, request: Request, project_id: UUID, filename: str) -> Response:
        """Delete the file, or the version that the header or the query names."""
        version_id: UUID | None = self.read_query(DownloadQuery).get("version") or _header_version(request)
        access = self.access(project_id, Action.DELETE_VERSIONS if version_id else Action.DELETE_FILES)
        _check_restriction(access, filename)
        if version_id:
            _remove_version(find_version(access.project, filename, version_id))
        elif not uploads.remove(access.project, filename):
            raise ObjectNotFoundError(f"the project has no such file: {filename!r}")
        return Response(status=204)


def _remove_version(version: FileVersion) -> None:
    try:
        uploads.remove_version(version)
    except uploads.LastVersionError as error:
        raise LastVersionError from error


def _header_version(request: Request) -> UUID | None:
    text = request.headers.get("x-file-version")
    return Uuid().run_validation(text) if text else None


def _check_restriction(access: Access, name: str) -> None:
    is_restricted = access.project.has_restricted_projectfiles and is_restricted_file(access.project, name)
    if is_restricted and not access.allows(Action.CHANGE_RESTRICTED):
        raise RestrictedProjectModificationError


def _announced_bytes(request: Request) -> int:
    """Estimate the number of incoming bytes, so that a file that does not fit is refused before it is sent."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    envelope = 1024
    return max(0, int(announced) - envelope) if announced.isdigit() else 0
