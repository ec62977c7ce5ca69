"""Make accounts, and set passwords: by the application's own commands, so that hashing and signals are right."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ..stack.ports import Ports
from .guard import Options, guarded
from .users_list import find

#: 16 characters of 64 kinds: 96 bits.
GENERATED_BYTES = 12


@dataclass(frozen=True)
class Account:
    """An account that was made or got a password. `password` is told only when it was generated here."""

    username: str
    email: str
    is_superuser: bool
    password: str | None
    dry_run: bool


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
    told = None if password or guard.dry_run else chosen
    return Account(username, email, superuser, told, guard.dry_run)


def users_password(ports: Ports, username: str, *, password: str | None, options: Options) -> Account:
    """Set a person's password and end all tokens. Without `password` one is generated. Raises NotFoundError."""
    chosen = password or generate_password()
    user = find(ports, username)
    with guarded(ports, "users password", target=user.username, options=options) as guard:
        if guard.step(f"Set the password of {user.username}"):
            ports.accounts.set_password(user.username, chosen)
    told = None if password or guard.dry_run else chosen
    return Account(user.username, user.email, user.is_superuser, told, guard.dry_run)
