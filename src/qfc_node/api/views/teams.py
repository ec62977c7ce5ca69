"""Teams of organizations and their members."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from ...core import organizations
from ...core.models import Organization, Team, TeamMember, User, UserType
from ..base import NodeView, find_organization, find_user
from ..errors import AlreadyExistsError, InvalidInputError, ObjectNotFoundError
from ..openapi import BODY, MEMBER, ORGANIZATION, PROJECT, operation, path_text
from ..serializers.accounts import TeamBody, TeamMemberBody, TeamMemberSerializer, TeamSerializer

TEAM = path_text("team", "Name of a team, without its organization.", max_length=100)


def find_team(organization: Organization, name: str) -> Team:
    """Find a team by its name in the organization. Raises ObjectNotFoundError."""
    teams = Team.objects.select_related("team_organization").prefetch_related("members__member")
    team = teams.filter(username__iexact=organizations.team_username(organization, name)).first()
    if team is None:
        raise ObjectNotFoundError(f"the organization has no team {name!r}")
    return team


class TeamsView(NodeView):
    """`organizations/<organization>/teams/`."""

    @operation(
        "teams_list",
        "Teams of an organization; for its members",
        parameters=[ORGANIZATION],
        answers={200: TeamSerializer(many=True)},
        errors=PROJECT,
    )
    def get(self, request: Request, organization: str) -> Response:
        """List teams by name."""
        del request
        found = find_organization(organization, self.caller)
        teams = Team.objects.filter(team_organization=found)
        teams = teams.select_related("team_organization").prefetch_related("members__member")
        return Response(TeamSerializer(teams.order_by("username"), many=True).data)

    @operation(
        "teams_create",
        "Create a team; for admins of the organization",
        parameters=[ORGANIZATION],
        request=TeamBody,
        answers={201: TeamSerializer},
        errors=PROJECT | BODY | {409},
    )
    def post(self, request: Request, organization: str) -> Response:
        """Create a team."""
        del request
        found = find_organization(organization, self.caller, as_admin=True)
        name: str = self.read_body(TeamBody)["team"]
        _check_is_free(found, name)
        return Response(TeamSerializer(organizations.create_team(found, name)).data, status=201)


def _check_is_free(organization: Organization, name: str, besides: Team | None = None) -> None:
    username = organizations.team_username(organization, name)
    if len(username) > 150:
        raise InvalidInputError("the name of the team is too long for this organization")
    taken = User.objects.filter(username__iexact=username)
    if besides is not None:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists():
        raise AlreadyExistsError("the organization already has a team of that name")


class TeamView(NodeView):
    """`organizations/<organization>/teams/<team>/`."""

    @operation(
        "teams_retrieve",
        "A team; for members of the organization",
        parameters=[ORGANIZATION, TEAM],
        answers={200: TeamSerializer},
        errors=PROJECT,
    )
    def get(self, request: Request, organization: str, team: str) -> Response:
        """Describe the team."""
        del request
        found = find_organization(organization, self.caller)
        return Response(TeamSerializer(find_team(found, team)).data)

    @operation(
        "teams_update",
        "Rename a team; for admins of the organization",
        parameters=[ORGANIZATION, TEAM],
        request=TeamBody,
        answers={200: TeamSerializer},
        errors=PROJECT | BODY | {409},
    )
    def put(self, request: Request, organization: str, team: str) -> Response:
        """Rename the team."""
        del request
        return self._rename(organization, team)

    @operation(
        "teams_patch",
        "Rename a team; for admins of the organization",
        parameters=[ORGANIZATION, TEAM],
        request=TeamBody,
        answers={200: TeamSerializer},
        errors=PROJECT | BODY | {409},
    )
    def patch(self, request: Request, organization: str, team: str) -> Response:
        """Rename the team."""
        del request
        return self._rename(organization, team)

    def _rename(self, organization: str, team: str) -> Response:
        found = find_organization(organization, self.caller, as_admin=True)
        renamed = find_team(found, team)
        name: str = self.read_body(TeamBody)["team"]
        _check_is_free(found, name, besides=renamed)
        organizations.rename_team(renamed, name)
        return Response(TeamSerializer(renamed).data)

    @operation(
        "teams_delete",
        "Delete a team; for admins of the organization",
        parameters=[ORGANIZATION, TEAM],
        answers={204: None},
        errors=PROJECT,
    )
    def delete(self, request: Request, organization: str, team: str) -> Response:
        """Delete the team and its roles in projects."""
        del request
        found = find_organization(organization, self.caller, as_admin=True)
        find_team(found, team).delete()
        return Response(status=204)


class TeamMembersView(NodeView):
    """`organizations/<organization>/teams/<team>/members/`."""

    @operation(
        "team_members_list",
        "Members of a team; for members of the organization",
        parameters=[ORGANIZATION, TEAM],
        answers={200: TeamMemberSerializer(many=True)},
        errors=PROJECT,
    )
    def get(self, request: Request, organization: str, team: str) -> Response:
        """List members by name."""
        del request
        found = find_team(find_organization(organization, self.caller), team)
        rows = TeamMember.objects.filter(team=found).select_related("member").order_by("member__username")
        return Response(TeamMemberSerializer(rows, many=True).data)

    @operation(
        "team_members_create",
        "Add a member of the organization to a team; for admins of the organization",
        parameters=[ORGANIZATION, TEAM],
        request=TeamMemberBody,
        answers={201: TeamMemberSerializer},
        errors=PROJECT | BODY | {409},
    )
    def post(self, request: Request, organization: str, team: str) -> Response:
        """Add a member."""
        del request
        owner = find_organization(organization, self.caller, as_admin=True)
        found = find_team(owner, team)
        person = find_user(self.read_body(TeamMemberBody)["member"], UserType.PERSON)
        if not organizations.may_collaborate(person, owner):
            raise InvalidInputError("only members of the organization can be in its teams")
        if TeamMember.objects.filter(team=found, member=person).exists():
            raise AlreadyExistsError("the user is already in the team")
        row = TeamMember.objects.create(team=found, member=person)
        return Response(TeamMemberSerializer(row).data, status=201)


class TeamMemberView(NodeView):
    """`organizations/<organization>/teams/<team>/members/<person>/`."""

    @operation(
        "team_members_delete",
        "Remove a member from a team; for admins of the organization",
        parameters=[ORGANIZATION, TEAM, MEMBER],
        answers={204: None},
        errors=PROJECT,
    )
    def delete(self, request: Request, organization: str, team: str, member: str) -> Response:
        """Remove the member."""
        del request
        found = find_team(find_organization(organization, self.caller, as_admin=True), team)
        removed, _ = TeamMember.objects.filter(team=found, member__username__iexact=member).delete()
        if not removed:
            raise ObjectNotFoundError(f"{member!r} is not in the team")
        return Response(status=204)
