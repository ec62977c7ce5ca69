"""The records of a stack's deployments, stored with the stack."""

from __future__ import annotations

from . import journal
from .ports import Records
from .rollout import Record, from_document

OPERATION = "deploy"
FOLDER = "deployments"
RECORD, ENV, DUMP, LOG = "record.json", "env", "database.dump", "log.txt"


def under_way(records: Records) -> Record | None:
    """Return the deployment that has started and not ended; None without one."""
    entry = journal.read(records)
    return from_document(entry.record) if entry and entry.operation == OPERATION else None


def past(records: Records, *, most: int | None = None) -> tuple[Record, ...]:
    """Return past deployments, the newest first; at most `most` of them."""
    names = sorted(records.names(FOLDER), reverse=True)[:most]
    documents = (records.read(f"{FOLDER}/{name}/{RECORD}") for name in names)
    return tuple(from_document(document) for document in documents if document)
