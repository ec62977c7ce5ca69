"""What the lab has broken, written down where the stack is: before the fault is made, until it is undone.

For an embedded stack in its folder; for a deployment beside it on its host, so that values of its `.env` stay there and
another operator can mend it. Only the owner reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ..errors import NotFoundError, QfcError
from ..stack.model import Kind
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
        return tuple(map(_broken, _document(ports).get("broken", [])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QfcError(f"{NAME} of {ports.name} cannot be read.", hint="Look at it, then remove it.") from error


def write(ports: Ports, broken: Sequence[Broken]) -> None:
    """Remember what is broken; it is on the disk afterwards."""
    document = {"broken": [{**vars(one), "since": one.since.isoformat()} for one in broken]}
    if ports.kind is Kind.EMBEDDED:
        ports.host.write_bytes(ports.folder / NAME, json.dumps(document).encode(), mode=0o600)
    else:
        ports.deployment.records.write(NAME, document)


def _document(ports: Ports) -> Mapping[str, Any]:
    if ports.kind is not Kind.EMBEDDED:
        return ports.deployment.records.read(NAME) or {}
    try:
        return cast("Mapping[str, Any]", json.loads(ports.host.read_bytes(ports.folder / NAME)))
    except NotFoundError:
        return {}


def _broken(row: Mapping[str, Any]) -> Broken:
    return Broken(str(row["id"]), datetime.fromisoformat(row["since"]), str(row["by"]), dict(row["known"]))
