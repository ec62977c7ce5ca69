"""The journal of a stack: the operation in progress, recorded before it changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ports import Records

NAME = "journal.json"
#: Where releases without a journal recorded a deployment.
_DEPLOYMENT = "deploy.json"


@dataclass(frozen=True)
class Entry:
    """An operation in progress. `record` is its own document: the data needed to finish or undo it."""

    operation: str
    record: Mapping[str, Any]


def read(records: Records) -> Entry | None:
    """Return the operation in progress; None without one. Raises QfcError when the journal cannot be read."""
    document = records.read(NAME)
    if document:
        return Entry(document["operation"], document["record"])
    deployment = records.read(_DEPLOYMENT)
    return Entry("deploy", deployment) if deployment else None


def write(records: Records, entry: Entry) -> None:
    """Record the progress of an operation; it is on the disk when this returns."""
    records.write(NAME, {"operation": entry.operation, "record": entry.record})


def clear(records: Records) -> None:
    """Record that no operation is in progress."""
    records.remove(NAME)
    records.remove(_DEPLOYMENT)
