"""What is written down of deployments beside the deployment, as it is read."""

from __future__ import annotations

from .ports import Deployment
from .rollout import Record, from_document

UNDER_WAY = "deploy.json"
FOLDER = "deployments"
RECORD, ENV, DUMP, LOG = "record.json", "env", "database.dump", "log.txt"


def under_way(deployment: Deployment) -> Record | None:
    """Return the deployment that was begun and has not ended."""
    document = deployment.records.read(UNDER_WAY)
    return from_document(document) if document else None


def past(deployment: Deployment, *, most: int | None = None) -> tuple[Record, ...]:
    """Return what was deployed, the newest first, and no more than so many."""
    names = sorted(deployment.records.names(FOLDER), reverse=True)[:most]
    documents = (deployment.records.read(f"{FOLDER}/{name}/{RECORD}") for name in names)
    return tuple(from_document(document) for document in documents if document)
