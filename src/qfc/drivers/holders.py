"""What the locks of all kinds of stack share: who we are, how a holder is written down, what others are told."""

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
    """Return who this process works for, as user@host."""
    return f"{_user()}@{socket.gethostname()}"


def ourselves(reason: str, since: datetime, *, process_started: float = 0.0) -> Holder:
    """Return this process as a holder."""
    return Holder(_user(), socket.gethostname(), os.getpid(), process_started, since, reason)


def as_document(holder: Holder) -> str:
    """Return a holder as it is written down."""
    return json.dumps({**asdict(holder), "since": holder.since.isoformat()})


def from_document(document: str | bytes) -> Holder:
    """Return the holder that was written down. Raises ValueError for anything else."""
    try:
        values: dict[str, Any] = json.loads(document)
        values["since"] = datetime.fromisoformat(values["since"])
        return Holder(**values)
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a lock file: {error}") from error


def held(holder: Holder, hint: str = LATER) -> LockHeldError:
    """Return the error for a lock that somebody holds."""
    since = holder.since.strftime("%Y-%m-%d %H:%M:%S UTC")
    return LockHeldError(f"{holder} has been at work since {since}: {holder.reason}.", hint=hint)


def _user() -> str:
    """Return the person, also behind sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
