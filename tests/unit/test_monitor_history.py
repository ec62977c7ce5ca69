"""The history of a monitor: what is kept, how long, and what survives a damaged file and a full disk."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qfc.drivers.monitoring.history import FILE, SqliteHistory
from qfc.errors import QfcError
from qfc.stack.findings import Auto, Finding, Severity, problem
from qfc.stack.monitor import NOBODY, Decision, Limits, Look, Message, Operation, State, acted, decide
from qfc.stack.monitor.codec import document, restored

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOWN = Finding(
    "A11", problem("A11", Severity.CRITICAL, "").verdict, "Down: db.", title="Down", fix="qfc up", auto=Auto.SAFE
)


def story(history: SqliteHistory, looks: int = 12, *, at: datetime = AT) -> State:
    """Let a database be down, and keep what follows."""
    state = history.state()
    for number in range(looks):
        look = Look(at + timedelta(seconds=10 * number), 10.0, (DOWN,))
        decision = decide("one", state, look, NOBODY, Limits())
        state = decision.state
        history.keep(look, decision)
        if decision.action is not None:
            state = acted(state, "A11", "Failed.", look.at)
            history.keep_repair("A11", state, look.at, "Failed.")
    return state


def test_what_is_known_survives_the_monitor(tmp_path: Path) -> None:
    first = SqliteHistory(tmp_path)
    state = story(first)
    first.close()
    again = SqliteHistory(tmp_path)
    assert again.state() == state
    assert again.last_look() == AT + timedelta(seconds=110)
    assert again.looks(limit=3)[-1].findings == (DOWN,)


def test_a_look_is_restored_as_it_was() -> None:
    look = Look(AT, 10.0, (DOWN,), True, {"app": 3}, Operation("anna", "deploy", AT), "deploy", None, "away")
    assert restored(Look, document(look)) == look
    with pytest.raises(ValueError, match="not a Look"):
        restored(Look, {"nonsense": 1})


def test_an_incident_has_what_was_seen_tried_and_told(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    story(history)
    (incident, gave_up) = sorted(history.incidents(limit=9), key=lambda one: one.alert)
    assert (incident.alert, incident.closed, gave_up.alert) == ("A11", None, "gave-up")
    kinds = [event.kind for event in incident.events]
    assert kinds[0] == "seen" and {"tried", "told"} <= set(kinds)
    assert kinds.count("seen") == 1  # the same evidence is kept once


def test_the_same_sentence_is_kept_once(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    for number in range(5):
        history.keep(Look(AT + timedelta(seconds=number)), Decision(State(), ("Did nothing, because all is well.",)))
    (note,) = history.notes(limit=9)
    assert (note.times, note.first, note.last) == (5, AT, AT + timedelta(seconds=4))


def test_letters_wait_until_they_are_sent_and_longer_each_time(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    assert history.letters("hook", AT) == ()
    message = Message("one: NEW Down", "text", Severity.CRITICAL, ("A11",))
    history.keep(Look(AT), Decision(State(), ("x.",), message=message))
    (letter,) = history.letters("hook", AT)
    assert letter.message == message
    history.sent([letter], "hook", AT, error="away")
    assert history.letters("hook", AT + timedelta(seconds=59)) == ()
    (letter,) = history.letters("hook", AT + timedelta(seconds=61))
    history.sent([letter], "hook", AT + timedelta(seconds=61), error="away")
    assert history.letters("hook", AT + timedelta(seconds=170)) == ()
    (letter,) = history.letters("hook", AT + timedelta(seconds=190))
    history.sent([letter], "hook", AT + timedelta(seconds=190))
    assert history.letters("hook", AT + timedelta(days=1)) == ()


def test_a_new_route_gets_no_letters_of_last_week(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    message = Message("old", "text", Severity.WARNING)
    history.keep(Look(AT), Decision(State(), ("x.",), message=message))
    assert history.letters("late", AT + timedelta(hours=1)) == ()


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(QfcError, match="cannot be used: Not a directory"):
        SqliteHistory(tmp_path / "file" / "folder")


def test_a_letter_of_another_release_is_told_as_it_is(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    assert history.letters("hook", AT) == ()
    history.keep(Look(AT), Decision(State(), ("x.",), message=Message("new", "text", Severity.WARNING)))
    with history._changing() as database:
        database.execute("update letters set message = ?", ('{"subject": "Down"}',))
    (letter,) = history.letters("hook", AT)
    assert "another release" in letter.message.title and "Down" in letter.message.body


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    history = SqliteHistory(tmp_path)
    assert history.remark is not None and "was damaged" in history.remark
    assert history.state() == State()
    assert len(list(tmp_path.glob(f"{FILE}.damaged-*"))) == 1


def test_only_the_newest_damaged_files_are_kept(tmp_path: Path) -> None:
    for day in range(4):
        (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
        SqliteHistory(tmp_path, now=AT + timedelta(days=day)).close()
    names = sorted(path.name for path in tmp_path.glob(f"{FILE}.damaged-*"))
    assert names == [f"{FILE}.damaged-20260303T120000", f"{FILE}.damaged-20260304T120000"]


def test_damage_in_the_middle_is_found_and_the_next_call_works(tmp_path: Path) -> None:
    first = SqliteHistory(tmp_path)
    story(first, 200)
    first.close()
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xff" * len(content[4096 * 2 :])
    path.write_bytes(content)
    history = SqliteHistory(tmp_path)
    assert history.remark is not None
    story(history, 2)


def test_a_full_disk_is_an_error_and_no_end(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    history._database.execute("pragma max_page_count = 20")
    with pytest.raises(QfcError, match="full"):
        for number in range(500):
            note = f"{number} {'x' * 2000}."
            history.keep(Look(AT + timedelta(seconds=number)), Decision(State(), (note,)))
    history._database.execute("pragma max_page_count = 100000")
    history.keep(Look(AT + timedelta(hours=1)), Decision(State(), ("again.",)))
    assert history.notes(limit=1)[0].text == "again."


def test_a_month_is_thinned_and_stays_small(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    rows = [(AT.timestamp() + 60 * number, 1, '{"at": "x"}') for number in range(40 * 24 * 60)]
    with history._changing() as database:
        database.executemany("insert into looks values (?, ?, ?)", rows)
    history.prune(AT + timedelta(days=40))
    (count,) = history._database.execute("select count(*) from looks").fetchone()
    assert 24 * 60 + 29 * 144 - 10 <= count <= 24 * 60 + 29 * 144 + 10
    history.close()
    database = sqlite3.connect(tmp_path / FILE)
    assert database.execute("pragma quick_check").fetchone() == ("ok",)
    database.close()


def test_a_history_that_could_not_begin_again_does_so_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = SqliteHistory(tmp_path)
    story(history)

    def full(_: SqliteHistory) -> sqlite3.Connection:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteHistory, "_connected", full)
        with pytest.raises(QfcError, match="No space"), history._translated():
            raise sqlite3.DatabaseError("database disk image is malformed")
        with pytest.raises(QfcError, match="No space"):
            history.keep(Look(AT), Decision(State(), ("x.",)))
    history.keep(Look(AT), Decision(State(), ("x.",)))
    assert [one.text for one in history.notes(limit=9)] == ["x."]
    assert history.remark is not None
