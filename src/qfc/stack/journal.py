"""The journal of a stack: the operation that was begun and has not ended, written down before it changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .ports import Records

NAME = "journal.json"
#: Where releases before the journal wrote down a deployment.
_DEPLOYMENT = "deploy.json"


@dataclass(frozen=True)
class Entry:
    """An operation that was begun. `record` is its own document: what it needs to finish or to undo it."""

    operation: str
    record: Mapping[str, Any]


def read(records: Records) -> Entry | None:
    """Return the operation that has not ended; None when there is none. Raises QfcError when it cannot be read."""
    document = records.read(NAME)
    if document:
        return Entry(document["operation"], document["record"])
    deployment = records.read(_DEPLOYMENT)
    return Entry("deploy", deployment) if deployment else None


def write(records: Records, entry: Entry) -> None:
    """Write down how far an operation is; it is on the disk afterwards."""
    records.write(NAME, {"operation": entry.operation, "record": entry.record})


def clear(records: Records) -> None:
    """Write down that nothing is under way any more."""
    records.remove(NAME)
    records.remove(_DEPLOYMENT)
