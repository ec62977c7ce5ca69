"""Who is at work on a stack, what was done to it, and what operations write down beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, BinaryIO, Protocol

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


class Records(Protocol):
    """Documents that belong to the stack, where its data are, for all operators; only the owner reads them."""

    def folder(self, *parts: str) -> PurePath:
        """Return a folder for files of ours, made when it is not there."""
        ...

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a document; None when there is none."""
        ...

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Replace a document; it is on the disk afterwards."""
        ...

    def write_text(self, name: str, text: str) -> None:
        """Replace a file of text."""
        ...

    def read_text(self, name: str) -> str | None:
        """Return a file of text; None when there is none."""
        ...

    def remove(self, name: str) -> None:
        """Remove a document or a folder with all that is in it; harmless when it is not there."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """Return what lies in a folder of ours, in the order of names."""
        ...

    def sizes(self, folder: str) -> Mapping[str, int]:
        """Return the bytes of the files in a folder of ours, by their names."""
        ...

    def receive(self, name: str, content: BinaryIO, size: int) -> PurePath:
        """Store a file of ours; return its path."""
        ...
