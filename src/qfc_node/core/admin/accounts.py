"""Users, organizations, teams and tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ..models import AuthToken, Organization, OrganizationMember, Person, Team, TeamMember, UserAccount
from .base import NodeAdmin, Stack, Table


class NewPersonForm(UserCreationForm):
    """A new user, with an e-mail address that may serve as login name."""

    class Meta:
        model = Person
        fields = ("username", "email")


class AccountInline(Stack[UserAccount]):
    """The details of an account."""

    model = UserAccount
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the row is created with the account."""
        del request, obj
        return False


class MembersInline(Table[OrganizationMember]):
    """Members of an organization."""

    model = OrganizationMember
    fk_name = "organization"
    raw_id_fields = ("member",)
    extra = 0


class TeamMembersInline(Table[TeamMember]):
    """Members of a team."""

    model = TeamMember
    fk_name = "team"
    raw_id_fields = ("member",)
    extra = 0


@admin.register(Person)
class PersonAdmin(UserAdmin):
    """Users. The form behind the hash sets a password."""

    add_form = NewPersonForm
    add_fieldsets = ((None, {"fields": ("username", "email", "password1", "password2")}),)
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    inlines = (AccountInline,)


@admin.register(Organization)
class OrganizationAdmin(NodeAdmin[Organization]):
    """Organizations."""

    list_display = ("username", "organization_owner", "email", "is_active", "created_at")
    list_filter = ("is_active", "is_initially_trial")
    search_fields = ("username", "organization_owner__username")
    raw_id_fields = ("organization_owner", "created_by")
    fields = ("username", "email", "organization_owner", "created_by", "is_initially_trial", "is_active")
    inlines = (MembersInline, AccountInline)


class TeamForm(forms.ModelForm):
    """A team; its account's name begins with that of its organization."""

    class Meta:
        model = Team
        fields = ("username", "team_organization")
        help_texts = {"username": "as @organization/team"}

    def clean(self) -> dict[str, Any]:
        """Refuse a name that does not belong to the organization."""
        fields: dict[str, Any] = super().clean() or {}
        organization = fields.get("team_organization")
        name = str(fields.get("username", ""))
        if organization and not name.startswith(f"@{organization.username}/"):
            self.add_error("username", f"The name must begin with @{organization.username}/.")
        return fields


@admin.register(Team)
class TeamAdmin(NodeAdmin[Team]):
    """Teams."""

    form = TeamForm
    list_display = ("username", "team_organization")
    search_fields = ("username", "team_organization__username")
    raw_id_fields = ("team_organization",)
    inlines = (TeamMembersInline,)


@admin.register(AuthToken)
class AuthTokenAdmin(NodeAdmin[AuthToken]):
    """Tokens: user, client and expiry. The key itself is never shown."""

    list_display = ("user", "client_type", "user_agent", "created_at", "last_used_at", "expires_at")
    list_filter = ("client_type", "created_at")
    search_fields = ("user__username", "user_agent")
    fields = readonly_fields = (*list_display, "updated_at")
    list_select_related = ("user",)
    actions = ("end",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: logging in creates tokens."""
        del request
        return False

    @admin.action(description="End the selected tokens")
    def end(self, request: HttpRequest, chosen: QuerySet[AuthToken]) -> None:
        """Let the tokens expire now."""
        ended = chosen.filter(expires_at__gt=timezone.now()).update(expires_at=timezone.now())
        self.message_user(request, f"Tokens ended: {ended}.")
