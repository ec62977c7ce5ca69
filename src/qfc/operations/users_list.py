"""Users and organizations, with their storage and quota."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NotFoundError
from ..stack.model import User
from ..stack.names import did_you_mean
from ..stack.ports import Ports


@dataclass(frozen=True)
class UsersList:
    """Accounts, in the order of names."""

    users: tuple[User, ...]


def users_list(ports: Ports) -> UsersList:
    """Return the accounts of users and organizations."""
    return UsersList(ports.directory.users())


def find(ports: Ports, username: str) -> User:
    """Return an account by its name, ignoring case. Raises NotFoundError."""
    users = ports.directory.users()
    for user in users:
        if user.username.casefold() == username.casefold():
            return user
    said = f"There is no account named {username}.{did_you_mean(username, (user.username for user in users))}"
    raise NotFoundError(said, hint="Type: qfc users list")
