"""Users, organizations and teams: each has one row in `core_user`, and `type` distinguishes them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Upper


class UserType(models.IntegerChoices):
    """Values of `core_user.type`."""

    PERSON = 1
    ORGANIZATION = 2
    TEAM = 3


class AccountManager(UserManager["User"]):
    """Creates users as `Person` rows, so that every account also has a row in the table of its type."""

    def create_user(self, username: str, email: str | None = None, password: str | None = None, **extra: Any) -> User:
        """Create a user with an account row and a subscription to the default plan."""
        return Person.objects.create_person(username, email or "", password, **extra)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        """Create a user who may log in to the admin."""
        extra |= {"is_staff": True, "is_superuser": True}
        return Person.objects.create_person(username, email or "", password, **extra)


NAME = RegexValidator(r"^(@[-a-zA-Z0-9_]+/)?[-a-zA-Z0-9_]+$", "A user name has letters, digits, '-' and '_' only.")


#: Only teams have another form of names.
PERSONS_NAME = re.compile(r"[-a-zA-Z0-9_]+")


class User(AbstractUser):
    """An account of any type. `username` of a team is `@organization/team`."""

    id = models.AutoField(primary_key=True)
    username = models.CharField(max_length=150, unique=True, validators=[NAME])
    email = models.EmailField(blank=True, default="")
    type = models.SmallIntegerField(choices=UserType.choices, default=UserType.PERSON)

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        db_table = "core_user"
        constraints = [
            models.UniqueConstraint(Upper("username"), name="core_user_username_upper"),
            models.UniqueConstraint(Upper("email"), condition=~models.Q(email=""), name="core_user_email_upper"),
        ]

    @property
    def full_name(self) -> str:
        """First and last name, or an empty string."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def username_display(self) -> str:
        """The name; for a team, without its organization."""
        return self.username.rpartition("/")[2]


class PersonManager(UserManager["Person"]):
    """Creates users with their account and subscription."""

    def create_person(self, username: str, email: str, password: str | None, **extra: Any) -> Person:
        """Create the user, their account and their subscription. Raises IntegrityError if the name is taken."""
        person = self.model(username=User.normalize_username(username), email=self.normalize_email(email), **extra)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(User):
    """A user: a person, or a machine that acts like one."""

    has_accepted_tos = models.BooleanField(default=False)
    has_newsletter_subscription = models.BooleanField(default=False)
    remaining_invitations = models.IntegerField(default=3)
    remaining_trial_organizations = models.IntegerField(default=1)

    objects: ClassVar[PersonManager] = PersonManager()

    def clean(self) -> None:
        """Refuse the form of a team's name."""
        super().clean()
        if not PERSONS_NAME.fullmatch(self.username):
            raise ValidationError({"username": "A user name has letters, digits, '-' and '_' only."})

    class Meta:
        db_table = "core_person"
        verbose_name_plural = "people"


class UserAccount(models.Model):
    """The properties of an account of type person or organization that do not depend on its plan."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="useraccount")
    user_id: int
    db_limit_mb = models.IntegerField(default=25)
    bio = models.CharField(max_length=255, blank=True, default="")
    is_email_public = models.BooleanField(default=False)
    location = models.CharField(max_length=255, blank=True, default="")
    twitter = models.CharField(max_length=255, blank=True, default="")
    company = models.CharField(max_length=255, blank=True, default="")
    is_geodb_enabled = models.BooleanField(default=False)
    avatar_uri = models.CharField(max_length=255, blank=True, default="")
    timezone = models.CharField(max_length=63, default="UTC")
    notifs_frequency = models.DurationField(null=True, blank=True)

    class Meta:
        db_table = "core_useraccount"

    def __str__(self) -> str:
        return self.user.username


class Avatar(models.Model):
    """The picture of a person or an organization, a small PNG. `UserAccount.avatar_uri` is then its sha256."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="avatar")
    user_id: int
    picture = models.BinaryField()

    class Meta:
        db_table = "node_avatar"

    def __str__(self) -> str:
        return f"picture of {self.user}"


class Organization(User):
    """A group of users that owns projects. It cannot log in."""

    organization_owner = models.ForeignKey(User, models.CASCADE, related_name="owned_organizations")
    organization_owner_id: int
    is_initially_trial = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="created_organizations")
    created_by_id: int
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[Organization]] = models.Manager()

    class Meta:
        db_table = "core_organization"


class OrganizationMember(models.Model):
    """A user's membership of an organization."""

    class Role(models.TextChoices):
        """Values of `core_organizationmember.role`."""

        ADMIN = "admin"
        CREATOR = "creator"
        MEMBER = "member"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="members")
    organization_id: int
    member = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    member_id: int
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    is_public = models.BooleanField(default=False)

    class Meta:
        db_table = "core_organizationmember"
        constraints = [
            models.UniqueConstraint("organization", "member", name="core_organizationmember_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.member.username} in {self.organization.username}"


class Team(User):
    """A named group of an organization's members that can be a collaborator."""

    team_organization = models.ForeignKey(Organization, models.CASCADE, related_name="teams")
    team_organization_id: int

    objects: ClassVar[models.Manager[Team]] = models.Manager()

    class Meta:
        db_table = "core_team"

    @property
    def teamname(self) -> str:
        """The name within its organization."""
        return self.username_display


class TeamMember(models.Model):
    """A user's membership of a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="members")
    team_id: int
    member = models.ForeignKey(User, models.CASCADE, related_name="team_memberships")
    member_id: int

    class Meta:
        db_table = "core_teammember"
        constraints = [models.UniqueConstraint("team", "member", name="core_teammember_unique")]

    def __str__(self) -> str:
        return f"{self.member.username} in {self.team.username}"
