"""Verdicts: the worst observation decides, and an unknown state is never ok."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qfc.stack.findings import Finding, Severity, clear, problem, unknown, worst
from qfc.stack.health import judge, reasons
from qfc.stack.model import Disk, Health, Instance, QueueDepth, Service, ServiceState, Verdict

UP = Instance("x", ServiceState.RUNNING, pid=1)
DB = Service("db", ServiceState.RUNNING, Health.HEALTHY, 1, (UP,))
APP = replace(DB, name="app")
WORKERS = Service("worker_wrapper", ServiceState.RUNNING, Health.NONE, 2, (UP, UP))
QUEUE = QueueDepth(0, 0, 0, 0)
DISK = Disk(50 * 1000**3, 100 * 1000**3)


def test_a_healthy_stack_is_ok_without_reasons() -> None:
    findings = judge([DB, APP, WORKERS], QUEUE, DISK)
    assert (worst(findings), reasons(findings)) == (Verdict.OK, ())


@pytest.mark.parametrize(
    ("service", "verdict", "reason"),
    [
        (replace(APP, state=ServiceState.STOPPED, instances=()), Verdict.DOWN, "app is stopped."),
        (replace(DB, state=ServiceState.MISSING, instances=()), Verdict.DOWN, "db is missing."),
        (
            replace(APP, state=ServiceState.RESTARTING, instances=(replace(UP, exit_code=3),)),
            Verdict.DOWN,
            "app keeps restarting, exit code 3.",
        ),
        (
            replace(WORKERS, state=ServiceState.STOPPED, instances=(replace(UP, exit_code=-1),)),
            Verdict.DEGRADED,
            "worker_wrapper is stopped, ended by a signal.",
        ),
        (replace(WORKERS, instances=(UP,)), Verdict.DEGRADED, "1 of 2 worker_wrapper are running."),
        (replace(WORKERS, state=ServiceState.STOPPED, wanted=0, instances=()), Verdict.DEGRADED, "scaled to 0"),
        (replace(APP, health=Health.UNHEALTHY), Verdict.DEGRADED, "app is running, but its health check fails."),
        (replace(APP, health=Health.UNKNOWN), Verdict.UNKNOWN, "its health check has not answered yet"),
        (replace(DB, state=ServiceState.UNKNOWN), Verdict.UNKNOWN, "The state of db cannot be read."),
    ],
)
def test_one_bad_service_is_told(service: Service, verdict: Verdict, reason: str) -> None:
    others = [one for one in (DB, APP, WORKERS) if one.name != service.name]
    findings = judge([*others, service], QUEUE, DISK)
    assert worst(findings) is verdict
    assert len(reasons(findings)) == 1
    assert reason in reasons(findings)[0]


def test_a_queue_that_cannot_be_read_is_never_ok() -> None:
    assert worst(judge([DB, APP, WORKERS], None, DISK)) is Verdict.UNKNOWN


def test_a_disk_that_cannot_be_read_is_never_ok() -> None:
    assert worst(judge([DB, APP, WORKERS], QUEUE, None)) is Verdict.UNKNOWN


@pytest.mark.parametrize(("waited", "verdict"), [(900, Verdict.OK), (901, Verdict.DEGRADED)])
def test_a_job_that_waits_long_is_told(waited: float, verdict: Verdict) -> None:
    assert worst(judge([DB, APP, WORKERS], replace(QUEUE, pending=1, oldest_pending_s=waited), DISK)) is verdict


@pytest.mark.parametrize(
    ("free", "total", "verdict"),
    [
        (10**9, 10 * 10**9, Verdict.OK),
        (10**9, 100 * 10**9, Verdict.DEGRADED),
        (3 * 10**9, 1000 * 10**9, Verdict.OK),
        (10**7, 10**9, Verdict.DOWN),
        (10**8 - 1, 10**12, Verdict.DOWN),
        (10**8, 10**12, Verdict.DEGRADED),
        (2 * 10**9 - 1, 10**12, Verdict.DEGRADED),
        (2 * 10**9, 10**12, Verdict.OK),
        (10**9, 20 * 10**9, Verdict.OK),
        (10**9 - 1, 20 * 10**9, Verdict.DEGRADED),
    ],
)
def test_a_short_disk_is_told(free: int, total: int, verdict: Verdict) -> None:
    assert worst(judge([DB, APP, WORKERS], QUEUE, Disk(free, total))) is verdict


def test_the_evidence_has_figures_in_the_units_of_people() -> None:
    findings = judge([DB], replace(QUEUE, pending=1, oldest_pending_s=5999), Disk(1_560_000_000, 10**12))
    assert reasons(findings) == (
        "The oldest job has waited 99 minutes; see: qfc sync queue",
        "The disk is nearly full: 1.6 GB free.",
    )


def test_a_stack_that_does_not_run_has_one_reason() -> None:
    stopped = [replace(one, state=ServiceState.STOPPED, instances=()) for one in (DB, APP, WORKERS)]
    findings = judge(stopped, None, None)
    assert (worst(findings), reasons(findings)) == (Verdict.DOWN, ("The stack is not running. Type: qfc up",))
    half = judge([replace(one, state=ServiceState.STOPPED) for one in (DB, APP, WORKERS)], None, None, "upgrade")
    said = "upgrade was interrupted; the next change finishes or undoes it."
    assert reasons(half) == (said, "The stack is not running. Type: qfc up")


OF: dict[Verdict, Finding] = {
    Verdict.OK: clear("a"),
    Verdict.UNKNOWN: unknown("b", "It cannot be read."),
    Verdict.DEGRADED: problem("c", Severity.WARNING, "It is short."),
    Verdict.DOWN: problem("d", Severity.CRITICAL, "It is gone."),
}


@pytest.mark.parametrize(
    ("verdicts", "decides"),
    [
        ([Verdict.OK, Verdict.DEGRADED, Verdict.UNKNOWN], Verdict.DEGRADED),
        ([Verdict.UNKNOWN, Verdict.OK], Verdict.UNKNOWN),
        ([Verdict.DOWN, Verdict.DEGRADED], Verdict.DOWN),
        ([Verdict.OK], Verdict.OK),
        ([], Verdict.UNKNOWN),
    ],
)
def test_the_worst_decides(verdicts: list[Verdict], decides: Verdict) -> None:
    assert worst(OF[one] for one in verdicts) is decides


def test_what_is_only_worth_knowing_leaves_a_stack_ok() -> None:
    assert worst([clear("a"), problem("b", Severity.INFO, "It is self-signed.")]) is Verdict.OK
