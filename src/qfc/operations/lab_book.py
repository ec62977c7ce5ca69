"""The record of active faults, kept on the stack's host: from before a fault is created until it is undone.

That way values of a deployment's `.env` stay on its host, and another operator can undo the fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import QfcError
from ..stack.ports import Ports

NAME = "lab.json"


@dataclass(frozen=True)
class Broken:
    """A fault that is active, possibly incomplete. `known` is what undoing it needs."""

    id: str
    since: datetime
    by: str
    known: Mapping[str, Any]


def read(ports: Ports) -> tuple[Broken, ...]:
    """Return the active faults, oldest first. Raises QfcError when the record cannot be read."""
    try:
        return tuple(map(_broken, (ports.records.read(NAME) or {}).get("broken", [])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QfcError(f"{NAME} of {ports.name} cannot be read.", hint="Check its content, then remove it.") from error


def write(ports: Ports, broken: Sequence[Broken]) -> None:
    """Record the active faults; the record is on disk afterwards."""
    document = {"broken": [{**vars(one), "since": one.since.isoformat()} for one in broken]}
    ports.records.write(NAME, document)


def _broken(row: Mapping[str, Any]) -> Broken:
    return Broken(str(row["id"]), datetime.fromisoformat(row["since"]), str(row["by"]), dict(row["known"]))
