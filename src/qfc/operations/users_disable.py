"""Block or allow the login of a user. Their projects and edits stay."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from ..stack.model import User
from ..stack.ports import Ports
from .guard import Options, guarded
from .users_list import find, users_list


@dataclass(frozen=True)
class Access:
    """Whether a user may log in. `tokens_ended` is the number of devices and scripts that were logged out."""

    username: str
    is_active: bool
    tokens_ended: int
    dry_run: bool


def users_disable(ports: Ports, username: str, *, enable: bool, options: Options) -> Access:
    """Allow or block the login of a user; asks before it blocks the last superuser.

    Raises NotFoundError, and UsageError for an organization.
    """
    user = find(ports, username)
    if user.type != "person":
        raise UsageError(f"{user.username} is an {user.type}; only users can log in.", hint="Type: qfc users list")
    ended = 0
    sentence = (
        f"Allow {user.username} to log in again"
        if enable
        else f"Log {user.username} out everywhere and block the login"
    )
    question = "" if enable or not _is_last(ports, user) else f"{user.username} is the last superuser. Block the login?"
    with guarded(ports, "users disable", target=user.username, options=options, question=question) as guard:
        if guard.step(sentence):
            ended = ports.directory.set_active(user.username, enable)
        guard.result = "enabled" if enable else f"disabled, {ended} tokens revoked"
    return Access(user.username, user.is_active if guard.dry_run else enable, ended, guard.dry_run)


def _is_last(ports: Ports, user: User) -> bool:
    """Return whether nobody could use the admin without this user."""
    able = [one.username for one in users_list(ports).users if one.is_superuser and one.is_active]
    return able == [user.username]
