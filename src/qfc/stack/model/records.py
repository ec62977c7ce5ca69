"""Records of operators' work: the lock and the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Holder:
    """The holder of a stack's lock. `process_started` (seconds since 1970) distinguishes a reused pid."""

    user: str
    host: str
    pid: int
    process_started: float
    since: datetime
    reason: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (pid {self.pid})"


@dataclass(frozen=True)
class AuditEntry:
    """One operation on a stack. `result` begins with done, failed, refused, partly done or interrupted."""

    time: datetime
    who: str
    command: str
    target: str
    result: str
    seconds: float
