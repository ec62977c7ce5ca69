"""People and organizations, with what their files take and may take."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NotFoundError
from ..stack.model import User
from ..stack.ports import Ports


@dataclass(frozen=True)
class UsersList:
    """Accounts, in the order of names."""

    users: tuple[User, ...]


@dataclass(frozen=True)
class Quota:
    """What an account's files take and may take, in bytes. `used` is a share of 1; None without a limit."""

    username: str
    storage_used_bytes: int
    storage_quota_bytes: int | None
    used: float | None


def users_list(ports: Ports) -> UsersList:
    """Return accounts of people and organizations."""
    return UsersList(ports.directory.users())


def users_quota(ports: Ports, username: str) -> Quota:
    """Return how much of its quota an account has used. Raises NotFoundError."""
    user = find(ports, username)
    quota = user.storage_quota_bytes
    used = round(user.storage_used_bytes / quota, 4) if quota else None
    return Quota(user.username, user.storage_used_bytes, quota, used)


def find(ports: Ports, username: str) -> User:
    """Return an account by its name, whatever its case. Raises NotFoundError."""
    for user in ports.directory.users():
        if user.username.casefold() == username.casefold():
            return user
    raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")
