"""Problems of jobs and edits, as rows show them."""

from __future__ import annotations

from datetime import datetime

from qfc.stack.model.conditions import LongJobs, ProjectCount

from ....stack.ports.diagnosis import WorkConditions
from ...stored_setting import setting
from ..connection import Database
from .reading import MOST, Reader

TIME_LIMIT = "WORKER_TIMEOUT_S"
#: The time limit of a job, in seconds, on an official server whose table of settings has no row for it.
TIME_LIMIT_S = 600.0
#: Of so many packages the output is read.
MOST_PACKAGES = 200


class PostgresWork(WorkConditions):
    """Jobs and edits in the database, by project."""

    def __init__(self, database: Database) -> None:
        self._reader = Reader(database)

    def edits(self, status: str, *, since: datetime | None = None, more_than: int = 0) -> tuple[ProjectCount, ...]:
        wanted = {"status": status, "since": since, "more_than": more_than}
        return self._reader.all(ProjectCount, "conditions_work.edits", **wanted, limit=MOST)

    def overtaken_edits(self, *, since: datetime) -> tuple[ProjectCount, ...]:
        return self._reader.all(ProjectCount, "conditions_work.overtaken_edits", since=since, limit=MOST)

    def skipped_features(self, *, since: datetime) -> tuple[ProjectCount, ...] | None:
        bounds = {"since": since, "most": MOST_PACKAGES, "limit": MOST}
        return self._reader.kept(ProjectCount, "conditions_work.skipped_features", **bounds)

    def processing_storms(self, *, since: datetime, more_than: int) -> tuple[ProjectCount, ...]:
        bounds = {"since": since, "most": more_than, "limit": MOST}
        return self._reader.all(ProjectCount, "conditions_work.processing_storms", **bounds)

    def long_jobs(self, *, since: datetime, at_least_s: float) -> tuple[LongJobs, ...]:
        return self._reader.all(LongJobs, "conditions_work.long_jobs", since=since, at_least_s=at_least_s, limit=MOST)

    def time_limit_s(self) -> float | None:
        found = self._reader.kept_rows("database.setting", name=TIME_LIMIT)
        if found is None:
            return None
        stored = setting(found[0]["value"]) if found and found[0]["value"] else None
        return float(stored) if isinstance(stored, int | float) else TIME_LIMIT_S
