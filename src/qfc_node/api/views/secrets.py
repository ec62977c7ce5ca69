"""Secrets of projects: clients can set, list and delete them, but never read their values."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from ...core.models import Secret
from ...core.permissions import Action
from ...core.sealing import seal
from ..base import NodeView
from ..errors import AlreadyExistsError, ObjectNotFoundError
from ..openapi import BODY, PROJECT, operation, path_text
from ..serializers.projects import SecretBody, SecretSerializer

NAME = path_text("name", "Name of a secret.", max_length=255)


class SecretsView(NodeView):
    """`projects/<project>/secrets/`."""

    @operation(
        "secrets_list",
        "Names of the project's secrets, without their values",
        answers={200: SecretSerializer(many=True)},
        errors=PROJECT,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """List names."""
        del request
        project = self.access(project_id, Action.SECRETS).project
        rows = Secret.objects.filter(project=project).select_related("created_by").defer("value").order_by("name")
        return Response(SecretSerializer(rows, many=True).data)

    @operation(
        "secrets_create",
        "Set a secret: an environment variable or a PostgreSQL service file",
        request=SecretBody,
        answers={201: SecretSerializer},
        errors=PROJECT | BODY | {409},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """Store the secret, encrypted."""
        del request
        project = self.access(project_id, Action.SECRETS).project
        fields = self.read_body(SecretBody)
        if Secret.objects.filter(project=project, name=fields["name"]).exists():
            raise AlreadyExistsError("the project already has a secret of that name; delete it first")
        row = Secret.objects.create(
            project=project,
            name=fields["name"],
            type=fields["type"],
            value=seal(fields["value"]),
            created_by=self.caller,
        )
        return Response(SecretSerializer(row).data, status=201)


class SecretView(NodeView):
    """`projects/<project>/secrets/<name>/`."""

    @operation("secrets_delete", "Delete a secret", parameters=[NAME], answers={204: None}, errors=PROJECT)
    def delete(self, request: Request, project_id: UUID, name: str) -> Response:
        """Delete the secret."""
        del request
        project = self.access(project_id, Action.SECRETS).project
        deleted, _ = Secret.objects.filter(project=project, name=name).delete()
        if not deleted:
            raise ObjectNotFoundError(f"the project has no secret {name!r}")
        return Response(status=204)
