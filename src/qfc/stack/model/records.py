"""Records of operators' work: the lock and the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


#: The result in the line before a change.
BEGUN = "begun"


@dataclass(frozen=True)
class AuditEntry:
    """One operation on a stack.

    `result` begins with done, failed, refused, partly done or interrupted; `begun` is that of the line before the
    change, which has the same `change`: without a line after it, the change goes on, or was killed.
    """

    time: datetime
    who: str
    command: str
    target: str
    result: str
    seconds: float
    change: str = ""


def each_once(entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
    """Yield entries, the newest first, without the line before each change that has one after it."""
    ended: set[str] = set()
    for one in entries:
        if one.result == BEGUN and one.change in ended:
            continue
        ended.add(one.change)
        yield one
