"""Seeds and thumbnails of projects."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse
from rest_framework.parsers import BaseParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import seeds, thumbnails
from ...core.models import Project, ProjectSeed
from ...core.permissions import Action
from ..base import NodeView
from ..downloads import CONTENT_TYPE, disposition
from ..errors import EmptyContentError, ObjectNotFoundError, TooLargeError
from ..openapi import BODY, FILE, PROJECT, multipart, operation
from ..serializers.files import Json2qgisBody, ThumbnailBody, XlsformBody
from ..serializers.projects import SeedBody, SeedSerializer

PICTURE = {(200, "image/png"): OpenApiResponse(bytes, description="The picture."), 304: None}
FORM_ANSWERS = {**FILE, 204: None}


class SeedView(NodeView):
    """`projects/<project>/seed/`."""

    parser_classes: ClassVar[list[type[BaseParser]]] = [JSONParser]

    @operation("projects_seed", "The seed of a project", answers={200: SeedSerializer}, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> Response:
        """Describe the seed."""
        del request
        seed = seeds.stored(self.access(project_id, Action.SEE).project)
        if seed is None:
            raise ObjectNotFoundError("the project has no seed")
        return Response(SeedSerializer(seed).data)

    @operation(
        "projects_seed_set",
        "Set the seed of a project",
        request=SeedBody,
        answers={200: SeedSerializer},
        errors=PROJECT | BODY,
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        """Store the seed."""
        del request
        project = self.access(project_id, Action.CHANGE).project
        fields = self.read_body(SeedBody)
        seeds.store(project, fields["crs"], fields["extent"], fields["basemaps"])
        return Response(SeedSerializer(seeds.describe(project)).data)


class _FormView(NodeView):
    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]

    def find(self, project_id: UUID) -> ProjectSeed | None:
        """Return the stored seed of a project that the caller may see."""
        return ProjectSeed.objects.filter(project=self.access(project_id, Action.SEE).project).first()

    def read_form(self, name: str) -> tuple[str, bytes]:
        """Return the name and the bytes of the uploaded form."""
        upload = self.read_file(name)
        if upload.blob.size > seeds.MAX_FORM_BYTES:
            raise TooLargeError(f"a form may have at most {seeds.MAX_FORM_BYTES} bytes")
        with upload.open() as source:
            content: bytes = source.read()
        if not content:
            raise EmptyContentError
        return upload.name or name, content


def _send_form(name: str, content: bytes | memoryview | None) -> HttpResponseBase:
    if content is None:
        return HttpResponse(status=204)
    headers = {"Content-Disposition": disposition(name)}
    return HttpResponse(bytes(content), content_type=CONTENT_TYPE, headers=headers)


class SeedXlsformView(_FormView):
    """`projects/<project>/seed/xlsform/`."""

    @operation("projects_seed_xlsform", "The form of a seed", answers=FORM_ANSWERS, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        """Send the form; 204 without one."""
        del request
        seed = self.find(project_id)
        return _send_form(seed.xlsform_name, seed.xlsform) if seed else _send_form("", None)

    @operation(
        "projects_seed_xlsform_set",
        "Set the form of a seed",
        request=multipart(XlsformBody),
        answers={204: None},
        errors=PROJECT | BODY,
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        """Store the form."""
        del request
        project = self.access(project_id, Action.CHANGE).project
        seeds.store_xlsform(project, *self.read_form("xlsform"))
        return Response(status=204)


class SeedJson2qgisView(_FormView):
    """`projects/<project>/seed/json2qgis/`."""

    @operation("projects_seed_json2qgis", "The JSON description of a seed", answers=FORM_ANSWERS, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        """Send the description; 204 without one."""
        del request
        seed = self.find(project_id)
        return _send_form("json2qgis.json", seed.json2qgis if seed else None)

    @operation(
        "projects_seed_json2qgis_set",
        "Set the JSON description of a seed",
        request=multipart(Json2qgisBody),
        answers={204: None},
        errors=PROJECT | BODY,
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        """Store the description."""
        del request
        project = self.access(project_id, Action.CHANGE).project
        seeds.store_json2qgis(project, self.read_form("json2qgis")[1])
        return Response(status=204)


def _send_thumbnail(project: Project, request: Request) -> HttpResponseBase:
    tag = f'"{project.thumbnail_uri}"'
    if project.thumbnail_uri and request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    picture = thumbnails.read(project)
    if picture is None:
        raise ObjectNotFoundError("the project has no thumbnail")
    return HttpResponse(picture, content_type="image/png", headers={"ETag": tag})


class ThumbnailView(NodeView):
    """`projects/<project>/thumbnail/`."""

    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]

    @operation("projects_thumbnail", "A picture of the project", answers=PICTURE, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        """Send the picture."""
        return _send_thumbnail(self.access(project_id, Action.SEE).project, request)

    @operation(
        "projects_thumbnail_set",
        "Set the picture of the project",
        request=multipart(ThumbnailBody),
        answers={204: None},
        errors=PROJECT | BODY,
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """Store the picture."""
        del request
        project = self.access(project_id, Action.CHANGE).project
        thumbnails.replace(project, thumbnails.picture_from(self.read_file("thumbnail").staged.path))
        return Response(status=204)


class MetaThumbnailView(NodeView):
    """`files/meta/<project>/thumbnail.png`, the older URL of the picture."""

    @operation("files_meta_thumbnail", "A picture of the project; the older URL", answers=PICTURE, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        """Send the picture."""
        return _send_thumbnail(self.access(project_id, Action.SEE).project, request)


class FilesThumbnailView(NodeView):
    """`files/thumbnails/<project>/`, the URL of the picture for QField."""

    @operation("files_thumbnail", "A picture of the project", answers=PICTURE, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        """Send the picture."""
        return _send_thumbnail(self.access(project_id, Action.SEE).project, request)
