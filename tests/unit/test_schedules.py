"""How rarely periodic tasks may start, by the labels of ofelia: what is rarer on purpose is no fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from checks_world import found, healthy, ids, the
from qfc.stack.findings import Result
from qfc.stack.model.conditions import CronRun
from qfc.stack.schedules import period_s
from twins import MemoryPorts

SCHEDULE, COMMAND = "ofelia.job-exec.runcrons.schedule", "ofelia.job-exec.runcrons.command"


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("@every 1m", 60),
        ("@every 1h30m", 5400),
        ("@every 90s", 90),
        ("@hourly", 3600),
        ("@daily", 86400),
        ("*/5 * * * *", 300),
        ("0 */10 * * * *", 600),
        ("30 * * * *", 3600),
        ("0 30 2 * * *", 86400),
        ("0 0 * * 1", 7 * 86400),
        ("* * * * *", 60),
        ("@sometimes", None),
        ("every minute", None),
        ("%5 * * * *", None),
        ("", None),
    ],
)
def test_the_longest_time_between_two_runs(schedule: str, seconds: float | None) -> None:
    assert period_s(schedule) == seconds


def deployment(minutes: int) -> MemoryPorts:
    """Return a deployment with work, whose last periodic task ran some minutes ago."""
    ports, world = healthy("compose")
    ports.runtime._wanted["ofelia"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["ofelia"] = {}  # pyright: ignore[reportPrivateUsage]
    ports.runtime.start(["ofelia"])
    world.job(world.project("waits"), made=2)
    at = ports.clock.now() - timedelta(minutes=minutes)
    runs: Callable[[], tuple[CronRun, ...]] = lambda: (CronRun("clean_up", at, at),)  # noqa: E731
    ports.conditions.server.cron_runs = runs  # pyright: ignore[reportAttributeAccessIssue]
    return ports


def scheduled(minutes: int, schedule: str, command: str = "python manage.py runcrons") -> MemoryPorts:
    ports = deployment(minutes)
    containers = ports.deployment.inspection.containers
    labels = {SCHEDULE: schedule, COMMAND: command}
    containers.rows = [replace(one, labels=labels) if one.service == "app" else one for one in containers.rows]
    return ports


@pytest.mark.parametrize(
    ("minutes", "schedule", "is_fault"),
    [
        (4, "@every 1m", False),
        (7, "@every 1m", True),
        (30, "@every 1h", False),
        (64, "@every 1h", False),
        (66, "@every 1h", True),
        (20, "0 */10 * * * *", True),
    ],
)
def test_a_task_is_late_by_its_own_schedule(minutes: int, schedule: str, is_fault: bool) -> None:
    assert ("D08-cron" in ids(found(scheduled(minutes, schedule)))) is is_fault


def test_nothing_is_restarted_where_tasks_are_rare_on_purpose() -> None:
    ports = scheduled(50, "@every 1h")
    found(ports, fix=True)
    assert [line.text for line in ports.runtime.lines if line.service == "ofelia"].count("stopped") == 0


def test_a_schedule_that_is_not_understood_is_unknown() -> None:
    made = found(scheduled(30, "when the moon is full"))
    assert the(made, "D08-cron").result is Result.SKIPPED
    assert "is not understood: when the moon is full" in the(made, "D08-cron").evidence


def test_another_job_of_ofelia_says_nothing() -> None:
    assert "D08-cron" in ids(found(scheduled(30, "@every 1h", command="python manage.py backup")))


@pytest.mark.parametrize(("minutes", "is_fault"), [(30, False), (74, False), (80, True)])
def test_without_ofelia_somebody_else_starts_them(minutes: int, is_fault: bool) -> None:
    ports = deployment(minutes)
    del ports.runtime._wanted["ofelia"], ports.runtime._running["ofelia"]  # pyright: ignore[reportPrivateUsage]
    assert ("D08-cron" in ids(found(ports))) is is_fault


def test_too_rare_is_said() -> None:
    made = found(scheduled(1, "@every 2h"))
    assert "They run every 120 min" in the(made, "D08-rare").evidence
    assert made.ready
    assert "D08-rare" not in ids(found(scheduled(1, "@hourly")))
