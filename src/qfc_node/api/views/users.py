"""Users, their organizations and subscriptions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import quota
from ...core.models import Organization, Person, User, UserType
from ...core.permissions import is_organization_admin
from ..base import Fields, NodeView, find_user
from ..errors import AlreadyExistsError, ObjectNotFoundError, PermissionDeniedError
from ..openapi import BODY, CALLER, USERNAME, operation
from ..pagination import paginate
from ..serializers.accounts import (
    EXCLUDED_TYPES,
    AccountSerializer,
    ChangeUserBody,
    NewOrganizationBody,
    NewUserBody,
    OrganizationSerializer,
    OwnUserSerializer,
    SubscriptionSerializer,
    UserQuery,
    UserSerializer,
)

ACCOUNT = CALLER | {404}


def with_members(organizations: QuerySet[Organization]) -> QuerySet[Organization]:
    """Load the data for `OrganizationSerializer` with few queries."""
    return organizations.select_related("organization_owner", "useraccount").prefetch_related(
        "members__member", "teams"
    )


class UsersView(NodeView):
    """`users/`."""

    @operation(
        "users_list",
        "Accounts by name",
        parameters=[UserQuery],
        answers={200: UserSerializer(many=True)},
        errors=CALLER | {400},
    )
    def get(self, request: Request) -> Response:
        """List accounts."""
        query = self.read_query(UserQuery)
        users = User.objects.filter(is_active=True).select_related("useraccount")
        if query.get("q"):
            users = users.filter(username__icontains=query["q"])
        left_out = [kind for flag, kind in EXCLUDED_TYPES.items() if query.get(flag)]
        page = paginate(request, users.exclude(type__in=left_out).order_by("username"), query)
        return Response(UserSerializer(page.rows, many=True, context=self.context).data, headers=page.headers)

    @operation(
        "users_create",
        "Create a user; for superusers",
        request=NewUserBody,
        answers={201: OwnUserSerializer},
        errors=CALLER | BODY | {403, 409},
    )
    def post(self, request: Request) -> Response:
        """Create a user."""
        del request
        if not self.caller.is_superuser:
            raise PermissionDeniedError
        fields = self.read_body(NewUserBody)
        _check_is_free(fields["username"], fields["email"])
        validate_password(fields["password"], Person(username=fields["username"], email=fields["email"]))
        return Response(
            OwnUserSerializer(Person.objects.create_person(**fields), context=self.context).data, status=201
        )


def _check_is_free(username: str, email: str = "") -> None:
    wanted = Q(username__iexact=username)
    if email:
        wanted |= Q(email__iexact=email)
    taken = User.objects.filter(wanted).first()
    if taken is not None:
        is_name = taken.username.lower() == username.lower()
        raise AlreadyExistsError("the name is taken" if is_name else "the e-mail address is taken")


class UserView(NodeView):
    """`users/<name>/`."""

    @operation(
        "users_retrieve",
        "An account: all of the caller's own, the public part of others, the members of the caller's organizations",
        parameters=[USERNAME],
        answers={200: AccountSerializer},
        errors=ACCOUNT,
    )
    def get(self, request: Request, username: str) -> Response:
        """Describe the account."""
        del request
        user = find_user(username)
        if user.pk == self.caller.pk:
            return Response(_own(user, self.context))
        organization = with_members(Organization.objects.filter(pk=user.pk)).first()
        if organization is None:
            return Response(UserSerializer(user, context=self.context).data)
        described = UserSerializer(user, context=self.context).data
        return Response({**described, **_as_member(organization, {**self.context, "person": self.caller})})

    @operation(
        "users_update",
        "Change the caller's own account",
        parameters=[USERNAME],
        request=ChangeUserBody,
        answers={200: OwnUserSerializer},
        errors=ACCOUNT | BODY | {403, 409},
    )
    def patch(self, request: Request, username: str) -> Response:
        """Change the properties in the body."""
        del request
        return self._change(username)

    @operation(
        "users_replace",
        "Change the caller's own account; what is missing stays",
        parameters=[USERNAME],
        request=ChangeUserBody,
        answers={200: OwnUserSerializer},
        errors=ACCOUNT | BODY | {403, 409},
    )
    def put(self, request: Request, username: str) -> Response:
        """Change the properties in the body."""
        del request
        return self._change(username)

    def _change(self, username: str) -> Response:
        user = find_user(username)
        if user.pk != self.caller.pk:
            raise PermissionDeniedError
        fields = self.read_body(ChangeUserBody)
        if "email" in fields and User.objects.filter(email__iexact=fields["email"]).exclude(pk=user.pk).exists():
            raise AlreadyExistsError("the e-mail address is taken")
        for name, value in fields.items():
            setattr(user, name, value)
        user.save(update_fields=list(fields))
        return Response(OwnUserSerializer(user, context=self.context).data)


def _own(user: User, context: Fields) -> dict[str, Any]:
    return {**UserSerializer(user, context=context).data, **OwnUserSerializer(user, context=context).data}


def _as_member(organization: Organization, context: Fields) -> dict[str, Any]:
    """Describe the organization to its members; return nothing for others, who only see an account."""
    described = dict(OrganizationSerializer(organization, context=context).data)
    return described if described["membership_role"] else {}


class UserOrganizationsView(NodeView):
    """`users/<name>/organizations/`."""

    @operation(
        "users_organizations",
        "Organizations that the caller owns or belongs to",
        parameters=[USERNAME],
        answers={200: OrganizationSerializer(many=True)},
        errors=ACCOUNT | {403},
    )
    def get(self, request: Request, username: str) -> Response:
        """List organizations."""
        del request
        person = find_user(username)
        if person.pk != self.caller.pk:
            raise PermissionDeniedError
        belongs = Q(organization_owner=person) | Q(members__member=person)
        rows = with_members(Organization.objects.filter(belongs).distinct()).order_by("username")
        return Response(OrganizationSerializer(rows, many=True, context={**self.context, "person": person}).data)


class OrganizationsView(NodeView):
    """`organizations/`."""

    @operation(
        "organizations_list",
        "Organizations that the caller owns or belongs to",
        answers={200: OrganizationSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List organizations."""
        del request
        belongs = Q(organization_owner=self.caller) | Q(members__member=self.caller)
        rows = with_members(Organization.objects.filter(belongs).distinct()).order_by("username")
        return Response(OrganizationSerializer(rows, many=True, context={**self.context, "person": self.caller}).data)

    @operation(
        "organizations_create",
        "Create an organization; for superusers",
        request=NewOrganizationBody,
        answers={201: OrganizationSerializer},
        errors=CALLER | BODY | {403, 404, 409},
    )
    def post(self, request: Request) -> Response:
        """Create an organization."""
        del request
        if not self.caller.is_superuser:
            raise PermissionDeniedError
        fields = self.read_body(NewOrganizationBody)
        owner = find_user(fields.pop("organization_owner"), UserType.PERSON)
        _check_is_free(fields["username"], fields.get("email", ""))
        created = Organization.objects.create(organization_owner=owner, created_by=self.caller, **fields)
        row = with_members(Organization.objects.filter(pk=created.pk)).get()
        return Response(OrganizationSerializer(row, context={**self.context, "person": self.caller}).data, status=201)


class SubscriptionView(NodeView):
    """`subscriptions/<name>/current/`."""

    @operation(
        "subscriptions_current",
        "The plan and used storage of the caller's account or of an organization that the caller administers",
        parameters=[USERNAME],
        answers={200: SubscriptionSerializer},
        errors=ACCOUNT | {403},
    )
    def get(self, request: Request, username: str) -> Response:
        """Describe the subscription."""
        del request
        account = find_user(username, UserType.PERSON, UserType.ORGANIZATION)
        self._check(account)
        subscription = quota.current_subscription(account.pk)
        if subscription is None:
            raise ObjectNotFoundError("the account has no current subscription")
        storage = quota.storage_of(account.pk, subscription)
        numbers = {
            "storage_used_bytes": storage.used,
            "active_storage_total_bytes": storage.allowed,
            "plan_storage_threshold_warning_bytes": quota.WARNING_FREE_BYTES,
            "plan_storage_threshold_critical_bytes": quota.CRITICAL_FREE_BYTES,
        }
        for name, number in numbers.items():
            setattr(subscription, name, number)
        return Response(SubscriptionSerializer(subscription).data)

    def _check(self, account: User) -> None:
        if account.pk == self.caller.pk or self.caller.is_superuser:
            return
        organization = Organization.objects.filter(pk=account.pk).first()
        if organization is None or not is_organization_admin(self.caller, organization):
            raise PermissionDeniedError
