"""Members and teams: what has to change together when somebody joins or leaves an organization."""

from __future__ import annotations

from django.db import transaction

from .models import Organization, OrganizationMember, ProjectCollaborator, Team, TeamMember, User, UserType
from .quota import current_subscription


def has_room(organization: Organization) -> bool:
    """Whether the organization's plan allows one member more."""
    subscription = current_subscription(organization.pk)
    limit = subscription.plan.max_organization_members if subscription else -1
    return limit < 0 or OrganizationMember.objects.filter(organization=organization).count() < limit


def remove_member(membership: OrganizationMember) -> None:
    """End a membership with what it gave: places in teams and roles in the organization's projects."""
    with transaction.atomic():
        TeamMember.objects.filter(
            team__team_organization=membership.organization_id, member=membership.member_id
        ).delete()
        ProjectCollaborator.objects.filter(
            project__owner_id=membership.organization_id, collaborator=membership.member_id
        ).delete()
        membership.delete()


def team_username(organization: Organization, name: str) -> str:
    """Return the account name of a team."""
    return f"@{organization.username}/{name}"


def create_team(organization: Organization, name: str) -> Team:
    """Make a team without members. Raises IntegrityError when the name is taken."""
    return Team.objects.create(username=team_username(organization, name), team_organization=organization)


def rename_team(team: Team, name: str) -> None:
    """Give a team another name. Raises IntegrityError when it is taken."""
    team.username = team_username(team.team_organization, name)
    team.save(update_fields=["username"])


def may_collaborate(user: User, owner: User) -> bool:
    """Whether the account can be given a role in a project of the owner.

    A project of a person takes any person, one of an organization its members and teams.
    """
    if user.pk == owner.pk or user.type == UserType.ORGANIZATION:
        return False
    if owner.type != UserType.ORGANIZATION:
        return user.type == UserType.PERSON
    organization = Organization.objects.get(pk=owner.pk)
    if user.type == UserType.TEAM:
        return Team.objects.filter(pk=user.pk, team_organization=organization).exists()
    is_owner = organization.organization_owner_id == user.pk
    return is_owner or OrganizationMember.objects.filter(organization=organization, member=user).exists()
