"""The times at which jobs reached their status: what snapshots of the queue prove, and what they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from qfc.stack.model import Job, JobStatus, QueueDepth, QueueSnapshot, Transition, WaitingCounts, Worker
from qfc.stack.transitions import APART, MOST, MOST_OF_ONE, compared, earliest, joined, seen_since

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PENDING, QUEUED, STARTED = JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def job(status: JobStatus = PENDING, name: str = "a", *, made: float = -600, updated: float | None = None) -> Job:
    """Return a job of an official server: the last change of its row was its creation."""
    changed = at(made if updated is None else updated)
    return Job(name, "package", status, "p1", "alice/survey", "alice", at(made), updated_at=changed)


def look(
    minutes: float, *jobs: Job, waiting: int = 0, active: int = 0, workers: tuple[Worker, ...] | None = None
) -> QueueSnapshot:
    """Return a snapshot of the queue. `waiting` and `active` more jobs were not listed."""
    held = tuple(one for one in jobs if one.status is not PENDING)
    pending = tuple(one for one in jobs if one.status is PENDING)
    depth = QueueDepth(len(pending) + waiting, active, len(held), 0.0)
    return QueueSnapshot(at(minutes), depth, WaitingCounts(0, 0, 0, 0), held, pending, workers)


def after(*looks: QueueSnapshot) -> tuple[Transition, ...]:
    """Return the known transitions after some snapshots."""
    known: tuple[Transition, ...] = ()
    for one in looks:
        known = compared(known, one)
    return known


def test_a_change_happened_between_two_looks() -> None:
    known = after(look(0, job()), look(1, job()), look(2, job(QUEUED)), look(9, job(STARTED)))
    assert known == (
        Transition("a", "p1", PENDING, at(0), at(1)),
        Transition("a", "p1", QUEUED, at(2), at(2), after=at(1)),
        Transition("a", "p1", STARTED, at(9), at(9), after=at(2)),
    )


def test_what_has_not_changed_is_seen_again() -> None:
    known = after(*(look(minute, job(QUEUED)) for minute in range(5)))
    assert known == (Transition("a", "p1", QUEUED, at(0), at(4)),)


def test_looks_right_after_each_other_are_not_written_down() -> None:
    known = after(look(0, job()))
    again = replace(look(0, job()), at=START + APART - timedelta(seconds=1))
    assert compared(known, again) == known
    assert compared(known, replace(again, at=START + APART)) != known


def test_jobs_that_have_ended_are_forgotten() -> None:
    assert after(look(0, job(), job(STARTED, "b")), look(1, job(STARTED, "b")), look(2)) == ()


def test_a_job_beyond_the_look_is_not_forgotten() -> None:
    waits, runs = job(name="w"), job(QUEUED, "r")
    names = [one.job_id for one in after(look(0, waits, runs), look(1, waiting=1, active=1))]
    assert names == ["r", "w"]
    assert [one.job_id for one in after(look(0, waits, runs), look(1, waiting=1))] == ["w"]
    assert [one.job_id for one in after(look(0, waits, runs), look(1, active=1))] == ["r"]


def test_a_look_that_comes_late_changes_nothing() -> None:
    known = after(look(0, job()), look(1, job(QUEUED)))
    assert compared(known, replace(look(1, job()), at=at(1) - timedelta(seconds=1))) == known


def test_what_was_seen_in_the_future_is_forgotten() -> None:
    known = after(look(60, job(QUEUED)), look(0, job(QUEUED)))
    assert known == (Transition("a", "p1", QUEUED, at(0), at(0)),)


def test_a_job_that_was_sent_back_is_seen_anew() -> None:
    """Between two snapshots it was requeued and claimed again: only the row's own change shows it."""
    known = after(look(0, job(QUEUED)), look(1, job(QUEUED)), look(60, job(QUEUED, updated=30)))
    assert known[-1] == Transition("a", "p1", QUEUED, at(60), at(60), after=at(30))


def test_a_server_that_moves_the_row_all_the_time_says_nothing_with_it() -> None:
    known = after(*(look(minute, job(STARTED, updated=minute), workers=()) for minute in (0, 1, 2)))
    assert known == (Transition("a", "p1", STARTED, at(0), at(2)),)


def test_old_transitions_go_when_there_are_very_many() -> None:
    statuses = [PENDING, QUEUED] * MOST_OF_ONE
    one = after(*(look(minute, job(status)) for minute, status in enumerate(statuses)))
    assert [(two.seen_at, two.status) for two in one[-2:]] == [(at(38), PENDING), (at(39), QUEUED)]
    assert len(one) == MOST_OF_ONE
    many = [job(name=str(number)) for number in range(MOST)]
    assert len(after(look(0, *many), look(1, job(name="new"), waiting=MOST))) == MOST


def test_bounds_of_a_job() -> None:
    taken = job(QUEUED)
    known = joined(look(2, taken), after(look(0, job()), look(1, taken)))
    assert (earliest(taken, known), seen_since(taken, known)) == (at(0), at(1))
    started = replace(taken, status=STARTED, started_at=at(1.5))
    assert (earliest(started, known), seen_since(started, known)) == (at(1.5), None)
    assert (earliest(taken, look(2, taken)), seen_since(taken, look(2, taken))) == (at(-600), None)


@dataclass
class Life:
    """A job of an official server, with the time of its last transition, which the server does not record."""

    row: Job = field(default_factory=job)
    since: datetime = START - timedelta(minutes=600)

    def pass_through(self, event: str, now: datetime) -> None:
        """Let an event happen, if it is possible."""
        before = self.row
        match event, before.status:
            case "take", JobStatus.PENDING:
                self.row = replace(before, status=QUEUED)
            case "start", JobStatus.QUEUED:
                self.row = replace(before, status=STARTED)
            case "send back", _:
                self.row = replace(before, status=PENDING, updated_at=now)
            case _:
                return
        self.since = now


EVENTS = st.tuples(st.floats(0.01, 30), st.sampled_from(["take", "start", "send back", "look", "look"]))


@given(st.lists(EVENTS, max_size=40))
def test_the_truth_lies_between_the_bounds(events: Sequence[tuple[float, str]]) -> None:
    life, known, now = Life(), tuple[Transition, ...](), START
    for minutes, event in events:
        now += timedelta(minutes=minutes)
        life.pass_through(event, now)
        if event != "look":
            continue
        snapshot = replace(look(0, life.row), at=now)
        known = compared(known, snapshot)
        seen = seen_since(life.row, joined(snapshot, known))
        assert earliest(life.row, joined(snapshot, known)) <= life.since
        assert seen is not None
        assert life.since <= seen <= now
        assert all(one.after is None or one.after < one.seen_at for one in known)
