"""The record of observed transitions: the file and its twin, and how commands use it on every kind of server."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qfc.checks.evidence import Evidence
from qfc.drivers.transitions import FileTransitions
from qfc.operations.jobs_list import jobs_list
from qfc.operations.jobs_view import JobLine
from qfc.operations.sync_queue import sync_queue
from qfc.stack.model import Job, JobStatus, QueueDepth, QueueSnapshot, WaitingCounts
from qfc.stack.ports import Transitions
from qfc.stack.queue import BEGIN_S
from queue_world import World, moment
from twins import MemoryPorts, MemoryTransitions, memory_stack

Make = Callable[[], Transitions]
HOUR = timedelta(hours=1)
DEAD = "Its worker is dead; nothing requeues the job automatically."


@pytest.fixture(params=["memory", "file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Return a function that creates the port for a command; each command knows what earlier ones observed."""
    twin = MemoryTransitions()
    return (lambda: twin) if request.param == "memory" else (lambda: FileTransitions(tmp_path / "new" / "stack"))


def look(at: datetime, *statuses: JobStatus) -> QueueSnapshot:
    """Return a snapshot of jobs, each named by its place."""
    jobs = [
        Job(f"j{n}", "package", one, f"p{n}", "alice/p", "alice", moment() - HOUR) for n, one in enumerate(statuses)
    ]
    pending = tuple(one for one in jobs if one.status is JobStatus.PENDING)
    active = tuple(one for one in jobs if one.status is not JobStatus.PENDING)
    depth = QueueDepth(len(pending), 0, len(active), 0.0)
    return QueueSnapshot(at, depth, WaitingCounts(0, 0, 0, 0), active, pending, None)


def test_the_next_command_knows_what_the_last_one_saw(make: Make) -> None:
    first = make().noted(look(moment(), JobStatus.PENDING, JobStatus.QUEUED))
    assert {name: one.seen_at for name, one in first.seen.items()} == {"j0": moment(), "j1": moment()}
    second = make().noted(look(moment() + HOUR, JobStatus.QUEUED, JobStatus.QUEUED))
    taken, still = second.seen["j0"], second.seen["j1"]
    assert (taken.status, taken.after, taken.seen_at) == (JobStatus.QUEUED, moment(), moment() + HOUR)
    assert (still.after, still.seen_at, still.last_at) == (None, moment(), moment() + HOUR)
    assert (taken.job_id, taken.project_id) == ("j0", "p0")


def test_jobs_that_have_ended_are_forgotten(make: Make) -> None:
    make().noted(look(moment(), JobStatus.QUEUED))
    assert make().noted(look(moment() + HOUR)).seen == {}
    again = make().noted(look(moment() + 2 * HOUR, JobStatus.QUEUED)).seen["j0"]
    assert (again.seen_at, again.after) == (moment() + 2 * HOUR, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transitions.jsonl"


def test_only_the_owner_reads_it(tmp_path: Path, path: Path) -> None:
    FileTransitions(tmp_path).noted(look(moment(), JobStatus.QUEUED))
    assert [one.stat().st_mode & 0o077 for one in tmp_path.iterdir()] == [0, 0]
    (line,) = path.read_text().splitlines()
    document = json.loads(line)
    assert document == {"job": "j0", "project": "p0", "status": "queued", "seen_at": moment().isoformat(),
                        "last_at": moment().isoformat(), "after": None}  # fmt: skip


CUT = (
    '{"job": "j1", "project": "p1", "sta',
    "7",
    "[]",
    "\0\0",
    '{"job": "j1"}',
    '{"job": "j1", "project": "p1", "status": "odd", "seen_at": "2026-05-04T11:00:00+00:00", '
    '"last_at": "2026-05-04T11:00:00+00:00", "after": null}',
    '{"job": "j1", "project": "p1", "status": "queued", "seen_at": "2026-05-04T11:00:00", '
    '"last_at": "2026-05-04T11:00:00", "after": null}',
)


@pytest.mark.parametrize("line", CUT)
def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path, path: Path, line: str) -> None:
    FileTransitions(tmp_path).noted(look(moment(), JobStatus.QUEUED, JobStatus.QUEUED))
    first = path.read_text().splitlines()[0]
    path.write_text(f"{line}\n{first}\n{line}")
    seen = FileTransitions(tmp_path).noted(look(moment() + HOUR, JobStatus.QUEUED, JobStatus.QUEUED)).seen
    assert (seen["j0"].seen_at, seen["j1"].seen_at) == (moment(), moment() + HOUR)


def test_what_has_not_changed_is_not_written_again(tmp_path: Path, path: Path) -> None:
    FileTransitions(tmp_path).noted(look(moment(), JobStatus.QUEUED))
    before = path.stat().st_ino
    FileTransitions(tmp_path).noted(look(moment() + timedelta(seconds=1), JobStatus.QUEUED))
    assert path.stat().st_ino == before


def test_what_cannot_be_kept_does_not_stop_anybody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    snapshot = look(moment(), JobStatus.QUEUED)
    for folder in (tmp_path / "file", Path("/proc/nobody/writes/here")):
        assert FileTransitions(folder).noted(snapshot).seen["j0"].seen_at == moment()
    assert (tmp_path / "file").read_bytes() == b""


def test_what_may_only_be_read_still_tells_what_is_known(tmp_path: Path, path: Path) -> None:
    """The second file cannot be opened for writing, as in a read-only folder, even by root."""
    FileTransitions(tmp_path).noted(look(moment(), JobStatus.QUEUED))
    (tmp_path / "transitions.mutex").unlink()
    (tmp_path / "transitions.mutex").mkdir()
    before = path.read_text()
    assert FileTransitions(tmp_path).noted(look(moment() + HOUR, JobStatus.QUEUED)).seen["j0"].seen_at == moment()
    assert path.read_text() == before


def test_nobody_waits_for_a_command_that_hangs(tmp_path: Path, path: Path) -> None:
    FileTransitions(tmp_path).noted(look(moment(), JobStatus.PENDING))
    before = path.read_text()
    with (tmp_path / "transitions.mutex").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        seen = FileTransitions(tmp_path).noted(look(moment() + HOUR, JobStatus.QUEUED)).seen
    assert (seen["j0"].after, path.read_text()) == (moment(), before)


def test_many_writers_spoil_nothing(tmp_path: Path, path: Path) -> None:
    """Each looks repeatedly; whatever is lost, every line is complete and no job appears older than it is."""
    FileTransitions(tmp_path).noted(look(moment(), *[JobStatus.PENDING] * 50))
    wrong: list[object] = []

    def write(offset: int) -> None:
        for number in range(1, 20):
            at = moment() + timedelta(minutes=number, seconds=offset)
            seen = FileTransitions(tmp_path).noted(look(at, *[JobStatus.QUEUED] * 50)).seen
            wrong.extend(one for one in seen.values() if one.status is JobStatus.QUEUED and one.after != moment())

    writers = [threading.Thread(target=write, args=(offset,)) for offset in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert wrong == []
    documents = [json.loads(line) for line in path.read_text().splitlines()]
    assert {one["job"] for one in documents} == {f"j{number}" for number in range(50)}
    assert len(documents) == 100
    assert [one.name for one in tmp_path.iterdir() if one.suffix not in (".jsonl", ".mutex")] == []


# How commands use it, on the tables of every release.


@pytest.fixture
def ports(world: World, tmp_path: Path) -> MemoryPorts:
    """A stack with the rows of a world and a journal in a real file."""
    stack = memory_stack()
    stack.clock.moment = world.now()
    real: dict[str, Any] = {"jobs": world.store, "transitions": FileTransitions(tmp_path)}
    return replace(stack, **real)


def line_of(ports: MemoryPorts, job: str) -> JobLine:
    (line,) = [one for one in sync_queue(ports).jobs if one.id == job]
    (listed,) = [one for one in jobs_list(ports).jobs if one.id == job]
    assert line.seen_since == listed.seen_since
    return line


def moved_back(path: Path, seconds: float) -> None:
    """Move all observations that much into the past."""

    def earlier(moment: str | None) -> str | None:
        return moment and (datetime.fromisoformat(moment) - timedelta(seconds=seconds)).isoformat()

    documents = [json.loads(line) for line in path.read_text().splitlines()]
    moved = [{**one, **{key: earlier(one[key]) for key in ("seen_at", "last_at", "after")}} for one in documents]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in moved))


def test_a_job_that_waited_for_hours_is_not_dead_when_it_is_taken_up(
    world: World, ports: MemoryPorts, path: Path
) -> None:
    job = world.job(world.project("survey"), "queued", made=600)
    if world.store.snapshot().workers is not None:
        assert line_of(ports, job).why == DEAD  # this server reports the worker of a job
        return
    assert line_of(ports, job).why == "Picked up by a worker; about to start."
    moved_back(path, BEGIN_S - 60)
    assert (line_of(ports, job).why or "").startswith("Picked up by a worker; waiting to start since ")
    moved_back(path, 61)
    dead = line_of(ports, job)
    assert dead.why == DEAD
    assert dead.seen_since is not None
    assert (world.now() - dead.seen_since).total_seconds() >= BEGIN_S
    world.store.reset_jobs([job], allowed=[JobStatus.QUEUED], to=JobStatus.PENDING)
    world.store.reset_jobs([job], allowed=[JobStatus.PENDING], to=JobStatus.QUEUED)
    assert line_of(ports, job).why == "Picked up by a worker; about to start."


def test_a_job_is_held_no_longer_than_since_it_was_seen_waiting(world: World, ports: MemoryPorts, path: Path) -> None:
    project = world.project("survey")
    job = world.job(project, made=600)
    Evidence(ports).queue()
    moved_back(path, 60)
    world.store.reset_jobs([job], allowed=[JobStatus.PENDING], to=JobStatus.QUEUED)
    seen = Evidence(ports)
    (held,) = seen.queue().active
    assert 0 <= seen.held_s(held) < 120


def test_what_has_ended_leaves_nothing_behind(world: World, ports: MemoryPorts, path: Path) -> None:
    job = world.job(world.project("survey"), made=600)
    sync_queue(ports)
    assert path.read_text().count(job) == 1
    assert world.store.cancel([job]).jobs == (job,)
    sync_queue(ports)
    assert path.read_text() == ""
