"""Projects: list, create, show, change, delete."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from ...core import projects, quota, seeds, uploads
from ...core.models import Project, User, UserType
from ...core.permissions import Access, Action, access_of, may_own, with_roles
from ...core.project_state import with_state
from .. import project_lists
from ..base import Fields, NodeView, Shape, find_user
from ..errors import (
    NotCloneableProjectError,
    NotSupportedError,
    ObjectNotFoundError,
    PermissionDeniedError,
    ProjectAlreadyExistsError,
    QgisProjectFileNotAllowedError,
)
from ..openapi import BODY, CALLER, PROJECT, operation
from ..pagination import paginate
from ..refusals import refuse
from ..serializers.projects import (
    ChangeProjectBody,
    NewProjectBody,
    ProjectQuery,
    ProjectSerializer,
    PublicProjectQuery,
    ReplaceProjectBody,
)


def find_with_state(user: User, project_id: UUID, action: Action) -> Access:
    """Return the project for `ProjectSerializer`. Raises ObjectNotFoundError or PermissionDeniedError."""
    project = with_state(with_roles(user)).filter(pk=project_id).first()
    if project is None:
        raise ObjectNotFoundError
    access = access_of(project)
    if not access.allows(action):
        raise PermissionDeniedError
    return access


@contextmanager
def refusals_of_projects() -> Generator[None]:
    """Turn refusals of the rules of projects into errors that clients know."""
    try:
        yield
    except projects.ProjectExistsError as error:
        raise ProjectAlreadyExistsError from error
    except projects.ProjectTypeError as error:
        raise ValidationError({"project_type": str(error)}) from error
    except (projects.QgisFileError, uploads.ProjectFileNotAllowedError) as error:
        raise QgisProjectFileNotAllowedError from error
    except projects.NotCloneableError as error:
        raise NotCloneableProjectError from error


class _ProjectView(NodeView):
    def check_featuring(self, fields: Fields, project: Project | None = None) -> None:
        """Check that only superusers put a project before those of all others."""
        is_featured = project.is_featured if project else False
        if fields.get("is_featured", is_featured) != is_featured and not self.caller.is_superuser:
            raise PermissionDeniedError


class _ProjectList(_ProjectView):
    def answer(self, chosen: QuerySet[Project], query: Fields) -> Response:
        """Return a page of projects."""
        rows = with_state(project_lists.in_order(chosen, query))
        page = paginate(self.request, rows, query)
        accesses = [access_of(project) for project in page.rows]
        return Response(ProjectSerializer(accesses, many=True).data, headers=page.headers)


class ProjectsView(_ProjectList):
    """`projects/`."""

    @operation(
        "projects_list",
        "Projects that the caller has a role in",
        parameters=[ProjectQuery],
        answers={200: ProjectSerializer(many=True)},
        errors=CALLER | {400},
    )
    def get(self, request: Request) -> Response:
        """List projects; public ones only on demand."""
        del request
        query = self.read_query(ProjectQuery)
        return self.answer(project_lists.chosen(with_roles(self.caller), query), query)

    @operation(
        "projects_create",
        "Create a project",
        request=NewProjectBody,
        answers={201: ProjectSerializer},
        errors=PROJECT | BODY | {402, 409},
    )
    def post(self, request: Request) -> Response:
        """Create a project for the caller or an organization, empty or as a copy."""
        del request
        fields = _settings(self.read_body(NewProjectBody))
        seed = _seed(fields)
        self.check_featuring(fields)
        owner = self._owner(fields.pop("owner", None))
        source_id: UUID | None = fields.pop("clone_from_project", None)
        with refusals_of_projects():
            project = self._seeded(owner, fields, seed) if seed else self._make(owner, fields, source_id)
        access = find_with_state(self.caller, project.pk, Action.SEE)
        return Response(ProjectSerializer(access).data, status=201)

    def _owner(self, name: str | None) -> User:
        if name is None:
            return self.caller
        owner = find_user(name, UserType.PERSON, UserType.ORGANIZATION)
        if not may_own(self.caller, owner):
            raise PermissionDeniedError
        return owner

    def _seeded(self, owner: User, fields: Fields, seed: Fields) -> Project:
        refuse(quota.upload_allowance(owner, self.client_type).refuses(seeds.LARGEST_PROJECT))
        return seeds.create_project(owner, fields, self.caller, seed)

    def _make(self, owner: User, fields: Fields, source_id: UUID | None) -> Project:
        if source_id is None:
            return projects.create(owner, fields, self.caller)
        source = self.access(source_id, Action.READ_FILES).project
        refuse(quota.upload_allowance(owner, self.client_type).refuses(projects.copied_bytes(source)))
        return projects.clone(source, owner, fields, self.caller)


class PublicProjectsView(_ProjectList):
    """`projects/public/`."""

    @operation(
        "projects_public_list",
        "Public projects",
        parameters=[PublicProjectQuery],
        answers={200: ProjectSerializer(many=True)},
        errors=CALLER | {400},
    )
    def get(self, request: Request) -> Response:
        """List public projects."""
        del request
        return self.answer(with_roles(self.caller).filter(is_public=True), self.read_query(PublicProjectQuery))


class ProjectView(_ProjectView):
    """`projects/<id>/`."""

    @operation("projects_retrieve", "A project", answers={200: ProjectSerializer}, errors=PROJECT)
    def get(self, request: Request, project_id: UUID) -> Response:
        """Describe the project."""
        del request
        return Response(ProjectSerializer(find_with_state(self.caller, project_id, Action.SEE)).data)

    @operation(
        "projects_update",
        "Change a project",
        request=ChangeProjectBody,
        answers={200: ProjectSerializer},
        errors=PROJECT | BODY | {402, 409},
    )
    def patch(self, request: Request, project_id: UUID) -> Response:
        """Change the properties in the body."""
        del request
        return self._change(project_id, ChangeProjectBody)

    @operation(
        "projects_replace",
        "Change a project; the name is required, what is missing stays",
        request=ReplaceProjectBody,
        answers={200: ProjectSerializer},
        errors=PROJECT | BODY | {402, 409},
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        """Change the properties in the body."""
        del request
        return self._change(project_id, ReplaceProjectBody)

    def _change(self, project_id: UUID, shape: Shape) -> Response:
        access = self.access(project_id, Action.CHANGE)
        fields = _settings(self.read_body(shape))
        if "owner" in fields:
            fields["owner"] = self._new_owner(access, fields["owner"])
        self.check_featuring(fields, access.project)
        with refusals_of_projects():
            projects.change(access.project, fields)
        changed = with_state(with_roles(self.caller)).get(pk=project_id)
        return Response(ProjectSerializer(access_of(changed)).data)

    @operation("projects_delete", "Delete a project with all its files", answers={204: None}, errors=PROJECT)
    def delete(self, request: Request, project_id: UUID) -> Response:
        """Delete the project."""
        del request
        projects.delete(self.access(project_id, Action.CHANGE).project)
        return Response(status=204)

    def _new_owner(self, access: Access, name: str) -> User:
        """Return the new owner; the caller must be able to create projects for the old and for the new owner."""
        owner = find_user(name, UserType.PERSON, UserType.ORGANIZATION)
        if owner.pk != access.project.owner_id:
            if not (may_own(self.caller, access.project.owner) and may_own(self.caller, owner)):
                raise PermissionDeniedError
            refuse(quota.upload_allowance(owner, self.client_type).refuses(access.project.file_storage_bytes))
        return owner


def _seed(fields: Fields) -> Fields | None:
    """Take the seed out of the fields of a new project. Raises NotSupportedError for what only QGIS makes of one."""
    seed: Fields | None = fields.pop("seed", None)
    if fields.pop("xlsform_file", None) is not None:
        if seed is None:
            raise ValidationError({"xlsform_file": "An XLSForm needs a seed beside it."})
        raise NotSupportedError("only QGIS makes layers of an XLSForm; make the project there and upload its files")
    if seed is not None and "clone_from_project" in fields:
        raise NotSupportedError("a copy keeps the view of the original; leave out the seed")
    return seed


def _settings(fields: dict[str, Any]) -> Fields:
    """Convert `private`, which older clients send, into `is_public`."""
    private: bool | None = fields.pop("private", None)
    if private is not None:
        fields.setdefault("is_public", not private)
    return fields
