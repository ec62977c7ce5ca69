"""The history of a monitor: SQLite in the stack's folder. Bounded; what is damaged is set aside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import QfcError
from ...stack.findings import Severity
from ...stack.monitor import Decision, Look, Message, State
from ...stack.monitor.codec import document, restored
from ...stack.monitor.replay import is_quiet
from ...stack.ports.monitoring import History, Incident, IncidentEvent, Letter, Note

FILE = "monitor.sqlite3"
DAY_S = 86400.0
#: Looks at which nothing was out of the ordinary: all for a day, then one per so many seconds.
THINNED_S = 600.0
#: How long looks and notes are kept, and incidents with their messages.
KEPT_S, INCIDENTS_S = 30 * DAY_S, 400 * DAY_S
#: The file stays below this; if it grows beyond, the oldest looks go first.
MOST_BYTES = 48 * 1024 * 1024
#: Letters that could not be sent are tried again after this, doubled each time, up to the longest, for so long.
AGAIN_S, LONGEST_AGAIN_S, GIVEN_UP_S = 60.0, 3600.0, 7 * DAY_S
#: A route that is new gets what is not older than this.
NEW_ROUTE_S = 600.0
#: Events of one incident that are kept; the first ones say how it began.
MOST_EVENTS = 200
#: Damaged files that are kept.
MOST_DAMAGED = 2


class SqliteHistory(History):
    """The history in a folder. A file that cannot be used is set aside, and a new one begins."""

    def __init__(self, folder: Path, *, now: datetime | None = None) -> None:
        self._path = folder / FILE
        self._remark: str | None = None
        self._is_lost = False
        self._database = self._opened(now or datetime.now(UTC))

    @property
    def remark(self) -> str | None:
        return self._remark

    def state(self) -> State:
        with self._translated():
            text = self._meta("state")
        try:
            return restored(State, json.loads(text)) if text else State()
        except ValueError:
            return State()  # Of another release: whatever is wrong is found again.

    def last_look(self) -> datetime | None:
        with self._translated():
            row = self._database.execute("select max(at) from looks").fetchone()
        return _moment(row[0]) if row[0] is not None else None

    def keep(self, look: Look, decision: Decision) -> None:
        at = look.at.timestamp()
        with self._changing() as database:
            quiet = is_quiet(look)
            database.execute("insert into looks values (?, ?, ?)", (at, quiet, _text(look)))
            self._put("state", _text(decision.state))
            self._keep_notes(at, decision.notes)
            for alert in decision.opened:
                self._open(alert.id, alert.finding.title or alert.id, alert.finding.severity, alert.opened.timestamp())
            for alert in decision.state.alerts.values():
                if alert.closed is None:
                    self._add(alert.id, at, "seen", alert.finding.evidence)
            if decision.message is not None:
                self._keep_message(at, decision.message)
            for alert in decision.closed:
                database.execute("update incidents set closed = ? where alert = ? and closed is null", (at, alert.id))

    def keep_repair(self, alert: str, state: State, at: datetime, text: str) -> None:
        with self._changing():
            self._put("state", _text(state))
            self._add(alert, at.timestamp(), "tried", text)
            self._keep_notes(at.timestamp(), (text,))

    def looks(self, *, limit: int) -> Sequence[Look]:
        with self._translated():
            rows = self._database.execute("select look from looks order by at desc limit ?", (limit,)).fetchall()
        return [restored(Look, json.loads(row[0])) for row in reversed(rows)]

    def notes(self, *, limit: int) -> tuple[Note, ...]:
        asked = "select first, last, times, text from notes order by id desc limit ?"
        with self._translated():
            rows = self._database.execute(asked, (limit,)).fetchall()
        return tuple(Note(_moment(first), _moment(last), times, text) for first, last, times, text in rows)

    def incidents(self, *, limit: int) -> tuple[Incident, ...]:
        asked = "select id, alert, title, severity, opened, closed from incidents order by opened desc limit ?"
        with self._translated():
            rows = self._database.execute(asked, (limit,)).fetchall()
            return tuple(self._incident(*row) for row in rows)

    def letters(self, route: str, now: datetime) -> tuple[Letter, ...]:
        asked = """select letters.id, letters.at, message, coalesce(tries, 0) from letters
            left join deliveries on letter = letters.id and route = ?
            where (letter is null or next <= ?) and letters.at > ? order by letters.at limit 100"""
        moment = now.timestamp()
        begun = self._begun(route, moment)
        with self._translated():
            rows = self._database.execute(asked, (route, moment, max(moment - GIVEN_UP_S, begun))).fetchall()
        return tuple(Letter(id, _moment(at), _message(text), n) for id, at, text, n in rows)

    def sent(self, letters: Sequence[Letter], route: str, now: datetime, *, error: str | None = None) -> None:
        with self._changing() as database:
            for one in letters:
                wait = min(AGAIN_S * 2**one.tries, LONGEST_AGAIN_S)
                again = now.timestamp() + wait if error is not None else None
                row = (one.id, route, one.tries + 1, again, error)
                database.execute("insert or replace into deliveries values (?, ?, ?, ?, ?)", row)

    def prune(self, now: datetime) -> None:
        moment = now.timestamp()
        thinned = """delete from looks where quiet and at < ? and rowid not in
            (select min(rowid) from looks where quiet and at < ? group by cast(at / ? as integer))"""
        with self._changing() as database:
            database.execute(thinned, (moment - DAY_S, moment - DAY_S, THINNED_S))
            database.execute("delete from looks where at < ?", (moment - KEPT_S,))
            database.execute("delete from notes where last < ?", (moment - KEPT_S,))
            database.execute("delete from letters where at < ?", (moment - KEPT_S,))
            database.execute("delete from incidents where closed < ?", (moment - INCIDENTS_S,))
            if self._used_bytes() > MOST_BYTES:
                older = "select rowid from looks order by at limit (select count(*) / 2 from looks)"
                database.execute(f"delete from looks where rowid in ({older})")
        with self._translated():
            self._database.execute("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._database.close()

    def __del__(self) -> None:
        if hasattr(self, "_database"):
            self.close()

    def _opened(self, now: datetime) -> sqlite3.Connection:
        try:
            return self._connected()
        except OSError as error:
            raise _unusable(self._path, error) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_damage(error):
                raise _unusable(self._path, error) from error
        aside = self._set_aside(now)
        self._remark = f"{self._path} was damaged. It is kept as {aside.name}; a new history begins."
        try:
            return self._connected()
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self._path, error) from error

    def _connected(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            self._path.chmod(0o600)
            for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on", "cache_size = -1000"):
                database.execute(f"pragma {pragma}")
            if database.execute("pragma quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check found damage")
            database.executescript(files(__package__ or "").joinpath("schema.sql").read_text())
        except BaseException:
            database.close()
            raise
        return database

    def _set_aside(self, now: datetime) -> Path:
        aside = self._path.with_name(f"{FILE}.damaged-{now:%Y%m%dT%H%M%S}")
        with suppress(OSError):
            self._path.replace(aside)
        for ending in ("-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(FILE + ending).unlink()
        self._drop_old_damage()
        return aside

    def _drop_old_damage(self) -> None:
        """Keep the newest damaged files alone: a disk that damages them again and again must not fill up with them."""
        for old in sorted(self._path.parent.glob(f"{FILE}.damaged-*"))[:-MOST_DAMAGED]:
            with suppress(OSError):
                old.unlink()

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Translate the errors of SQLite; what is damaged is set aside, and the next call finds a new file.

        Where none could be made, each call tries again.
        """
        if self._is_lost:
            self._database = self._opened(datetime.now(UTC))
            self._is_lost = False
        try:
            yield
        except sqlite3.Error as error:
            if _is_damage(error):
                self._is_lost = True
                self.close()
                self._database = self._reopened()
                self._is_lost = False
            raise _unusable(self._path, error) from error

    def _reopened(self) -> sqlite3.Connection:
        now = datetime.now(UTC)
        aside = self._set_aside(now)
        self._remark = f"{self._path} was damaged. It is kept as {aside.name}; a new history begins."
        return self._opened(now)

    @contextmanager
    def _changing(self) -> Generator[sqlite3.Connection]:
        with self._translated():
            self._database.execute("begin immediate")
            try:
                yield self._database
                self._database.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("rollback")
                raise

    def _keep_notes(self, at: float, notes: Sequence[str]) -> None:
        """Store sentences; one that is said again only counts."""
        asked = "select id, text from notes order by id desc limit ?"
        known = {text: id for id, text in self._database.execute(asked, (len(notes),))}
        for text in reversed(notes):
            if text in known:
                self._database.execute("update notes set last = ?, times = times + 1 where id = ?", (at, known[text]))
            else:
                self._database.execute(
                    "insert into notes (first, last, times, text) values (?, ?, 1, ?)", (at, at, text)
                )

    def _open(self, alert: str, title: str, severity: str, at: float) -> None:
        found = self._database.execute("select 1 from incidents where alert = ? and closed is null", (alert,))
        if found.fetchone() is None:
            row = (alert, title, str(severity), at)
            self._database.execute("insert into incidents (alert, title, severity, opened) values (?, ?, ?, ?)", row)

    def _add(self, alert: str, at: float, kind: str, text: str) -> None:
        """Add an event to the open incident of an alert, unless it says what the one before said."""
        statement = """insert into events select id, ?, ?, ? from incidents where alert = ? and closed is null
            and (select count(*) from events where incident = incidents.id) < ?
            and coalesce((select kind || text from events where incident = incidents.id and kind = ?
                          order by rowid desc limit 1), '') <> ?"""
        self._database.execute(statement, (at, kind, text, alert, MOST_EVENTS, kind, kind + text))

    def _keep_message(self, at: float, message: Message) -> None:
        self._database.execute("insert into letters (at, message) values (?, ?)", (at, _text(message)))
        for alert in message.alerts:
            self._add(alert, at, "told", message.title)

    def _begun(self, route: str, moment: float) -> float:
        """Return since when messages go by a route: a new one gets no letters of last week."""
        name = f"route {route}"
        with self._translated():
            known = self._meta(name)
        if known is not None:
            return float(known)
        with self._changing():
            self._put(name, str(moment - NEW_ROUTE_S))
        return moment - NEW_ROUTE_S

    def _incident(
        self, id: int, alert: str, title: str, severity: str, opened: float, closed: float | None
    ) -> Incident:
        rows = self._database.execute("select at, kind, text from events where incident = ? order by rowid", (id,))
        events = tuple(IncidentEvent(_moment(at), kind, text) for at, kind, text in rows)
        end = None if closed is None else _moment(closed)
        return Incident(id, alert, title, severity, _moment(opened), end, events)

    def _meta(self, name: str) -> str | None:
        row = self._database.execute("select value from meta where name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _put(self, name: str, value: str) -> None:
        self._database.execute("insert or replace into meta values (?, ?)", (name, value))

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._database.execute(f"pragma {one}").fetchone()[0]
            for one in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size


def _is_damage(error: sqlite3.Error) -> bool:
    words = str(error)
    return any(one in words for one in ("malformed", "not a database", "quick_check", "file is encrypted"))


def _unusable(path: Path, error: sqlite3.Error | OSError) -> QfcError:
    said = (error.strerror or type(error).__name__) if isinstance(error, OSError) else error
    return QfcError(f"{path} cannot be used: {said}.", hint="Check free space and permissions.")


def _message(text: str) -> Message:
    """Return a stored message. One that another release wrote is told as it is: nobody has heard of it yet."""
    try:
        return restored(Message, json.loads(text))
    except ValueError:
        return Message("A message that another release of qfc stored", text, Severity.WARNING)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(value: Any) -> str:
    return json.dumps(document(value), separators=(",", ":"), ensure_ascii=False)
