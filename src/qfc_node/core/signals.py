"""Create an account row and a subscription with every user and organization, in the same transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save, pre_save
from django.utils import timezone

from .models import Organization, Person, Plan, Subscription, Team, User, UserAccount, UserType

TYPES: dict[type[User], UserType] = {
    Person: UserType.PERSON,
    Organization: UserType.ORGANIZATION,
    Team: UserType.TEAM,
}


def set_type(sender: type[User], instance: User, **_: Any) -> None:
    """Set `core_user.type` to the type of the row's table."""
    instance.type = TYPES[sender]


def open_account(sender: type[User], instance: User, created: bool, **_: Any) -> None:
    """Give a new user or organization an account row and the default plan of its type."""
    if not created:
        return
    with transaction.atomic():
        account = UserAccount.objects.create(user=instance)
        plan = Plan.objects.get(user_type=TYPES[sender], is_default=True)
        creator = instance.created_by if isinstance(instance, Organization) else instance
        Subscription.objects.create(
            account=account,
            plan=plan,
            status=plan.initial_subscription_status,
            active_since=timezone.now(),
            created_by_id=creator.pk,
        )


def connect() -> None:
    """Connect the signals."""
    for model in TYPES:
        pre_save.connect(set_type, sender=model)
    for model in (Person, Organization):
        post_save.connect(open_account, sender=model)
