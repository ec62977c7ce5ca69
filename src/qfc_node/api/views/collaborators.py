"""Collaborators of projects: users and teams with a role."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from ...core import quota
from ...core.models import Project, ProjectCollaborator, User, UserType
from ...core.organizations import may_collaborate
from ...core.permissions import Access, Action
from ..base import NodeView, find_user
from ..errors import InvalidInputError, ObjectNotFoundError, PermissionDeniedError
from ..openapi import BODY, PROJECT, operation, path_text
from ..pagination import PageQuery, paginate
from ..refusals import refuse
from ..serializers.projects import ChangeCollaboratorBody, CollaboratorSerializer, NewCollaboratorBody

COLLABORATOR = path_text("collaborator", "Name of a user, or of a team as `@organization/team`.")
DUPLICATE = "Project collaborator with this Project and Collaborator already exists."


def find_collaborator(project: Project, name: str) -> ProjectCollaborator:
    """Find a collaborator by name. Raises ObjectNotFoundError."""
    rows = ProjectCollaborator.objects.select_related("collaborator", "created_by", "updated_by")
    row = rows.filter(project=project, collaborator__username__iexact=name).first()
    if row is None:
        raise ObjectNotFoundError(f"{name!r} is not a collaborator")
    return row


class CollaboratorsView(NodeView):
    """`collaborators/<project>/`."""

    @operation(
        "collaborators_list",
        "Collaborators of a project and their roles",
        parameters=[PageQuery],
        answers={200: CollaboratorSerializer(many=True)},
        errors=PROJECT | {400},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """List collaborators by name."""
        query = self.read_query(PageQuery)
        project = self.access(project_id, Action.COLLABORATORS).project
        rows = ProjectCollaborator.objects.filter(project=project)
        rows = rows.select_related("collaborator", "created_by", "updated_by").order_by("collaborator__username")
        page = paginate(request, rows, query)
        return Response(CollaboratorSerializer(page.rows, many=True).data, headers=page.headers)

    @operation(
        "collaborators_create",
        "Add a collaborator with a role",
        request=NewCollaboratorBody,
        answers={201: CollaboratorSerializer},
        errors=PROJECT | BODY | {409},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """Add a collaborator."""
        del request
        access = self.access(project_id, Action.COLLABORATORS)
        fields = self.read_body(NewCollaboratorBody)
        user = find_user(fields["collaborator"], UserType.PERSON, UserType.TEAM)
        _check_new(access, user, fields["role"])
        row = ProjectCollaborator.objects.create(
            project=access.project,
            collaborator=user,
            role=fields["role"],
            created_by=self.caller,
            updated_by=self.caller,
        )
        return Response(CollaboratorSerializer(row).data, status=201)


def _check_new(access: Access, user: User, role: str) -> None:
    if not access.allows_role(role):
        raise PermissionDeniedError
    if not may_collaborate(user, access.project.owner):
        raise InvalidInputError(
            "only other users can collaborate, and in an organization's project only its members and teams"
        )
    if ProjectCollaborator.objects.filter(project=access.project, collaborator=user).exists():
        raise InvalidInputError(DUPLICATE)
    refuse(quota.refuses_collaborator(access.project))


class CollaboratorView(NodeView):
    """`collaborators/<project>/<name>/`."""

    @operation(
        "collaborators_retrieve",
        "A collaborator's role in a project",
        parameters=[COLLABORATOR],
        answers={200: CollaboratorSerializer},
        errors=PROJECT,
    )
    def get(self, request: Request, project_id: UUID, collaborator: str) -> Response:
        """Describe the collaborator."""
        del request
        project = self.access(project_id, Action.COLLABORATORS).project
        return Response(CollaboratorSerializer(find_collaborator(project, collaborator)).data)

    @operation(
        "collaborators_update",
        "Change a collaborator's role",
        parameters=[COLLABORATOR],
        request=ChangeCollaboratorBody,
        answers={200: CollaboratorSerializer},
        errors=PROJECT | BODY,
    )
    def patch(self, request: Request, project_id: UUID, collaborator: str) -> Response:
        """Change the role."""
        del request
        return self._change(project_id, collaborator)

    @operation(
        "collaborators_replace",
        "Change a collaborator's role",
        parameters=[COLLABORATOR],
        request=ChangeCollaboratorBody,
        answers={200: CollaboratorSerializer},
        errors=PROJECT | BODY,
    )
    def put(self, request: Request, project_id: UUID, collaborator: str) -> Response:
        """Change the role."""
        del request
        return self._change(project_id, collaborator)

    def _change(self, project_id: UUID, collaborator: str) -> Response:
        access = self.access(project_id, Action.COLLABORATORS)
        row = find_collaborator(access.project, collaborator)
        role: str = self.read_body(ChangeCollaboratorBody)["role"]
        if not (access.allows_role(role) and access.allows_role(row.role)):
            raise PermissionDeniedError
        row.role, row.updated_by = role, self.caller
        row.save(update_fields=["role", "updated_by", "updated_at"])
        return Response(CollaboratorSerializer(row).data)

    @operation(
        "collaborators_delete",
        "Remove a collaborator",
        parameters=[COLLABORATOR],
        answers={204: None},
        errors=PROJECT,
    )
    def delete(self, request: Request, project_id: UUID, collaborator: str) -> Response:
        """Remove the collaborator."""
        del request
        access = self.access(project_id, Action.COLLABORATORS)
        row = find_collaborator(access.project, collaborator)
        if not access.allows_role(row.role):
            raise PermissionDeniedError
        row.delete()
        return Response(status=204)
