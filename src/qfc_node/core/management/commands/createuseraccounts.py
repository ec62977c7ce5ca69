"""`createuseraccounts`: give accounts and subscriptions to those that have none."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...models import Organization, Person
from ...signals import open_account


class Command(BaseCommand):
    """Repairs people and organizations whose rows came from elsewhere, for example from plain SQL."""

    help = "Create missing user accounts and subscriptions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing."""
        del args, options
        for model in (Person, Organization):
            for account in model.objects.filter(useraccount=None):
                open_account(model, account, created=True)
                self.stdout.write(f"Created the account of {account.username}.")
