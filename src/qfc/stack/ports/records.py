"""The lock of a stack, its audit log, and the documents that operations store with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from ..model import AuditEntry, Holder


class Lock(Protocol):
    """Lets one operator at a time change a stack."""

    def identity(self) -> str:
        """Return the operator of this process, as user@host."""
        ...

    def take(self, reason: str) -> Holder:
        """Take the lock, even from a dead holder. Raises LockHeldError with the holder, the reason and the time."""
        ...

    def release(self) -> None:
        """Release the lock; harmless when this process does not hold it."""
        ...

    def holder(self) -> Holder | None:
        """Return the living holder of the lock; None without one."""
        ...

    def is_ours(self) -> bool:
        """Return whether this process still holds the lock. What keeps it on a host may be lost with a connection."""
        ...


class AuditLog(Protocol):
    """The operations on a stack: by whom, with which result."""

    def append(self, entry: AuditEntry) -> None:
        """Append one line, durably."""
        ...

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return the last entries, the newest first; the line before a change only until it has one after it."""
        ...

    def rotate(self, larger_than: int) -> bool:
        """Set a log of more bytes aside, and drop the oldest that was; return whether it did. `entries` reads both."""
        ...


class Records(Protocol):
    """Documents of the stack, stored with its data, for all operators; only the owner can read them.

    Names are paths below our own folder.
    """

    def folder(self, *parts: str) -> PurePath:
        """Return the path of a folder of ours, which is created if it does not exist."""
        ...

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a document; None where it does not exist."""
        ...

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Replace a document; it is on the disk when this returns."""
        ...

    def write_text(self, name: str, text: str) -> None:
        """Replace a text file."""
        ...

    def read_text(self, name: str) -> str | None:
        """Return a text file; None where it does not exist."""
        ...

    def remove(self, name: str) -> None:
        """Remove a document, or a folder with everything in it; harmless when it does not exist."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder of ours, sorted."""
        ...

    def sizes(self, folder: str) -> Mapping[str, int]:
        """Return the sizes of the files in a folder of ours, in bytes, by name."""
        ...

    def receive(self, name: str, content: BinaryIO, size: int) -> PurePath:
        """Store a file of `size` bytes; return its path."""
        ...


class DataNote(Protocol):
    """A note that a stack has data, kept where it outlives the stack's folder."""

    def folder(self) -> PurePath | None:
        """Return the folder in which the stack last had data, None if it never had any."""
        ...

    def note(self, folder: PurePath) -> None:
        """Note that the stack has data in a folder."""
        ...
