"""Shapes of users, organizations, teams and tokens."""

from __future__ import annotations

from typing import Any, cast

from rest_framework import serializers

from ...core import avatars
from ...core.models import AuthToken, Organization, OrganizationMember, Team, TeamMember, User, UserType
from ..fields import Choice, Email, Flag, Pattern, Text
from ..pagination import PageQuery

Shape = serializers.Serializer[Any]
NAME_PATTERN = r"^[-a-zA-Z0-9_]+$"


class Name(Pattern):
    """The name of a new account."""

    def __init__(self, **options: Any) -> None:
        merged: dict[str, Any] = {"min_length": 3, "max_length": 150, **options}
        super().__init__(NAME_PATTERN, **merged)


class AvatarField(serializers.CharField):
    """The URL of a `User`'s picture, or null."""

    def __init__(self, **options: Any) -> None:
        merged: dict[str, Any] = {"source": "*", "read_only": True, "allow_null": True, **options}
        super().__init__(**merged)

    def to_representation(self, value: Any) -> Any:
        """Return the URL, another one for each picture; an operator may have set one of another server."""
        found: str = getattr(getattr(value, "useraccount", None), "avatar_uri", "")
        if not found or found.startswith(("https://", "http://")):
            return found or None
        path = f"/api/v1/files/avatars/{avatars.public_id(value.pk)}/{found[:8]}.png"
        request = self.context.get("request")
        return request.build_absolute_uri(path) if request else path


class UserSerializer(Shape):
    """An account, as every user sees it."""

    username = serializers.CharField(read_only=True)
    type = serializers.IntegerField(read_only=True, help_text="1 person, 2 organization, 3 team")
    full_name = serializers.CharField(read_only=True)
    avatar_url = AvatarField()
    username_display = serializers.CharField(read_only=True)


class OwnUserSerializer(Shape):
    """An account, as its own user sees it."""

    username = serializers.CharField(read_only=True)
    type = serializers.IntegerField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    avatar_url = AvatarField()
    first_name = serializers.CharField(read_only=True)
    last_name = serializers.CharField(read_only=True)


class OrganizationSerializer(Shape):
    """An organization, as its members see it."""

    username = serializers.CharField(read_only=True)
    type = serializers.IntegerField(read_only=True)
    email = serializers.CharField(read_only=True)
    avatar_url = AvatarField()
    members = serializers.SerializerMethodField()
    organization_owner = serializers.CharField(source="organization_owner.username", read_only=True)
    membership_role = serializers.SerializerMethodField()
    membership_role_origin = serializers.SerializerMethodField()
    membership_is_public = serializers.SerializerMethodField()
    teams = serializers.SerializerMethodField()

    def get_members(self, organization: Organization) -> list[str]:
        """Return the names of the members."""
        return sorted(row.member.username for row in _memberships(organization))

    def get_membership_role(self, organization: Organization) -> str | None:
        """Return the role of the user whose organizations are listed; its owner is an admin."""
        if self._is_owner(organization):
            return OrganizationMember.Role.ADMIN
        membership = self._membership(organization)
        return membership.role if membership else None

    def get_membership_role_origin(self, organization: Organization) -> str | None:
        """Return why the user has the role."""
        if self._is_owner(organization):
            return "organization_owner"
        return "organization_member" if self._membership(organization) else None

    def get_membership_is_public(self, organization: Organization) -> bool | None:
        """Whether everybody may know of the membership; that of the owner is known."""
        if self._is_owner(organization):
            return True
        membership = self._membership(organization)
        return membership.is_public if membership else None

    def get_teams(self, organization: Organization) -> list[str]:
        """Return the names of the teams."""
        rows: list[Team] = list(cast(Any, organization).teams.all())
        return sorted(team.teamname for team in rows)

    def _is_owner(self, organization: Organization) -> bool:
        person: User | None = self.context.get("person")
        return person is not None and organization.organization_owner_id == person.pk

    def _membership(self, organization: Organization) -> OrganizationMember | None:
        person: User | None = self.context.get("person")
        rows = _memberships(organization) if person else []
        return next((row for row in rows if person and row.member_id == person.pk), None)


def _memberships(organization: Organization) -> list[OrganizationMember]:
    """Return the rows that were loaded with the organization."""
    return list(cast(Any, organization).members.all())  # the stubs know no reverse relations


class AccountSerializer(UserSerializer):
    """An account, as far as the caller may know it: all of their own account, the members of their organizations."""

    email = serializers.CharField(required=False)
    first_name = serializers.CharField(required=False)
    last_name = serializers.CharField(required=False)
    members = serializers.ListField(child=serializers.CharField(), required=False)
    organization_owner = serializers.CharField(required=False)
    membership_role = serializers.CharField(required=False)
    membership_role_origin = serializers.CharField(required=False)
    membership_is_public = serializers.BooleanField(required=False)
    teams = serializers.ListField(child=serializers.CharField(), required=False)


class LoginBody(Shape):
    """The body of a login: the name or the e-mail address in either field, and the password."""

    username = Text(required=False, max_length=254)
    email = Text(required=False, max_length=254)
    password = Text(max_length=1000)


class TokenSerializer(Shape):
    """A new token and its user."""

    token = serializers.CharField(source="key", read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    username = serializers.CharField(source="user.username", read_only=True)
    type = serializers.SerializerMethodField()
    email = serializers.CharField(source="user.email", read_only=True)
    avatar_url = AvatarField(source="user")
    first_name = serializers.CharField(source="user.first_name", read_only=True)
    last_name = serializers.CharField(source="user.last_name", read_only=True)
    full_name = serializers.CharField(source="user.full_name", read_only=True)

    def get_type(self, token: AuthToken) -> str:
        """Return the type as text, as clients expect from this call only."""
        return str(token.user.type)


class DetailSerializer(Shape):
    """One sentence."""

    detail = serializers.CharField(read_only=True)


class ProviderSerializer(Shape):
    """A way of logging in."""

    type = serializers.CharField(read_only=True)
    id = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)


class NewUserBody(Shape):
    """A new user."""

    username = Name()
    password = Text(min_length=8, max_length=1000)
    email = Email()
    first_name = Text(max_length=150, required=False, allow_blank=True)
    last_name = Text(max_length=150, required=False, allow_blank=True)


class ChangeUserBody(Shape):
    """The properties that users may change in their own account."""

    first_name = Text(max_length=150, required=False, allow_blank=True)
    last_name = Text(max_length=150, required=False, allow_blank=True)
    email = Email(required=False)


class NewOrganizationBody(Shape):
    """A new organization."""

    username = Name()
    organization_owner = Text(max_length=150)
    email = Email(required=False)


class UserQuery(PageQuery):
    """The requested accounts."""

    q = Text(required=False, max_length=150, allow_blank=True, help_text="A part of the name.")

    def get_fields(self) -> dict[str, Any]:
        """Add the fields whose names are not valid in Python."""
        flags = {name: Flag(required=False) for name in ("exclude-organizations", "exclude-teams")}
        return {**super().get_fields(), **flags}


class MemberSerializer(Shape):
    """A membership of an organization."""

    member = serializers.CharField(source="member.username", read_only=True)
    role = serializers.ChoiceField(OrganizationMember.Role.choices, read_only=True)
    organization = serializers.CharField(source="organization.username", read_only=True)
    is_public = serializers.BooleanField(read_only=True)


class NewMemberBody(Shape):
    """A new membership."""

    member = Text(max_length=150)
    role = Choice(OrganizationMember.Role.choices, required=False, default=OrganizationMember.Role.MEMBER)
    is_public = Flag(required=False, default=False)


class ChangeMemberBody(Shape):
    """A change of a membership."""

    role = Choice(OrganizationMember.Role.choices, required=False)
    is_public = Flag(required=False)


class TeamSerializer(Shape):
    """A team of an organization."""

    team = serializers.CharField(source="teamname", read_only=True)
    organization = serializers.CharField(source="team_organization.username", read_only=True)
    members = serializers.SerializerMethodField()

    def get_members(self, team: Team) -> list[str]:
        """Return the names of the members."""
        rows: list[TeamMember] = list(cast(Any, team).members.all())
        return sorted(row.member.username for row in rows)


class TeamBody(Shape):
    """A new team, or the new name of a team."""

    team = Pattern(NAME_PATTERN, max_length=100)


class TeamMemberSerializer(Shape):
    """A membership of a team."""

    member = serializers.SerializerMethodField()

    def get_member(self, row: TeamMember) -> str:
        """Return the name."""
        return str(row.member.username)


class TeamMemberBody(Shape):
    """A new membership of a team."""

    member = Text(max_length=150)


class SubscriptionSerializer(Shape):
    """The plan of an account, and the storage it uses."""

    uuid = serializers.UUIDField(read_only=True)
    plan_display_name = serializers.CharField(source="plan.display_name", read_only=True)
    plan_code = serializers.CharField(source="plan.code", read_only=True)
    plan_is_premium = serializers.BooleanField(source="plan.is_premium", read_only=True)
    status = serializers.CharField(read_only=True)
    active_since = serializers.DateTimeField(read_only=True, allow_null=True)
    active_until = serializers.DateTimeField(read_only=True, allow_null=True)
    storage_used_bytes = serializers.IntegerField(read_only=True)
    active_storage_total_bytes = serializers.IntegerField(read_only=True)
    plan_storage_threshold_warning_bytes = serializers.IntegerField(read_only=True)
    plan_storage_threshold_critical_bytes = serializers.IntegerField(read_only=True)


#: Types of accounts, by the flag of `UserQuery` that excludes them.
EXCLUDED_TYPES = {"exclude-organizations": UserType.ORGANIZATION, "exclude-teams": UserType.TEAM}
