"""The advice about the number of workers that the diagnosis gives: right, or silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

import pytest

from qfc.checks.capacity import CAPACITY, TargetMissed, WorkersIdle
from qfc.checks.evidence import Evidence
from qfc.errors import UnreachableError
from qfc.stack.capacity import PastJob
from qfc.stack.findings import Finding, Result
from queue_world import MemoryWorld, moment
from twins import MemoryPorts, memory_stack
from twins.queue import MemoryQueue

DAY_S = 86400.0


def stack(jobs: Sequence[PastJob], *, workers: int = 4) -> MemoryPorts:
    found = memory_stack()
    found.clock.moment = moment()
    found.runtime.start(None)
    found.runtime.scale("worker_wrapper", workers)
    world, now = MemoryWorld(found.jobs, found.directory), moment().timestamp()
    projects = {name: world.project(name) for name in sorted({job.project for job in jobs})}
    for job in jobs:
        made, started, ended = ((now - at) / 60 for at in (job.created_s, job.started_s, job.ended_s))
        world.job(projects[job.project], "finished", made=made, started=started, ended=ended)
    return found


def week(*, a_day: int = 60, wait_s: float = 1.0, days: int = 7, work_s: float = 20.0) -> list[PastJob]:
    random, now = Random(4), moment().timestamp()
    jobs: list[PastJob] = []
    for day in range(days):
        for _ in range(a_day):
            at = now - (day + random.uniform(0.1, 0.9)) * DAY_S
            jobs.append(PastJob(f"p{random.randrange(9)}", "package", "u", at, at + wait_s, at + wait_s + work_s))
    return jobs


def missed(ports: MemoryPorts) -> Finding:
    return TargetMissed().examine(Evidence(ports))


def idle(ports: MemoryPorts) -> Finding:
    return WorkersIdle().examine(Evidence(ports))


def test_a_week_of_long_waits_is_told_and_what_was_waited_for() -> None:
    found = missed(stack(week(wait_s=90)))
    assert found.result is Result.FOUND
    assert found.evidence.startswith("On each of 7 days, 5 % of the jobs waited 60 s or longer (95 % within 90 s)")
    assert "of the waiting was for a free worker" in found.evidence
    assert "qfc capacity advise" in found.fix


@pytest.mark.parametrize(
    "jobs",
    [
        [],
        week(wait_s=30),
        week(wait_s=90, days=4),
        week(wait_s=90, a_day=19),
        [*week(wait_s=90, days=6), *week(wait_s=1, days=7, a_day=600)],
    ],
    ids=["nothing", "short waits", "four days", "quiet days", "mostly short waits"],
)
def test_what_is_doubtful_is_not_told(jobs: list[PastJob]) -> None:
    assert missed(stack(jobs)).result is Result.CLEAR


def test_workers_that_nobody_needed_are_told() -> None:
    found = idle(stack(week()))
    assert found.result is Result.FOUND
    assert found.evidence == "1 of 4 workers would have served the last week's jobs, 95 % within 30 s."


@pytest.mark.parametrize(
    ("jobs", "workers"),
    [
        ([], 8),
        (week(a_day=20), 8),
        (week(days=4), 8),
        (week(), 2),
        (week(a_day=1500, work_s=120), 4),
    ],
    ids=["nothing", "few jobs", "four days", "two workers", "they are needed"],
)
def test_workers_are_idle_only_beyond_doubt(jobs: list[PastJob], workers: int) -> None:
    assert idle(stack(jobs, workers=workers)).result is Result.CLEAR


class Unreachable(MemoryQueue):
    """A queue whose database does not answer."""

    def worked(self, *, since: datetime, limit: int = 200_000) -> tuple[PastJob, ...]:
        raise UnreachableError(f"The database does not answer: {since}, {limit}.")


def test_who_cannot_look_says_so() -> None:
    ports = stack([])
    seen = Evidence(replace(ports, jobs=Unreachable(ports.clock)))
    found = {check.id: check.examine(seen).result for check in CAPACITY}
    assert found == {"capacity-missed": Result.SKIPPED, "capacity-idle": Result.SKIPPED}
