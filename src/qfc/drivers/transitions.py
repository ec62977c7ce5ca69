"""The observed transitions of unfinished jobs: one JSON object per line, in our own folder for the stack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from ..stack.model import JobStatus, QueueSnapshot, Transition
from ..stack.ports import Transitions
from ..stack.transitions import compared, joined
from .local_cache import alone, keep, kept_lines


class FileTransitions(Transitions):
    """Keeps transitions below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "transitions.jsonl"

    def noted(self, snapshot: QueueSnapshot) -> QueueSnapshot:
        """Store a snapshot of the queue; return it with the known transitions of its jobs.

        While another command stores its own snapshot, this one is not stored: both are from about the same moment.
        """
        with alone(self._path) as is_alone:
            before = tuple(kept_lines(self._path, _transition))
            after = compared(before, snapshot)
            if is_alone and after != before:
                keep(self._path, _lines(after))
        return joined(snapshot, after)


def _transition(document: dict[str, Any]) -> Transition:
    """Create a transition from a line. Raises ValueError, KeyError or TypeError for one that was cut off."""
    return Transition(
        job_id=str(document["job"]),
        project_id=str(document["project"]),
        status=JobStatus(document["status"]),
        seen_at=_moment(document["seen_at"]),
        last_at=_moment(document["last_at"]),
        after=None if document["after"] is None else _moment(document["after"]),
    )


def _moment(text: str) -> datetime:
    """Return a time; one without a zone cannot be compared with the others. Raises ValueError, TypeError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _lines(transitions: Iterable[Transition]) -> str:
    return "".join(f"{json.dumps(_document(one))}\n" for one in transitions)


def _document(one: Transition) -> dict[str, str | None]:
    return {
        "job": one.job_id,
        "project": one.project_id,
        "status": str(one.status),
        "seen_at": one.seen_at.isoformat(),
        "last_at": one.last_at.isoformat(),
        "after": one.after and one.after.isoformat(),
    }
