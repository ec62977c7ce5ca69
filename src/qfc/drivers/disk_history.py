"""Measurements of a stack's disk, one JSON object a line in our own folder for the stack."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ..stack.forecast import DiskSample
from .files import append_line, replace_file

#: One measurement in so long is enough for a line through days.
APART = timedelta(minutes=30)
#: Two an hour of two disks make as many in a quarter of a year; older ones go.
MOST = 9000


class FileDiskHistory:
    """Keeps measurements below `folder`. What cannot be kept is left out: nothing must fail for it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "disk.jsonl"

    def add(self, sample: DiskSample) -> None:
        """Keep a measurement, unless there is one of about the same time."""
        known = self.samples()
        if is_close(sample, known):
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self._path, _line(sample))
            if len(known) > MOST:
                kept = "".join(f"{_line(one)}\n" for one in (*known[len(known) // 2 :], sample))
                replace_file(self._path, kept.encode(), mode=0o600)

    def samples(self) -> tuple[DiskSample, ...]:
        """Return what is known, the oldest first. A line that was cut off is left out."""
        found: deque[DiskSample] = deque(maxlen=MOST + 1)
        with suppress(OSError), self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError):
                    document = json.loads(line)
                    at = datetime.fromisoformat(document["at"])
                    name = str(document.get("disk", ""))
                    found.append(DiskSample(at, int(document["free"]), int(document["total"]), name))
        return tuple(found)


def _line(sample: DiskSample) -> str:
    values = {"free": sample.free_bytes, "total": sample.total_bytes, "disk": sample.disk}
    return json.dumps({"at": sample.at.isoformat(), **values})


def is_close(sample: DiskSample, known: Sequence[DiskSample]) -> bool:
    """Tell whether there is a measurement of the same disk of about the same time."""
    last = next((one for one in reversed(known) if one.disk == sample.disk), None)
    return last is not None and abs(sample.at - last.at) < APART
