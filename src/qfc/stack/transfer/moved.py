"""The record of a server that was moved away. It is kept with the server until that takes over again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...errors import RefusedError

if TYPE_CHECKING:
    from ..ports import Records

NAME = "moved.json"
TAKE_BACK = "To let this server take over again: qfc transfer back"


@dataclass(frozen=True)
class Moved:
    """Where a server went, by whom and when. `backup` is the set with its last state."""

    to: str
    by: str
    at: datetime
    backup: str

    @property
    def sentence(self) -> str:
        """Say it in a sentence."""
        return f"{self._what}; it accepts no writes."

    @property
    def sentence_of_running(self) -> str:
        """Say it of a server whose workers run although it was moved away."""
        return f"{self._what}, but its workers run: people may work on two servers. Stop this one: qfc down"

    @property
    def _what(self) -> str:
        return f"{self.by} moved this server to {self.to} at {self.at:%Y-%m-%d %H:%M} UTC"


def read(records: Records) -> Moved | None:
    """Return where the server went; None for one that was not moved. Raises QfcError if the record is unreadable."""
    document = records.read(NAME)
    if not document:
        return None
    return of_document(document)


def write(records: Records, moved: Moved) -> None:
    """Record that the server was moved away."""
    records.write(NAME, document_of(moved))


def document_of(moved: Moved) -> dict[str, str]:
    """Return it as a document."""
    return {"to": moved.to, "by": moved.by, "at": moved.at.isoformat(), "backup": moved.backup}


def of_document(document: Mapping[str, Any]) -> Moved:
    """Return what a document says."""
    return Moved(document["to"], document["by"], datetime.fromisoformat(document["at"]), document["backup"])


def clear(records: Records) -> None:
    """Record that the server is in use."""
    records.remove(NAME)


def require_here(records: Records) -> None:
    """Refuse to start a server that was moved away: people would work on two. Raises RefusedError."""
    moved = read(records)
    if moved is not None:
        raise RefusedError(moved.sentence, hint=TAKE_BACK)
