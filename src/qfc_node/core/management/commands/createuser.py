"""`createuser`: make a person."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from ...models import Person, User
from ...passwords import add_password_options, check_password, read_password


class Command(BaseCommand):
    """Makes a person; a superuser may log in to the admin too."""

    help = "Create a person. The password comes from --password-stdin or DJANGO_SUPERUSER_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--username", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--superuser", action="store_true", help="May do everything, in the admin too.")
        add_password_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the person, or say why not."""
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
        raise CommandError(f"There is an account named {person.username!r} already; choose another name.")
    if person.email and User.objects.filter(email__iexact=person.email).exists():
        raise CommandError(f"There is an account with the address {person.email} already; choose another address.")
    try:
        with transaction.atomic():
            person.full_clean(exclude=["password", "type"])
            person.save()
    except ValidationError as error:
        wrong = [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
        raise CommandError("; ".join(wrong)) from error
