"""Shared by the locks of all kinds of stack: our identity, the document of a holder, the error for other operators."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..errors import LockHeldError
from ..stack.model import Holder

LATER = "Try again later, or wait for it with --wait SECONDS."


def identity() -> str:
    """Return the operator of this process, as user@host."""
    return f"{_user()}@{socket.gethostname()}"


def ourselves(reason: str, since: datetime, *, process_started: float = 0.0) -> Holder:
    """Return this process as the holder of a lock."""
    return Holder(_user(), socket.gethostname(), os.getpid(), process_started, since, reason)


def is_this_process(holder: Holder | None) -> bool:
    """Return whether a lock's holder is this process."""
    return holder is not None and (holder.pid, holder.host) == (os.getpid(), socket.gethostname())


def as_document(holder: Holder) -> str:
    """Return the document of a holder."""
    return json.dumps({**asdict(holder), "since": holder.since.isoformat()})


def from_document(document: str | bytes) -> Holder:
    """Return the holder in a document. Raises ValueError for anything else."""
    try:
        values: dict[str, Any] = json.loads(document)
        values["since"] = datetime.fromisoformat(values["since"])
        return Holder(**values)
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a lock file: {error}") from error


def held(holder: Holder, hint: str = LATER) -> LockHeldError:
    """Return the error for a lock that another operator holds."""
    since = holder.since.strftime("%Y-%m-%d %H:%M:%S UTC")
    return LockHeldError(f"{holder} has been at work since {since}: {holder.reason}.", hint=hint)


def _user() -> str:
    """Return the user name; under sudo, that of the original user."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
