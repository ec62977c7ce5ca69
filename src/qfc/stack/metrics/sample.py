"""One measurement of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A stack at one moment. None: not measured, or there was nothing to measure.

    `queue` are the pending and queued jobs, `processing` the started ones; `failed` and `finished` are those of the
    last hour, and so are the rate and the seconds (start to end of finished jobs, `wait` from creation to start).
    The oldest waits are seconds, 0 when nothing waits for that reason. `restarts` are the unrequested ones of the
    present processes or containers.
    """

    at: datetime
    queue: int
    processing: int
    failed: int
    finished: int | None = None
    success_rate: float | None = None
    run_p50_s: float | None = None
    run_p95_s: float | None = None
    wait_p95_s: float | None = None
    oldest_no_free_worker_s: float | None = None
    oldest_project_busy_s: float | None = None
    oldest_project_locked_s: float | None = None
    workers: int | None = None
    workers_busy: int | None = None
    disk_free_bytes: int | None = None
    disk_total_bytes: int | None = None
    restarts: int | None = None

    def document(self) -> dict[str, Any]:
        """Return what JSON knows of it."""
        return {**asdict(self), "at": self.at.isoformat()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Sample:
        """Read what `document` returns; unknown fields are left out. Raises ValueError, KeyError, TypeError."""
        known = {one.name for one in fields(cls)}
        values: dict[str, Any] = {name: value for name, value in document.items() if name in known}
        values["at"] = datetime.fromisoformat(document["at"])
        return cls(**values)
