"""Members of organizations."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from ...core import organizations
from ...core.models import Organization, OrganizationMember, User, UserType
from ..base import NodeView, find_organization, find_user
from ..errors import AlreadyExistsError, MemberLimitError, ObjectNotFoundError
from ..openapi import BODY, MEMBER, ORGANIZATION, PROJECT, operation
from ..serializers.accounts import (
    ChangeMemberBody,
    MemberSerializer,
    NewMemberBody,
)


def find_membership(organization: Organization, name: str) -> OrganizationMember:
    """Find a membership by the user's name. Raises ObjectNotFoundError."""
    rows = OrganizationMember.objects.select_related("member", "organization")
    row = rows.filter(organization=organization, member__username__iexact=name).first()
    if row is None:
        raise ObjectNotFoundError(f"{name!r} is not a member")
    return row


class MembersView(NodeView):
    """`members/<organization>/`."""

    @operation(
        "members_list",
        "Members of an organization; for its members",
        parameters=[ORGANIZATION],
        answers={200: MemberSerializer(many=True)},
        errors=PROJECT,
    )
    def get(self, request: Request, organization: str) -> Response:
        """List members by name."""
        del request
        found = find_organization(organization, self.caller)
        rows = OrganizationMember.objects.filter(organization=found).select_related("member", "organization")
        rows = rows.order_by("member__username")
        return Response(MemberSerializer(rows, many=True).data)

    @operation(
        "members_create",
        "Add a member; for admins of the organization",
        parameters=[ORGANIZATION],
        request=NewMemberBody,
        answers={201: MemberSerializer},
        errors=PROJECT | BODY | {409},
    )
    def post(self, request: Request, organization: str) -> Response:
        """Add a member."""
        del request
        found = find_organization(organization, self.caller, as_admin=True)
        fields = self.read_body(NewMemberBody)
        fields["member"] = _new_member(found, fields["member"])
        row = OrganizationMember.objects.create(organization=found, **fields)
        return Response(MemberSerializer(row).data, status=201)


def _new_member(organization: Organization, name: str) -> User:
    person = find_user(name, UserType.PERSON)
    if organization.organization_owner_id == person.pk:
        raise AlreadyExistsError("the owner already belongs to the organization")
    if OrganizationMember.objects.filter(organization=organization, member=person).exists():
        raise AlreadyExistsError("the user is already a member")
    if not organizations.has_room(organization):
        raise MemberLimitError
    return person


class MemberView(NodeView):
    """`members/<organization>/<person>/`."""

    @operation(
        "members_retrieve",
        "A member; for members of the organization",
        parameters=[ORGANIZATION, MEMBER],
        answers={200: MemberSerializer},
        errors=PROJECT,
    )
    def get(self, request: Request, organization: str, member: str) -> Response:
        """Describe the membership."""
        del request
        found = find_organization(organization, self.caller)
        return Response(MemberSerializer(find_membership(found, member)).data)

    @operation(
        "members_update",
        "Change a member's role; for admins of the organization",
        parameters=[ORGANIZATION, MEMBER],
        request=ChangeMemberBody,
        answers={200: MemberSerializer},
        errors=PROJECT | BODY,
    )
    def patch(self, request: Request, organization: str, member: str) -> Response:
        """Change the properties in the body."""
        del request
        return self._change(organization, member)

    @operation(
        "members_replace",
        "Change a member's role; for admins of the organization",
        parameters=[ORGANIZATION, MEMBER],
        request=ChangeMemberBody,
        answers={200: MemberSerializer},
        errors=PROJECT | BODY,
    )
    def put(self, request: Request, organization: str, member: str) -> Response:
        """Change the properties in the body."""
        del request
        return self._change(organization, member)

    def _change(self, organization: str, member: str) -> Response:
        found = find_organization(organization, self.caller, as_admin=True)
        row = find_membership(found, member)
        fields = self.read_body(ChangeMemberBody)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(update_fields=list(fields))
        return Response(MemberSerializer(row).data)

    @operation(
        "members_delete",
        "Remove a member, also from teams and projects; for admins of the organization",
        parameters=[ORGANIZATION, MEMBER],
        answers={204: None},
        errors=PROJECT,
    )
    def delete(self, request: Request, organization: str, member: str) -> Response:
        """Remove the member."""
        del request
        found = find_organization(organization, self.caller, as_admin=True)
        organizations.remove_member(find_membership(found, member))
        return Response(status=204)
