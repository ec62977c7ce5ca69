"""Measurements of a stack's disks: one JSON object per line, in our own folder for the stack."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..stack.forecast import DiskSample
from ..stack.ports import DiskHistory
from .local_cache import keep, keep_line, kept_lines

#: One measurement per this time is enough for a trend over days.
APART = timedelta(minutes=30)
#: Two per hour, of two disks, for a quarter of a year; older ones are dropped.
MOST = 9000


class FileDiskHistory(DiskHistory):
    """Keeps measurements below `folder`. One that cannot be stored is dropped: nothing must fail because of it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "disk.jsonl"

    def add(self, sample: DiskSample) -> None:
        known = self.samples()
        if is_close(sample, known):
            return
        keep_line(self._path, _line(sample))
        if len(known) > MOST:
            keep(self._path, "".join(f"{_line(one)}\n" for one in (*known[len(known) // 2 :], sample)))

    def samples(self) -> tuple[DiskSample, ...]:
        """Return the stored measurements, the oldest first. A line that was cut off is left out."""
        return tuple(deque(kept_lines(self._path, _sample), maxlen=MOST + 1))


def _sample(document: dict[str, Any]) -> DiskSample:
    at = datetime.fromisoformat(document["at"])
    return DiskSample(at, int(document["free"]), int(document["total"]), str(document.get("disk", "")))


def _line(sample: DiskSample) -> str:
    values = {"free": sample.free_bytes, "total": sample.total_bytes, "disk": sample.disk}
    return json.dumps({"at": sample.at.isoformat(), **values})


def is_close(sample: DiskSample, known: Sequence[DiskSample]) -> bool:
    """Return whether a measurement of the same disk from about the same time exists."""
    last = next((one for one in reversed(known) if one.disk == sample.disk), None)
    return last is not None and abs(sample.at - last.at) < APART
