"""Why a job waits: one sentence each, and counts that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.stack import queue
from qfc.stack.model import Job, JobStatus, QueueDepth, QueueSnapshot, Transition, WaitingCounts, Worker
from qfc.stack.queue import Liveness

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def job(number: int, status: JobStatus = JobStatus.PENDING, project: int = 0, **values: object) -> Job:
    fields: dict[str, object] = {
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "type": "package",
        "status": status,
        "project_id": f"p{project}",
        "project": f"alice/p{project}",
        "created_by": "alice",
        "created_at": NOW - timedelta(minutes=60 - number),
    }
    return Job(**{**fields, **values})  # pyright: ignore[reportArgumentType]  (values of a test)


def snapshot(
    pending: tuple[Job, ...] = (),
    active: tuple[Job, ...] = (),
    workers: tuple[Worker, ...] | None = (),
    claimable: int = 0,
) -> QueueSnapshot:
    depth = QueueDepth(len(pending), 0, len(active), 0.0)
    return QueueSnapshot(NOW, depth, WaitingCounts(0, 0, 0, claimable), active, pending, workers)


def only(found: QueueSnapshot) -> str:
    (sentence,) = queue.explain(found).values()
    return sentence


IDLE, BUSY = Worker("w1", "idle"), Worker("w2", "busy")


def test_a_job_waits_because_no_worker_runs() -> None:
    assert only(snapshot((job(1),))) == "No worker is running."


def test_a_job_waits_because_no_worker_is_free() -> None:
    sentences = queue.explain(snapshot((job(1), job(2, project=1), job(3, project=2)), workers=(BUSY,)))
    assert list(sentences.values()) == [
        "No worker is free.",
        "No worker is free; one older job is ahead of it.",
        "No worker is free; 2 older jobs are ahead of it.",
    ]


def test_workers_of_another_release_are_told_with_what_waits_for_them_alone() -> None:
    skew = "The workers are of another release (25.9) than the application (26.3)."
    locked = job(2, project=1, project_locked_at=NOW)
    sentences = queue.explain(snapshot((job(1), locked), workers=None), skew)
    assert sentences[job(1).id] == f"No worker has picked it up yet. {skew}"
    assert "release" not in sentences[locked.id]


def test_living_workers_of_different_releases_are_told() -> None:
    old, new, dead = Worker("w1", "busy", release="0.1.0"), Worker("w2", "idle", release="0.2.0"), Worker("w3", "dead")
    mixed = "The workers run different releases (0.1.0 and 0.2.0)."
    assert queue.releases_of_workers(snapshot(workers=(old, new, dead))) == mixed
    assert queue.releases_of_workers(snapshot(workers=(new, replace(dead, release="0.1.0")))) is None
    assert queue.releases_of_workers(snapshot(workers=(old, BUSY))) is None
    assert queue.releases_of_workers(snapshot(workers=None)) is None


def test_what_waits_for_long() -> None:
    young = job(1, created_at=NOW - timedelta(seconds=queue.PATIENCE_S))
    assert not queue.waits_for_long(snapshot())
    assert not queue.waits_for_long(snapshot((young,)))
    assert queue.waits_for_long(snapshot((young, job(2))))


def test_an_idle_worker_takes_the_oldest_job() -> None:
    sentences = list(queue.explain(snapshot((job(1), job(2, project=1)), workers=(IDLE,))).values())
    assert sentences[0] == "A free worker picks it up in a moment."
    assert sentences[1].startswith("No worker is free; one older")


def test_a_job_waits_for_its_busy_project() -> None:
    running = job(1, JobStatus.STARTED, started_at=NOW - timedelta(minutes=3), worker_id="w2")
    sentences = queue.explain(snapshot((job(2),), (running,), (BUSY,)))
    assert sentences[job(2).id] == "Its project has been busy since 11:57:00 UTC with package job 00000001."
    assert sentences[running.id] == "Has been running on worker w2 since 11:57:00 UTC."


def test_a_job_waits_for_its_locked_project_first_of_all() -> None:
    running = job(1, JobStatus.STARTED, started_at=NOW, worker_id="w2")
    locked = job(2, project_locked_at=NOW - timedelta(days=2), not_before=NOW + timedelta(minutes=1))
    sentences = queue.explain(snapshot((locked,), (running,), (BUSY,)))
    assert sentences[locked.id] == "Its project has been locked since 2026-05-02 12:00 UTC."


def test_a_job_waits_after_a_fault_until_its_time_has_come() -> None:
    waits = job(1, not_before=NOW + timedelta(seconds=30))
    assert only(snapshot((waits,), workers=(IDLE,))) == "Its next attempt after a fault is due at 12:00:30 UTC."
    for past in (timedelta(seconds=1), timedelta(0)):
        over = replace(waits, not_before=NOW - past)
        assert only(snapshot((over,), workers=(IDLE,))) == "A free worker picks it up in a moment."


def test_a_job_behind_a_dead_worker_says_what_comes_next() -> None:
    lost = job(1, JobStatus.STARTED, started_at=NOW, worker_id="w9", lease_expires_at=NOW + timedelta(seconds=5))
    sentences = queue.explain(snapshot((job(2),), (lost,), (IDLE,)))
    assert sentences[lost.id].startswith("Its worker w9 is dead; another worker picks the job up")
    assert "whose worker is dead" in sentences[job(2).id]


def test_a_worker_is_dead_when_its_lease_has_ended_or_its_row_says_so() -> None:
    held = job(1, JobStatus.STARTED, started_at=NOW, worker_id="w2")
    assert queue.holder(held, snapshot(active=(held,), workers=(BUSY,))) is Liveness.ALIVE
    ended = replace(held, lease_expires_at=NOW - timedelta(seconds=1))
    assert queue.holder(ended, snapshot(active=(ended,), workers=(BUSY,))) is Liveness.DEAD
    dead = replace(BUSY, state="dead")
    assert queue.holder(held, snapshot(active=(held,), workers=(dead,))) is Liveness.DEAD


@pytest.mark.parametrize("workers", [(BUSY,), None])
def test_a_lease_counts_to_its_very_end(workers: tuple[Worker, ...] | None) -> None:
    held = job(1, JobStatus.STARTED, started_at=NOW, worker_id="w2")
    alive = Liveness.ALIVE if workers else Liveness.UNKNOWN
    ends = {timedelta(hours=1): alive, timedelta(0): alive, timedelta(microseconds=-1): Liveness.DEAD}
    for left, expected in ends.items():
        one = replace(held, lease_expires_at=NOW + left)
        assert queue.holder(one, snapshot(active=(one,), workers=workers)) is expected


def test_without_a_list_of_workers_nobody_is_called_dead_before_time() -> None:
    started = job(1, JobStatus.STARTED, started_at=NOW - timedelta(hours=3))
    assert queue.holder(started, snapshot(active=(started,), workers=None)) is Liveness.UNKNOWN
    never_seen = job(1, JobStatus.QUEUED, created_at=NOW - timedelta(days=5))
    assert queue.holder(never_seen, snapshot(active=(never_seen,), workers=None)) is Liveness.UNKNOWN


def test_an_official_server_says_nothing_about_free_workers() -> None:
    assert only(snapshot((job(1),), workers=None)) == "No worker has picked it up yet."


def test_a_job_beyond_the_snapshot_is_explained_too() -> None:
    found = snapshot((job(1),), workers=(BUSY,))
    assert queue.why(job(2), found, queue.explain(found)) == "More than 1 older jobs are ahead of it."
    assert queue.why(job(3, JobStatus.FINISHED), found, queue.explain(found)) is None


@given(claimable=st.integers(0, 50), idle=st.integers(0, 10), locked=st.integers(0, 9), busy=st.integers(0, 9))
def test_every_waiting_job_is_counted_once(claimable: int, idle: int, locked: int, busy: int) -> None:
    workers = tuple(Worker(f"w{number}", "idle") for number in range(idle))
    found = replace(snapshot(workers=workers), counts=WaitingCounts(locked, busy, 3, claimable))
    counts = queue.waiting(found)
    assert counts.no_free_worker + counts.ready == claimable
    assert counts.ready <= idle
    assert (counts.project_locked, counts.project_busy, counts.postponed) == (locked, busy, 3)


jobs = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.sampled_from([None, -10, 10])), min_size=1, max_size=12)


@given(rows=jobs, idle=st.integers(0, 4))
def test_every_job_has_one_sentence(rows: list[tuple[int, bool, int | None]], idle: int) -> None:
    pending = tuple(
        job(
            number,
            project=project,
            project_locked_at=NOW if locked else None,
            not_before=None if wait is None else NOW + timedelta(seconds=wait),
        )
        for number, (project, locked, wait) in enumerate(rows)
    )
    workers = tuple(Worker(f"w{number}", "idle") for number in range(idle))
    sentences = queue.explain(snapshot(pending, workers=workers))
    assert set(sentences) == {one.id for one in pending}
    assert all(sentence.endswith(".") and len(sentence) < 160 for sentence in sentences.values())
    ready = sum(sentence.startswith("A free worker") for sentence in sentences.values())
    assert ready <= idle


def test_where_only_workers_tell_a_job_that_none_of_them_took_last_is_left_alone_by_its_worker() -> None:
    lost = job(1, JobStatus.STARTED)
    idle, other = Worker("a", "idle"), Worker("b", "busy", job_id=job(2).id)
    assert queue.holder_by_workers(lost, [idle, other], set()) is Liveness.DEAD
    assert queue.holder_by_workers(lost, [], set()) is Liveness.DEAD
    assert queue.holder_by_workers(lost, [Worker("a", "exited", job_id=lost.id)], set()) is Liveness.DEAD
    assert queue.holder_by_workers(lost, [Worker("a", "busy", job_id=lost.id)], set()) is Liveness.ALIVE


def test_a_container_of_the_job_and_a_worker_that_cannot_be_asked_keep_it() -> None:
    lost = job(1, JobStatus.STARTED)
    assert queue.holder_by_workers(lost, [], {lost.id}) is Liveness.ALIVE
    assert queue.holder_by_workers(lost, [Worker("a", "idle"), Worker("b", "unknown")], set()) is Liveness.UNKNOWN


def seen(found: QueueSnapshot, since_s: float, status: JobStatus | None = None) -> QueueSnapshot:
    """Return a snapshot whose active jobs were first seen that long ago."""
    since = NOW - timedelta(seconds=since_s)
    before = {one.id: Transition(one.id, one.project_id, status or one.status, since, NOW) for one in found.active}
    return replace(found, seen=before)


def test_a_job_that_has_just_been_taken_up_after_a_long_wait_has_not_lost_its_worker() -> None:
    taken = job(1, JobStatus.QUEUED, created_at=NOW - timedelta(days=1), updated_at=NOW - timedelta(hours=2))
    found = snapshot(active=(taken,), workers=None)
    assert queue.holder(taken, seen(found, 2)) is Liveness.UNKNOWN
    assert queue.holder(taken, seen(found, queue.BEGIN_S)) is Liveness.UNKNOWN
    assert queue.holder(taken, seen(found, queue.BEGIN_S + 1)) is Liveness.DEAD
    assert queue.holder(taken, seen(found, 3600, JobStatus.PENDING)) is Liveness.UNKNOWN


def test_a_job_that_somebody_is_at_is_not_dead_however_long_it_was_seen() -> None:
    taken = job(1, JobStatus.QUEUED)
    for at_work in (replace(taken, worker_id="c1"), replace(taken, started_at=NOW - timedelta(hours=1))):
        found = seen(snapshot(active=(at_work,), workers=None), 3600)
        assert queue.holder(at_work, found) is Liveness.UNKNOWN
    listed = replace(taken, worker_id="w2")
    assert queue.holder(listed, seen(snapshot(active=(listed,), workers=(BUSY,)), 3600)) is Liveness.ALIVE


def test_what_is_about_to_start_says_since_when_it_has_been_seen_so() -> None:
    taken = job(1, JobStatus.QUEUED)
    found = snapshot(active=(taken,), workers=None)
    assert only(found) == "Picked up by a worker; about to start."
    assert only(seen(found, 0)) == "Picked up by a worker; about to start."
    assert only(seen(found, 65)) == "Picked up by a worker; waiting to start since 11:58:55 UTC or earlier."
    lost = seen(found, queue.BEGIN_S + 1)
    assert only(lost) == "Its worker is dead; nothing requeues the job automatically."


def test_a_project_is_busy_since_its_job_was_taken_up_as_far_as_is_known() -> None:
    taken = job(1, JobStatus.QUEUED)
    found = snapshot((job(2),), (taken,), None)
    assert "since 11:01:00 UTC" in queue.explain(found)[job(2).id]
    waited = Transition(taken.id, taken.project_id, taken.status, NOW, NOW, after=NOW - timedelta(minutes=2))
    assert "since 11:58:00 UTC" in queue.explain(replace(found, seen={taken.id: waited}))[job(2).id]
