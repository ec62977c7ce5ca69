"""What the lab has broken, written down where the stack is: before the fault is made, until it is undone.

Values of a deployment's `.env` stay on its host that way, and another operator can undo the fault.
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
    """A fault that is made, or was begun to be made. `known` is what is needed to undo it."""

    id: str
    since: datetime
    by: str
    known: Mapping[str, Any]


def read(ports: Ports) -> tuple[Broken, ...]:
    """Return what is broken, the oldest first. Raises QfcError when that cannot be read."""
    try:
        return tuple(map(_broken, (ports.records.read(NAME) or {}).get("broken", [])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QfcError(f"{NAME} of {ports.name} cannot be read.", hint="Look at it, then remove it.") from error


def write(ports: Ports, broken: Sequence[Broken]) -> None:
    """Remember what is broken; it is on the disk afterwards."""
    document = {"broken": [{**vars(one), "since": one.since.isoformat()} for one in broken]}
    ports.records.write(NAME, document)


def _broken(row: Mapping[str, Any]) -> Broken:
    return Broken(str(row["id"]), datetime.fromisoformat(row["since"]), str(row["by"]), dict(row["known"]))
