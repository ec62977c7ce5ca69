"""Workers that somebody stopped on purpose, recorded with the stack until somebody starts them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ports import Records

NAME = "drain.json"
FIX = "Start the workers when you are done: qfc workers restart"


@dataclass(frozen=True)
class Drain:
    """Who drained the workers, and when."""

    by: str
    at: datetime

    @property
    def sentence(self) -> str:
        """Say it in a sentence."""
        return f"{self.by} drained the workers at {self.at:%Y-%m-%d %H:%M} UTC; jobs wait until qfc workers restart."


def read(records: Records) -> Drain | None:
    """Return the drain that holds; None without one. Raises QfcError when the record cannot be read."""
    document = records.read(NAME)
    return Drain(document["by"], datetime.fromisoformat(document["at"])) if document else None


def write(records: Records, drain: Drain) -> None:
    """Record that workers are stopped on purpose."""
    records.write(NAME, {"by": drain.by, "at": drain.at.isoformat()})


def clear(records: Records) -> None:
    """Record that workers are wanted again. Call it before they are started: a start may fail, and is then a fault."""
    records.remove(NAME)
