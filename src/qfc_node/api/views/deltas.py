"""Deltas: push, list, apply, ignore."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import deltafile, intake
from ...core.models import Delta, DeltaStatus, ProjectRole
from ...core.permissions import Access, Action
from ..base import NodeView
from ..errors import DeltafileTooLargeError, InvalidDeltafileError, ObjectNotFoundError
from ..long_lists import answer_all
from ..openapi import BODY, PROJECT, multipart, operation
from ..pagination import PageQuery, page_of
from ..refusals import check_has_data
from ..serializers.files import DeltafileBody
from ..serializers.jobs import ChangedSerializer, DeltaSerializer, DeltaStatusBody


class _DeltaList(NodeView):
    def answer(self, deltas: QuerySet[Delta], deltafile_id: UUID | None = None) -> HttpResponseBase:
        """Return deltas of the project in the order of their arrival."""
        query = self.read_query(PageQuery)
        rows = deltas.select_related("created_by").order_by("created_at", "pk")
        page = page_of(self.request, rows, query)

        shape = DeltaSerializer()

        def describe(delta: Delta) -> Any:
            delta.deltafile_id = deltafile_id or delta.deltafile_id  # one that was sent again belongs to each file
            return shape.to_representation(delta)

        return answer_all(page.rows, describe, page.headers)


class DeltasView(_DeltaList):
    """`deltas/<project>/`."""

    parser_classes = [MultiPartParser]

    @operation(
        "deltas_list",
        "Deltas of a project, the oldest first",
        parameters=[PageQuery],
        answers={200: DeltaSerializer(many=True)},
        errors=PROJECT | {400},
    )
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        """List deltas."""
        del request
        project = self.access(project_id, Action.READ_DELTAS).project
        return self.answer(Delta.objects.filter(project=project))

    @operation(
        "deltas_push",
        "Push a deltafile",
        request=multipart(DeltafileBody),
        answers={200: None},
        errors=PROJECT | BODY | {429},
        description="Deltas that the server already has are skipped, so that sending a file again is harmless.",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """Store the deltas. Success means that they are stored, not that they are applied."""
        del request
        access = self.access(project_id, Action.PUSH_DELTAS)
        check_has_data(access.project)
        self.count_synchronisation(access.project)
        try:
            sent = self._read()
            _check_project(access, sent.project_id)
            intake.take(access.project, sent, self.caller, access.role or ProjectRole.READER)
        except deltafile.DeltafileTooLargeError as error:
            raise DeltafileTooLargeError(str(error)) from error
        except deltafile.DeltafileError as error:
            raise InvalidDeltafileError(str(error)) from error
        return Response(status=200)

    def _read(self) -> deltafile.Deltafile:
        upload = self.read_file("file")
        return deltafile.read_deltafile(upload.open, settings.DELTAFILE_LIMITS, upload.blob.size)


def _check_project(access: Access, named: UUID) -> None:
    if named != access.project.pk:
        raise deltafile.DeltafileError(
            f"Deltafile's project id ({named}) doesn't match URL parameter project id ({access.project.pk})."
        )


class DeltafileView(_DeltaList):
    """`deltas/<project>/<deltafile>/`."""

    @operation(
        "deltas_of_file",
        "Deltas of one deltafile",
        parameters=[PageQuery],
        answers={200: DeltaSerializer(many=True)},
        errors=PROJECT | {400},
    )
    def get(self, request: Request, project_id: UUID, deltafile_id: UUID) -> HttpResponseBase:
        """List deltas."""
        del request
        deltas = intake.of_deltafile(self.access(project_id, Action.READ_DELTAS).project, deltafile_id)
        if not deltas.exists():
            raise ObjectNotFoundError
        return self.answer(deltas, deltafile_id)

    @operation(
        "deltas_set_status",
        "Ignore the deltas of a file that were not applied, or apply them again",
        request=DeltaStatusBody,
        answers={200: ChangedSerializer},
        errors=PROJECT | BODY,
    )
    def patch(self, request: Request, project_id: UUID, deltafile_id: UUID) -> Response:
        """Set the status."""
        del request
        project = self.access(project_id, Action.APPLY_DELTAS).project
        status = DeltaStatus(self.read_body(DeltaStatusBody)["status"])
        return Response({"changed": intake.set_status(project, deltafile_id, status, self.caller)})


class ApplyDeltasView(NodeView):
    """`deltas/apply/<project>/`."""

    @operation(
        "deltas_apply",
        "Apply pending and not applied deltas",
        answers={200: None},
        errors=PROJECT | {400, 429},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """Create jobs for the deltas that are in no open job."""
        del request
        project = self.access(project_id, Action.APPLY_DELTAS).project
        check_has_data(project)
        self.count_synchronisation(project)
        intake.apply_waiting(project, self.caller)
        return Response(status=200)
