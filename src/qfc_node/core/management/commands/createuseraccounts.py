"""`createuseraccounts`: create missing accounts and subscriptions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...models import Organization, Person
from ...signals import open_account


class Command(BaseCommand):
    """Repairs users and organizations whose rows did not come from the node, for example from plain SQL."""

    help = "Create missing user accounts and subscriptions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the missing rows."""
        del args, options
        for model in (Person, Organization):
            for account in model.objects.filter(useraccount=None):
                open_account(model, account, created=True)
                self.stdout.write(f"Created the account of {account.username}.")
