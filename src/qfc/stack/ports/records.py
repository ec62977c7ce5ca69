"""Who is at work on a stack, and what was done to it."""

from __future__ import annotations

from typing import Protocol

from ..model import AuditEntry, Holder


class Lock(Protocol):
    """Lets one operator at a time change a stack."""

    def identity(self) -> str:
        """Return who this process works for, as user@host."""
        ...

    def take(self, reason: str) -> Holder:
        """Take the lock, from a dead holder too. Raises LockHeldError with who, what and since when."""
        ...

    def release(self) -> None:
        """Give the lock back; giving back what this process does not hold is harmless."""
        ...

    def holder(self) -> Holder | None:
        """Return who holds the lock and lives."""
        ...


class AuditLog(Protocol):
    """What was done to a stack, by whom, with which result."""

    def append(self, entry: AuditEntry) -> None:
        """Write one line, for good."""
        ...

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return the last entries, the newest first."""
        ...
