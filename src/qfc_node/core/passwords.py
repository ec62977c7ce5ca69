"""Read passwords of management commands from places that no process list shows."""

from __future__ import annotations

import os
import sys

from axes.utils import reset  # pyright: ignore[reportUnknownVariableType]  (partly untyped)
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from .models import User

VARIABLE = "DJANGO_SUPERUSER_PASSWORD"


class EndsLockout:
    """A rule for passwords that refuses none: Django tells it of each new one, wherever it was set."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Accept the password."""

    def get_help_text(self) -> str:
        """Return no rule for people."""
        return ""

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Forget failed logins with the old password."""
        del password
        if user is not None:
            reset(username=user.username)


def add_password_options(parser: CommandParser) -> None:
    """Add the options for a password."""
    parser.add_argument("--password", help="The password; every user of the machine can read it while this runs.")
    parser.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")


def read_password(given: str | None, from_stdin: bool) -> str:
    """Return the password: from standard input, the option, or the environment. Raises CommandError without one."""
    password = sys.stdin.readline().rstrip("\r\n") if from_stdin else given or os.environ.get(VARIABLE, "")
    if not password:
        raise CommandError(f"No password: use --password-stdin, or set {VARIABLE} in the environment.")
    return password


def check_password(password: str, user: User) -> None:
    """Check a password against the node's rules. Raises CommandError that names the broken rules."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
