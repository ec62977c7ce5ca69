"""Make accounts, and set passwords: by the application's own commands, so that hashing and signals are right."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ..stack.ports import Ports
from .guard import Options, guarded
from .users_list import find
from .users_quota import plan_problems

#: 16 characters of 64 kinds: 96 bits.
GENERATED_BYTES = 12


@dataclass(frozen=True)
class Account:
    """An account that was made or got a password. `password` is told only when it was generated here.

    `problems` say why the account cannot work although it is there.
    """

    username: str
    email: str
    is_superuser: bool
    password: str | None
    dry_run: bool
    problems: tuple[str, ...] = ()


def generate_password() -> str:
    """Make a password that nobody guesses."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def users_create(
    ports: Ports, username: str, *, email: str, superuser: bool, password: str | None, options: Options
) -> Account:
    """Make an account of a person. Without `password` one is generated and told. The password is in no process list."""
    chosen = password or generate_password()
    kind = "superuser" if superuser else "person"
    with guarded(ports, "users create", target=username, options=options) as guard:
        if guard.step(f"Create the {kind} {username}"):
            ports.accounts.create(username, email=email, password=chosen, superuser=superuser)
        problems = () if guard.dry_run else plan_problems(ports.directory.subscription(username))
    told = None if password or guard.dry_run else chosen
    return Account(username, email, superuser, told, guard.dry_run, problems)


def users_password(ports: Ports, username: str, *, password: str | None, options: Options) -> Account:
    """Set a person's password and end all tokens. Without `password` one is generated. Raises NotFoundError."""
    chosen = password or generate_password()
    user = find(ports, username)
    with guarded(ports, "users password", target=user.username, options=options) as guard:
        if guard.step(f"Set the password of {user.username}"):
            ports.accounts.set_password(user.username, chosen)
            ports.directory.end_tokens(user.username)
    told = None if password or guard.dry_run else chosen
    return Account(user.username, user.email, user.is_superuser, told, guard.dry_run)
