"""Let a user log in again who was locked out after wrong passwords."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from ..stack.ports import Ports
from .guard import Options, guarded
from .management import manage
from .users_list import find


@dataclass(frozen=True)
class Unlocked:
    """A user whose failed logins were forgotten."""

    username: str
    dry_run: bool


def users_unlock(ports: Ports, username: str, options: Options) -> Unlocked:
    """Forget the failed logins of a user. Raises NotFoundError, and UsageError for an organization."""
    user = find(ports, username)
    if user.type != "person":
        raise UsageError(f"{user.username} is an {user.type}; only users can log in.", hint="Type: qfc users list")
    with guarded(ports, "users unlock", target=user.username, options=options) as guard:
        if guard.step(f"Forget the failed logins of {user.username}"):
            manage(ports.runtime, "axes_reset_username", "--", user.username)
    return Unlocked(user.username, guard.dry_run)
