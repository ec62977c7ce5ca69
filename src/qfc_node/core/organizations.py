"""Members and teams: the rows that change together when a user joins or leaves an organization."""

from __future__ import annotations

from django.db import transaction

from .models import Organization, OrganizationMember, ProjectCollaborator, Team, TeamMember, User, UserType
from .quota import current_subscription


def has_room(organization: Organization) -> bool:
    """Whether the organization's plan allows another member."""
    subscription = current_subscription(organization.pk)
    limit = subscription.plan.max_organization_members if subscription else -1
    return limit < 0 or OrganizationMember.objects.filter(organization=organization).count() < limit


def remove_member(membership: OrganizationMember) -> None:
    """Remove a member, also from teams, and their roles in the organization's projects."""
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
    """Create a team without members. Raises IntegrityError if the name is taken."""
    return Team.objects.create(username=team_username(organization, name), team_organization=organization)


def rename_team(team: Team, name: str) -> None:
    """Rename a team. Raises IntegrityError if the name is taken."""
    team.username = team_username(team.team_organization, name)
    team.save(update_fields=["username"])


def may_collaborate(user: User, owner: User) -> bool:
    """Whether the account can get a role in a project of the owner.

    In a user's project every user can; in an organization's project its members and teams can.
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
