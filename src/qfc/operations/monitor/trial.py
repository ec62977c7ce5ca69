"""A message to try every route by which people are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import ConfigError, QfcError
from ...stack.findings import Severity
from ...stack.monitor import Message
from ...stack.ports import Post
from ...stack.redaction import without_secrets


@dataclass(frozen=True)
class RouteTried:
    """One route, and why it failed; empty where it did not."""

    route: str
    ok: bool
    error: str = ""


@dataclass(frozen=True)
class Trial:
    """The result for every route."""

    routes: tuple[RouteTried, ...]
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Whether every route worked."""
        return all(one.ok for one in self.routes)


def trial(routes: Sequence[Post], *, host: str, dry_run: bool = False) -> Trial:
    """Send a test message by every route. Raises ConfigError without one."""
    if not routes:
        raise ConfigError(
            ["No route for messages is configured."],
            hint="Set addresses_file or command in the table [notify] of the configuration.",
        )
    if dry_run:
        return Trial(tuple(RouteTried(one.name, True) for one in routes), dry_run=True)
    body = f"The monitor on {host} reaches you. Nothing is wrong."
    message = Message("qfc: test message", body, Severity.INFO)
    return Trial(tuple(tried(one, message, host) for one in routes))


def tried(route: Post, message: Message, host: str) -> RouteTried:
    """Send a message by a route."""
    try:
        route.send(message, {"host": host})
    except QfcError as error:
        return RouteTried(route.name, False, without_secrets(f"{error.message} {error.hint}".strip()))
    return RouteTried(route.name, True)
