"""Create users and set passwords, by the application's own commands: hashing and signals are then right."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from ..errors import UsageError
from ..stack.ports import Ports
from .guard import Options, guarded
from .users_list import find
from .users_quota import plan_problems

#: 12 random bytes: 16 characters, 96 bits.
GENERATED_BYTES = 12


@dataclass(frozen=True)
class Account:
    """A user that was created or got a password. `password` is returned only if it was generated here.

    `problems` say why the account cannot be used although it exists.
    """

    username: str
    email: str
    is_superuser: bool
    password: str | None
    dry_run: bool
    problems: tuple[str, ...] = ()


def generate_password() -> str:
    """Return a new password that nobody can guess."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def users_create(
    ports: Ports, username: str, *, email: str, superuser: bool, password: str | None, options: Options
) -> Account:
    """Create a user. Without `password`, one is generated and returned. No process list shows the password."""
    if re.search(r"[@/]", username):
        raise UsageError(
            f"{username!r} is not a user name: it may have letters, digits, - and _ only.",
            hint="Names with @ and / belong to teams; give an e-mail address with --email.",
        )
    chosen = password or generate_password()
    kind = "superuser" if superuser else "user"
    with guarded(ports, "users create", target=username, options=options) as guard:
        if guard.step(f"Create the {kind} {username}"):
            ports.accounts.create(username, email=email, password=chosen, superuser=superuser)
        problems = () if guard.dry_run else plan_problems(ports.directory.subscription(username))
    generated = None if password or guard.dry_run else chosen
    return Account(username, email, superuser, generated, guard.dry_run, problems)


def users_password(ports: Ports, username: str, *, password: str | None, options: Options) -> Account:
    """Set a user's password and revoke all tokens. Without `password`, one is generated. Raises NotFoundError."""
    chosen = password or generate_password()
    user = find(ports, username)
    with guarded(ports, "users password", target=user.username, options=options) as guard:
        if guard.step(f"Set the password of {user.username}"):
            ports.accounts.set_password(user.username, chosen)
            ports.directory.end_tokens(user.username)
    generated = None if password or guard.dry_run else chosen
    return Account(user.username, user.email, user.is_superuser, generated, guard.dry_run)
