"""`createuser`: create a user."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from ...models import Person, User
from ...passwords import add_password_options, check_password, read_password


class Command(BaseCommand):
    """Creates a user; a superuser may also log in to the admin."""

    help = "Create a user. The password comes from --password-stdin or DJANGO_SUPERUSER_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--username", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--superuser", action="store_true", help="Give all permissions, including the admin.")
        add_password_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the user. Raises CommandError that says why not."""
        del args
        person = Person(username=options["username"], email=options["email"])
        person.is_superuser = person.is_staff = options["superuser"]
        password = read_password(options["password"], options["password_stdin"])
        check_password(password, person)
        person.set_password(password)
        _save(person)
        self.stdout.write(f"Created {'superuser' if person.is_superuser else 'user'} {person.username}.")


def _save(person: Person) -> None:
    taken = User.objects.filter(username__iexact=person.username).exists()
    if taken:
        raise CommandError(f"An account named {person.username!r} already exists; choose another name.")
    if person.email and User.objects.filter(email__iexact=person.email).exists():
        raise CommandError(f"An account with the address {person.email} already exists; choose another address.")
    try:
        with transaction.atomic():
            person.full_clean(exclude=["password", "type"])
            person.save()
    except ValidationError as error:
        wrong = [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
        raise CommandError("; ".join(wrong)) from error
