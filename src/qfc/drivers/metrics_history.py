"""Measurements in a small SQLite file in our own folder for the stack. Nothing ever fails because of it.

Several processes may write at the same time. After a week one measurement per five minutes stays, after three months
one per hour, and after two years none. A file that is damaged is set aside, and a new one is begun.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from ..stack.metrics import Sample
from ..stack.ports import MetricsHistory

FILE, DAMAGED = "metrics.sqlite3", "metrics.sqlite3.damaged"
BUSY_S = 2.0
DAY_S = 86_400
#: Seconds after which only one measurement of each span stays, and that span; 0: none stays.
THINNED = ((7 * DAY_S, 300), (92 * DAY_S, 3600), (731 * DAY_S, 0))
_CREATE = "create table if not exists sample (at integer primary key, document text not null) without rowid"
_INSERT = "insert or replace into sample (at, document) values (?, ?)"
#: Times so far ahead come from a clock that was wrong, and would hide the present.
_AHEAD = "delete from sample where at > ?"
_OLD = "delete from sample where at < ?"
_THIN = """delete from sample where at < ?1
and at not in (select max(at) from sample where at < ?1 group by at / ?2)"""
Thing = TypeVar("Thing")


class SqliteMetricsHistory(MetricsHistory):
    """Keeps measurements below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def record(self, sample: Sample) -> None:
        self.record_all([sample])

    def record_all(self, samples: Iterable[Sample]) -> int:
        rows = [(int(one.at.timestamp()), json.dumps(one.document())) for one in samples]
        return self._tried(lambda database: _written(database, rows), 0) if rows else 0

    def samples(self, since: datetime) -> tuple[Sample, ...]:
        def read(database: sqlite3.Connection) -> tuple[Sample, ...]:
            found = database.execute("select document from sample where at >= ? order by at", (since.timestamp(),))
            return tuple(_read(row[0] for row in found))

        return self._tried(read, ()) if self._path.exists() else ()

    def _tried(self, work: Callable[[sqlite3.Connection], Thing], otherwise: Thing) -> Thing:
        """Return what `work` returns, or `otherwise` if the file cannot be used now."""
        for _ in range(2):
            try:
                with self._opened() as database:
                    return work(database)
            except sqlite3.OperationalError:
                return otherwise
            except sqlite3.DatabaseError:
                self._set_aside()
            except OSError:
                return otherwise
        return otherwise

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=BUSY_S)) as database:
            with suppress(OSError):
                self._path.chmod(0o600)
            with database:
                database.execute(_CREATE)
                yield database

    def _set_aside(self) -> None:
        with suppress(OSError):
            self._path.replace(self._path.with_name(DAMAGED))


def _written(database: sqlite3.Connection, rows: list[tuple[int, str]]) -> int:
    database.executemany(_INSERT, rows)
    now = int(datetime.now(UTC).timestamp())
    database.execute(_AHEAD, (now + DAY_S,))
    for age_s, span_s in THINNED:
        if span_s:
            database.execute(_THIN, (now - age_s, span_s))
        else:
            database.execute(_OLD, (now - age_s,))
    return len(rows)


def _read(documents: Iterable[str]) -> Iterator[Sample]:
    for document in documents:
        with suppress(ValueError, KeyError, TypeError):
            yield Sample.of(json.loads(document))
