"""Worker containers: which of them hold a job, and in which order they may stop."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.engine import Engine
from qfc.drivers.runtimes.compose.draining import PATIENCE_S, USUAL_START_S, Drain, handles_stop, leaving_order
from qfc.drivers.runtimes.compose.holding import JobHolding, as_workers, by_host
from qfc.errors import QfcError, UnreachableError
from qfc.stack.model import Job, JobStatus, Worker
from qfc.stack.ports import DatabaseQueue
from twins import MemoryClock, MemoryHost, MemoryQueue

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
JOB, OVER = "11111111-aaaa-4000-8000-000000000000", "22222222-aaaa-4000-8000-000000000000"


def worker(
    number: int, status: str = "running", started: datetime | None = NOW, patience: int | None = None
) -> Container:
    name = f"qfc-worker_wrapper-{number}"
    blank = Container(
        f"{number:064x}"[::-1],
        name,
        "",
        "",
        status,
        number,
        NOW,
        started,
        None,
        0,
        False,
        0,
        "",
        None,
        False,
        patience,
        "",
    )
    return replace(blank, labels={"com.docker.compose.container-number": str(number)})


FIRST, SECOND, THIRD, FOURTH = (worker(number) for number in (1, 2, 3, 10))


def job(id: str, status: JobStatus) -> Job:
    return Job(id, "package", status, "p", "alice/p", "alice", NOW, started_at=NOW - timedelta(minutes=3))


def host(printed: str = "", code: int = 0, errors: str = "") -> MemoryHost:
    made = MemoryHost()
    made.programs = {name: lambda *_: (code, printed, errors) for name in ("sh", "docker")}
    return made


#: Prints the worker's line about a job, like `docker logs --since TIME`.
LOG_OF_DOCKER = """#!/bin/sh
[ "$2" = --since ] || exit 1
[ "$3" \\> "{taken}" ] || echo '{{"message":"Dequeued job {job}, run!"}}'
"""


def in_shell(argv: Sequence[str], programs: Path) -> tuple[int, str, str]:
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(argv, env=environment, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def engine(machine: MemoryHost) -> Engine:
    return Engine(machine)  # pyright: ignore[reportArgumentType]  (nothing is streamed)


@pytest.mark.parametrize("seen", list(permutations([FIRST, SECOND, THIRD, FOURTH])))
def test_idle_ones_go_first_then_those_not_known_and_the_newest_of_each(seen: tuple[Container, ...]) -> None:
    assert leaving_order(seen, {FIRST.id: None, FOURTH.id: None, SECOND.id: JOB}) == [FOURTH, FIRST, THIRD, SECOND]
    assert leaving_order(seen, {}) == [FOURTH, THIRD, SECOND, FIRST]


def test_workers_are_stopped_all_at_once_with_patience_for_their_jobs() -> None:
    machine, clock = host(), MemoryClock(NOW + timedelta(hours=1))
    Drain(engine(machine), clock).stop([FIRST, worker(2, "restarting"), worker(3, "exited")])
    assert machine.ran == [("docker", "stop", "--time", str(PATIENCE_S), FIRST.id, worker(2).id)]
    assert clock.now() == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("patience", "now", "seconds"), [(None, False, 900), (60, False, 900), (3600, False, 3600), (3600, True, 10)]
)
def test_a_worker_has_its_own_patience_unless_in_a_hurry(patience: int | None, now: bool, seconds: int) -> None:
    machine = host()
    Drain(engine(machine), MemoryClock(NOW + timedelta(hours=1))).stop([worker(1, patience=patience)], now=now)
    assert machine.ran[0][3] == str(seconds)


STARTING, READY = "Name:\tpython3\nSigBlk:\t0000000000000000\nSigCgt:\t{:016x}\n".format, 1 << 14
STATUS = ("docker", "exec", FIRST.id, "cat", "/proc/1/status")


@pytest.mark.parametrize(
    ("status", "handles"),
    [
        (STARTING(0), False),
        (STARTING(READY), True),
        (STARTING(0x0000000180014002 & ~READY), False),  # a Python that has only its own handlers yet
        (STARTING(0x0000000180014002 | READY), True),
        (f"SigBlk:\t{READY:016x}\nSigCgt:\t0000000000000000\n", True),  # tini waits for signals instead
        (f"SigIgn:\t{READY:016x}\n", False),
        ("", False),
    ],
)
def test_the_kernel_says_whether_a_process_handles_the_signal_to_stop(status: str, handles: bool) -> None:
    assert handles_stop(status) is handles


@pytest.mark.parametrize(("asked", "waited_s"), [(1, 0), (8, 7), (1000, 58)])
def test_a_worker_that_is_starting_is_stopped_once_it_handles_the_signal(asked: int, waited_s: int) -> None:
    clock, machine = MemoryClock(NOW + timedelta(seconds=2)), host()
    answers = iter([STARTING(0)] * (asked - 1) + [STARTING(READY)] * 2)
    machine.programs["docker"] = lambda argv, *_: (0, next(answers) if "exec" in argv else "", "")
    Drain(engine(machine), clock).stop([FIRST, worker(2, started=NOW - timedelta(hours=1))])
    assert set(machine.ran[:-1]) == {STATUS}
    assert machine.ran[-1][:2] == ("docker", "stop")
    assert clock.now() == NOW + timedelta(seconds=2 + waited_s)


def test_a_worker_whose_process_cannot_be_read_has_the_usual_time_to_start() -> None:
    clock, machine = MemoryClock(NOW + timedelta(seconds=2)), host()
    machine.programs["docker"] = lambda argv, *_: (127 if "exec" in argv else 0, "", "")
    Drain(engine(machine), clock).stop([FIRST])
    assert clock.now() == NOW + timedelta(seconds=USUAL_START_S)


def test_where_nothing_runs_nothing_is_stopped() -> None:
    machine = host()
    Drain(engine(machine), MemoryClock()).stop([worker(1, "exited")])
    Drain(engine(machine), MemoryClock()).remove([])
    assert machine.ran == []


def test_workers_that_cannot_be_stopped_are_told_and_one_that_is_gone_is_stopped() -> None:
    clock = MemoryClock(NOW + timedelta(hours=1))
    Drain(engine(host(code=1, errors="Error: No such container: x")), clock).stop([FIRST])
    with pytest.raises(QfcError, match="Workers cannot be stopped: Error: tired"):
        Drain(engine(host(code=1, errors="Error: tired")), clock).stop([FIRST])


def test_workers_that_name_their_host_are_found_by_the_beginning_of_an_id() -> None:
    known = [
        Worker("w1", "busy", job_id=JOB, host=FIRST.id[:12]),
        Worker("w2", "idle", host=SECOND.id[:12]),
        Worker("w3", "idle", host="desk"),
        Worker("w4", "idle"),
    ]
    assert by_host(known, [FIRST, SECOND, THIRD]) == {FIRST.id: JOB, SECOND.id: None}


def test_workers_that_the_database_does_not_know_are_described() -> None:
    ended = worker(4, "exited", started=None)
    found = as_workers([FIRST, SECOND, THIRD, ended], {FIRST.id: JOB, SECOND.id: None}, [job(JOB, JobStatus.STARTED)])
    assert [(one.id[-1], one.state, one.job_id, one.since) for one in found] == [
        ("1", "busy", JOB, NOW - timedelta(minutes=3)),
        ("2", "idle", None, NOW),
        ("3", "unknown", None, NOW),
        ("4", "exited", None, None),
    ]
    assert found[0].host == FIRST.id[:12]


@pytest.fixture
def queue() -> MemoryQueue:
    store = MemoryQueue(MemoryClock(NOW))
    store.job_rows = {JOB: job(JOB, JobStatus.STARTED), OVER: job(OVER, JobStatus.FINISHED)}
    return store


def test_official_workers_hold_the_last_job_of_their_log_while_it_runs(queue: MemoryQueue) -> None:
    machine = host(f"{FIRST.id} {JOB}\n{SECOND.id} {OVER}\n{THIRD.id} -\n")
    holding = JobHolding(engine(machine), lambda: queue)
    assert holding([FIRST, SECOND, THIRD]) == {FIRST.id: JOB, SECOND.id: None, THIRD.id: None}


def test_only_logs_of_workers_that_say_nothing_themselves_are_read(queue: MemoryQueue) -> None:
    queue.worker_rows = [Worker("w1", "idle", host=FIRST.id[:12])]
    machine = host(f"{SECOND.id} {JOB}\n")
    assert JobHolding(engine(machine), lambda: queue)([FIRST, SECOND, worker(3, "exited")]) == {
        FIRST.id: None,
        SECOND.id: JOB,
    }
    assert machine.ran[0][-1].startswith(f"{SECOND.id},")
    assert JobHolding(engine(machine), lambda: queue)([FIRST]) == {FIRST.id: None}
    assert len(machine.ran) == 1


def test_a_restarted_container_does_not_hold_the_job_of_the_process_before(queue: MemoryQueue, tmp_path: Path) -> None:
    taken = NOW - timedelta(minutes=2)
    (tmp_path / "docker").write_text(LOG_OF_DOCKER.format(taken=f"{taken:%FT%T}", job=JOB))
    (tmp_path / "docker").chmod(0o755)
    machine = host()
    machine.programs["sh"] = lambda argv, *_: in_shell(argv, tmp_path)
    ran_through, restarted = worker(1, started=NOW - timedelta(hours=1)), worker(2, started=NOW)
    holding = JobHolding(engine(machine), lambda: queue)
    assert holding([ran_through, restarted]) == {ran_through.id: JOB, restarted.id: None}


def test_what_cannot_be_told_is_left_out(queue: MemoryQueue) -> None:
    def out_of_reach() -> DatabaseQueue:
        raise UnreachableError("The database does not answer.")

    assert JobHolding(engine(host()), out_of_reach)([FIRST]) == {}
    assert JobHolding(engine(host(code=1)), lambda: queue)([FIRST]) == {}
