"""`setpassword`: set a user's password."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...models import AuthToken, User, UserType
from ...passwords import add_password_options, check_password, read_password


class Command(BaseCommand):
    """Sets a password without any question, and ends the user's tokens: logins with the old password end."""

    help = "Set a user's password and end their tokens. The password comes from --password-stdin."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("username")
        parser.add_argument("--keep-tokens", action="store_true", help="Keep devices logged in.")
        add_password_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the password."""
        del args
        person = User.objects.filter(username__iexact=options["username"], type=UserType.PERSON).first()
        if person is None:
            raise CommandError(f"No user is named {options['username']!r}.")
        password = read_password(options["password"], options["password_stdin"])
        check_password(password, person)
        person.set_password(password)
        person.save(update_fields=["password"])
        ended = 0 if options["keep_tokens"] else _end_tokens(person)
        self.stdout.write(f"The password of {person.username} is set. Tokens ended: {ended}.")


def _end_tokens(person: User) -> int:
    now = timezone.now()
    return AuthToken.objects.filter(user=person, expires_at__gt=now).update(expires_at=now)
