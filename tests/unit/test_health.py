"""Verdicts: the worst observation decides, and what cannot be seen is never ok."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qfc.stack.health import judge, worst
from qfc.stack.model import Disk, Health, Instance, QueueDepth, Service, ServiceState, Verdict

UP = Instance("x", ServiceState.RUNNING, pid=1)
DB = Service("db", ServiceState.RUNNING, Health.HEALTHY, 1, (UP,))
APP = replace(DB, name="app")
WORKERS = Service("worker_wrapper", ServiceState.RUNNING, Health.NONE, 2, (UP, UP))
QUEUE = QueueDepth(0, 0, 0, 0)
DISK = Disk(50 * 1000**3, 100 * 1000**3)


def test_a_healthy_stack_is_ok_without_reasons() -> None:
    judgement = judge([DB, APP, WORKERS], QUEUE, DISK)
    assert (judgement.verdict, judgement.reasons) == (Verdict.OK, ())


@pytest.mark.parametrize(
    ("service", "verdict", "reason"),
    [
        (replace(APP, state=ServiceState.STOPPED, instances=()), Verdict.DOWN, "app is stopped."),
        (replace(DB, state=ServiceState.MISSING, instances=()), Verdict.DOWN, "db is missing."),
        (
            replace(APP, state=ServiceState.RESTARTING, instances=(replace(UP, exit_code=3),)),
            Verdict.DOWN,
            "app ends and is started again and again, exit code 3.",
        ),
        (
            replace(WORKERS, state=ServiceState.STOPPED, instances=(replace(UP, exit_code=-1),)),
            Verdict.DEGRADED,
            "worker_wrapper is stopped, ended by a signal.",
        ),
        (replace(WORKERS, instances=(UP,)), Verdict.DEGRADED, "1 of 2 worker_wrapper run."),
        (replace(WORKERS, state=ServiceState.STOPPED, wanted=0, instances=()), Verdict.DEGRADED, "scaled to 0"),
        (replace(APP, health=Health.UNHEALTHY), Verdict.DEGRADED, "app runs, but its own check fails."),
        (replace(APP, health=Health.UNKNOWN), Verdict.UNKNOWN, "cannot be told"),
        (replace(DB, state=ServiceState.UNKNOWN), Verdict.UNKNOWN, "db: its state cannot be told."),
    ],
)
def test_one_bad_service_is_told(service: Service, verdict: Verdict, reason: str) -> None:
    others = [one for one in (DB, APP, WORKERS) if one.name != service.name]
    judgement = judge([*others, service], QUEUE, DISK)
    assert judgement.verdict is verdict
    assert len(judgement.reasons) == 1
    assert reason in judgement.reasons[0]


def test_a_queue_that_cannot_be_read_is_never_ok() -> None:
    assert judge([DB, APP, WORKERS], None, DISK).verdict is Verdict.UNKNOWN


def test_a_disk_that_cannot_be_read_is_never_ok() -> None:
    assert judge([DB, APP, WORKERS], QUEUE, None).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("waited", "verdict"), [(900, Verdict.OK), (901, Verdict.DEGRADED)])
def test_a_job_that_waits_long_is_told(waited: float, verdict: Verdict) -> None:
    assert judge([DB, APP, WORKERS], replace(QUEUE, pending=1, oldest_pending_s=waited), DISK).verdict is verdict


@pytest.mark.parametrize(
    ("free", "total", "verdict"),
    [
        (10**9, 10 * 10**9, Verdict.OK),
        (10**9, 100 * 10**9, Verdict.DEGRADED),
        (3 * 10**9, 1000 * 10**9, Verdict.OK),
        (10**7, 10**9, Verdict.DOWN),
    ],
)
def test_a_short_disk_is_told(free: int, total: int, verdict: Verdict) -> None:
    assert judge([DB, APP, WORKERS], QUEUE, Disk(free, total)).verdict is verdict


def test_a_stack_that_does_not_run_has_one_reason() -> None:
    stopped = [replace(one, state=ServiceState.STOPPED, instances=()) for one in (DB, APP, WORKERS)]
    judgement = judge(stopped, None, None)
    assert (judgement.verdict, judgement.reasons) == (Verdict.DOWN, ("The stack is not running.",))


def test_the_worst_decides() -> None:
    assert worst([Verdict.OK, Verdict.DEGRADED, Verdict.UNKNOWN]) is Verdict.DEGRADED
    assert worst([Verdict.UNKNOWN, Verdict.OK]) is Verdict.UNKNOWN
    assert worst([Verdict.DOWN, Verdict.DEGRADED]) is Verdict.DOWN
    assert worst([]) is Verdict.UNKNOWN
