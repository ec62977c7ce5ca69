"""Permissions: one decision table, and one query for a user's role in a project."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, FilteredRelation, Q, QuerySet

from .models import Delta, Organization, OrganizationMember, Project, ProjectRole, User

#: The strongest role first.
ROLES = (ProjectRole.ADMIN, ProjectRole.MANAGER, ProjectRole.EDITOR, ProjectRole.REPORTER, ProjectRole.READER)
PUBLIC_ORIGIN = "public"


class Action(enum.Enum):
    """An action on a project: its title, and the weakest role that may do it."""

    def __init__(self, name: str, weakest: ProjectRole) -> None:
        self.title = name
        self.weakest = weakest

    SEE = "see the project", ProjectRole.READER
    READ_FILES = "read files and packages", ProjectRole.READER
    UPLOAD = "upload files", ProjectRole.REPORTER
    READ_DELTAS = "read deltas", ProjectRole.REPORTER
    READ_JOBS = "read jobs", ProjectRole.READER
    PACKAGE = "request a package", ProjectRole.READER
    CREATE_JOBS = "start jobs", ProjectRole.REPORTER
    PUSH_DELTAS = "push deltas", ProjectRole.REPORTER
    CREATE_FEATURES = "create features by deltas", ProjectRole.REPORTER
    CHANGE_FEATURES = "change and delete features by deltas", ProjectRole.EDITOR
    DELETE_FILES = "delete files", ProjectRole.EDITOR
    CHANGE = "change or delete the project", ProjectRole.MANAGER
    COLLABORATORS = "see and change collaborators", ProjectRole.MANAGER
    APPLY_DELTAS = "apply deltas and set their status", ProjectRole.MANAGER
    CHANGE_RESTRICTED = "change a restricted QGIS file", ProjectRole.MANAGER
    SECRETS = "see names of secrets and set them", ProjectRole.ADMIN
    DELETE_VERSIONS = "delete single versions of files", ProjectRole.ADMIN


def is_allowed(role: ProjectRole | None, action: Action) -> bool:
    """Whether the role may do it; without a role nothing is allowed."""
    return role is not None and ROLES.index(role) <= ROLES.index(action.weakest)


def stronger(first: ProjectRole | None, second: ProjectRole | None) -> ProjectRole | None:
    """Return the stronger of two roles."""
    held = [role for role in (first, second) if role is not None]
    return min(held, key=ROLES.index, default=None)


@dataclass(frozen=True)
class Access:
    """A project and the caller's role in it."""

    project: Project
    role: ProjectRole | None
    origin: str | None

    def allows(self, action: Action) -> bool:
        """Whether the caller may do it."""
        return is_allowed(self.role, action)

    def allows_role(self, role: str) -> bool:
        """Whether the caller may give or remove this role: it must not be stronger than their own."""
        return self.role is not None and ROLES.index(self.role) <= ROLES.index(ProjectRole(role))


def with_roles(user: User) -> QuerySet[Project]:
    """Return all projects, each with the user's role in it as `held_role` and `held_origin`.

    The details may have megabytes, so they are loaded only on access.
    """
    held = FilteredRelation("role_rows", condition=Q(role_rows__user_id=user.pk))
    return (
        Project.objects.select_related("owner")
        .defer("project_details")
        .annotate(held=held)
        .annotate(held_role=F("held__role_name"), held_origin=F("held__origin"))
    )


def access_of(project: Project) -> Access:
    """Return the access to a project from `with_roles`; a public project gives every user a role."""
    given: str | None = getattr(project, "held_role", None)
    role = ProjectRole(given) if given else None
    public = ProjectRole(project.public_collaborator_role) if project.is_public else None
    strongest = stronger(role, public)
    if strongest is None:
        return Access(project, None, None)
    is_given = strongest == role
    return Access(project, strongest, getattr(project, "held_origin", None) if is_given else PUBLIC_ORIGIN)


def find_access(user: User, project_id: UUID) -> Access | None:
    """Find the project and the user's role in it with one query; None without such a project."""
    project = with_roles(user).filter(pk=project_id).first()
    return access_of(project) if project else None


def role_in(user: User, project: Project) -> ProjectRole | None:
    """Return the user's role in the project."""
    access = find_access(user, project.pk)
    return access.role if access else None


def delta_action(delta: Delta) -> Action:
    """Return the action that a delta's sender needs permission for."""
    return Action.CREATE_FEATURES if delta.content.get("method") == "create" else Action.CHANGE_FEATURES


def is_member(user: User, organization: Organization) -> bool:
    """Whether the user owns the organization or is a member of it."""
    if organization.organization_owner_id == user.pk:
        return True
    return OrganizationMember.objects.filter(organization=organization, member=user).exists()


def is_organization_admin(user: User, organization: Organization) -> bool:
    """Whether the user owns the organization or is an admin of it."""
    if organization.organization_owner_id == user.pk:
        return True
    admins = OrganizationMember.objects.filter(organization=organization, role=OrganizationMember.Role.ADMIN)
    return admins.filter(member=user).exists()


def may_own(user: User, owner: User) -> bool:
    """Whether the user may create projects for the owner: for themselves, or for an organization as its admin.

    Members with the role `creator` may also create projects of the organization.
    """
    if owner.pk == user.pk:
        return True
    organization = Organization.objects.filter(pk=owner.pk).first()
    if organization is None:
        return False
    creators = OrganizationMember.objects.filter(organization=organization, role=OrganizationMember.Role.CREATOR)
    return is_organization_admin(user, organization) or creators.filter(member=user).exists()
