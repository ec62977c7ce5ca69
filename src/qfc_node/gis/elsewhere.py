"""Whether this process may connect to databases elsewhere.

A job first runs where there is no network. If it turns out to need one, it starts again where there is.
"""

from __future__ import annotations


class NetworkNeededError(BaseException):
    """The job cannot go on without a network. No layer's error, so nothing of the engine catches it."""


_permission = {"given": True}


def forbid() -> None:
    """Let nothing in this process connect."""
    _permission["given"] = False


def require() -> None:
    """Check the permission before a connection. Raises NetworkNeededError without it."""
    if not _permission["given"]:
        raise NetworkNeededError
