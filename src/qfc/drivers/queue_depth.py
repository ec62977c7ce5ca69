"""The depth of the queue, asked with psql: loading a client library would take longer than the whole question."""

from __future__ import annotations

import json
from typing import Any

from ..stack.model import QueueDepth
from .sql import block

#: Columns of the answer, as one JSON object.
COLUMNS = ("pending", "queued", "started", "oldest_pending_s")


def depth_query() -> str:
    """Return the query for the depth of the queue; the table of jobs has the same name in every release."""
    query = " ".join(block("jobs.depth").text.splitlines()).replace("{job}", "core_job")
    return f"select row_to_json(q) from ({query}) q"


def parsed_depth(answer: str) -> QueueDepth | None:
    """Return the depth in an answer; None if it is not one."""
    try:
        document: dict[str, Any] = json.loads(answer)
        return QueueDepth(**{name: document[name] for name in COLUMNS})
    except (ValueError, KeyError, TypeError):
        return None
