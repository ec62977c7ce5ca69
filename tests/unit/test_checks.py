"""The diagnostic catalogue: each fault is created, found with its evidence, and repaired if the check can do so. On a
healthy stack nothing is found."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from checks_world import DRY, ENV, VALUES, YES, apply_edits, found, healthy, with_busy_workers
from qfc.checks import EVERYTHING, FOR_SYNC, Auto, Check, Evidence, Severity, examine
from qfc.checks.settings import SETTINGS
from qfc.errors import QfcError, UnreachableError
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.findings import Result
from qfc.stack.model import BoxLayer, DatabaseStatus, Disk, JobStatus, Subscription, User, Verdict
from queue_world import MemoryWorld, moment
from twins import MemoryPorts


@pytest.mark.parametrize("kind", ["embedded", "compose"])
def test_nothing_is_found_on_a_healthy_stack(kind: str) -> None:
    ports, _ = healthy(kind)
    made = found(ports, fix=True)
    assert (made.findings, made.ready, made.exit_code) == ((), True, 0)
    expected = {check.id for check in EVERYTHING if check.applies(Evidence(ports))}
    assert set(made.checked) == expected
    assert ports.audit.entries() == ()


def test_every_check_has_an_id_of_its_own_and_says_what_to_do() -> None:
    assert len({check.id for check in EVERYTHING}) == len(EVERYTHING)
    assert set(FOR_SYNC) < set(EVERYTHING)
    for check in EVERYTHING:
        assert check.title
        assert check.fix, check.id


def no_worker(ports: MemoryPorts, world: MemoryWorld) -> None:
    ports.runtime.stop(["worker_wrapper"])
    world.job(world.project("waits"), made=2)


def a_worker_less(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.runtime.stop(["worker_wrapper"])
    ports.runtime.scale("worker_wrapper", 1)
    ports.runtime._wanted["worker_wrapper"] = 2  # pyright: ignore[reportPrivateUsage]


def orphan(status: str, made: float, started: float | None) -> Callable[[MemoryPorts, MemoryWorld], None]:
    def make(ports: MemoryPorts, world: MemoryWorld) -> None:
        del ports
        project = world.project("blocked")
        job = world.job(project, status, type="delta_apply", made=made, started=started)
        world.delta(project, "started", job=job)

    return make


def locked(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    world.job(world.project("locked", locked=90), made=2)


def lost_edit(ports: MemoryPorts, world: MemoryWorld) -> None:
    with_busy_workers(ports, lambda: apply_edits(ports))
    world.delta(world.project("edited"), "not_applied")


def failed_by_the_server(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("innocent")
    ports.directory.project_rows[project] = replace(ports.directory.project_rows[project], status="failed")
    feedback = {"error": "No such image: qgis"}
    world.job(project, "failed", type="process_projectfile", started=5, ended=4, feedback=feedback)


def inactive(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.subscriptions["alice"] = Subscription("community", "inactive_draft", 10**8, 0, None, True)


def over_quota(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.user_rows["bob"] = User("bob", "b@example.com", "person", False, True, None, 2 * 10**8, 10**8)
    ports.directory.subscriptions["bob"] = Subscription("community", "active_paid", 10**8, 0, None, True)


def service_down(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.runtime.stop(["app"])


def no_tables(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.migrations = ()


def api_unwell(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.api.answers["/api/v1/status/"] = (200, b'{"database": "ok", "storage": "error"}')


def long_wait(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    world.job(world.project("waits"), made=40)


def database_away(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world

    def away() -> DatabaseStatus:
        raise UnreachableError("The database does not answer.")

    ports.directory.database = away


def a_service_ended(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.runtime._wanted["ofelia"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["ofelia"] = {}  # pyright: ignore[reportPrivateUsage]


def disk_full(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.runtime.space = Disk(50 * 1000**2, 100 * 1000**3, "/")


def open_box(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    layers = (BoxLayer("landlock", "missing", "Function not implemented"), BoxLayer("limits", "used"))
    ports.jobs.worker_rows[0] = replace(ports.jobs.worker_rows[0], layers=layers)


FAULTS: Mapping[str, tuple[Callable[[MemoryPorts, MemoryWorld], None], str]] = {
    "D11": (no_worker, "0 of 2 workers are running; 1 job waiting."),
    "D11-few": (a_worker_less, "1 of 2 workers are running."),
    "D07": (orphan("queued", 30, None), "of alice/blocked; 0 jobs waiting behind."),
    "D08": (orphan("started", 90, 80), "of alice/blocked; 0 jobs waiting behind."),
    "D11-locked": (locked, "alice/locked, locked more than an hour ago"),
    "F09": (lost_edit, "1 edit in alice/edited"),
    "E09": (failed_by_the_server, "1 project: alice/innocent."),
    "H01": (inactive, "alice (inactive_draft)"),
    "H03": (over_quota, "bob (200 of 100 MB)"),
    "A11": (service_down, "Down: app."),
    "A13": (no_tables, "No migration is applied."),
    "A17": (api_unwell, "storage error"),
    "D11-wait": (long_wait, "the oldest for 40 min"),
    "A15": (disk_full, ""),
    "D12-away": (database_away, "The database does not answer."),
    "A11-other": (a_service_ended, "ofelia"),
    "box": (open_box, "whatever their worker may. Layers: limits; landlock missing (Function not implemented)"),
}


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_is_found_with_its_evidence_and_repaired_where_that_is_promised(id: str) -> None:
    ports, world = healthy()
    make, evidence = FAULTS[id]
    make(ports, world)
    (finding,) = [one for one in found(ports).findings if one.id == id]
    assert evidence in finding.evidence
    assert finding.result is Result.FOUND
    assert found(ports).ready is (finding.severity is not Severity.CRITICAL)
    if finding.auto is Auto.NO:
        return
    (planned,) = [one for one in diagnose(ports, EVERYTHING, DRY, fix=True, proof=False).findings if one.id == id]
    assert planned.result is Result.FOUND
    (fixed,) = [one for one in found(ports, fix=True).findings if one.id == id]
    assert fixed.result is Result.FIXED
    assert id not in [one.id for one in found(ports).findings]
    assert ports.audit.entries()[0].command == "sync diagnose --fix"


def test_what_is_not_safe_is_asked_for() -> None:
    stack, world = healthy()
    lost_edit(stack, world)
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    made = diagnose(stack, EVERYTHING, Options(ask=no), fix=True, proof=False)
    assert [one.result for one in made.findings] == [Result.FOUND]
    assert "Repair it?" in asked[0]
    assert [job for job in stack.jobs.job_rows.values() if job.status is JobStatus.PENDING] == []


def test_edits_in_doubt_are_found_and_never_applied_again_by_a_repair() -> None:
    stack, world = healthy()
    delta = world.delta(world.project("edited"), "error")
    stack.jobs.delta_rows[delta] = replace(stack.jobs.delta_rows[delta], feedback=None)
    made = found(stack, fix=True)
    assert [(one.id, one.result) for one in made.findings] == [("F09", Result.FAILED)]
    assert stack.jobs.delta_rows[delta].status == "error"


def test_an_edit_that_fails_again_was_not_repaired() -> None:
    """A repair that only lets edits wait again would be undone by the next worker, seconds later."""
    stack, world = healthy()
    delta = world.delta(world.project("edited"), "not_applied")
    rows = stack.jobs.delta_rows

    def fail() -> None:
        rows[delta] = replace(rows[delta], status="not_applied")

    with_busy_workers(stack, fail)
    assert [(one.id, one.result) for one in found(stack, fix=True).findings] == [("F09", Result.FAILED)]


def test_an_edit_that_no_worker_takes_was_not_repaired() -> None:
    stack, world = healthy()
    world.delta(world.project("edited"), "not_applied")
    (finding,) = found(stack, fix=True).findings
    assert (finding.id, finding.result) == ("F09", Result.FAILED)
    assert "1 edit still waiting for a free worker" in finding.evidence


@pytest.mark.parametrize("id", [check.id for check in SETTINGS])
def test_a_setting_that_makes_trouble_is_found_and_no_secret_is_told(id: str) -> None:
    ports, _ = healthy("compose")
    lines, evidence = VALUES[id]
    names = [line.partition("=")[0] for line in lines.splitlines()]
    kept = [line for line in ENV.splitlines() if line.partition("=")[0] not in names]
    ports.deployment.site.env = "\n".join([*kept, *lines.splitlines()]) + "\n"
    made = found(ports)
    (finding,) = [one for one in made.findings if one.id == id]
    assert evidence in finding.evidence
    assert "hunter2" not in str(made)
    assert "change_me" not in str(made)


def test_an_image_that_workers_are_told_and_that_is_not_there() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "QFIELDCLOUD_QGIS_IMAGE_NAME=memory-qgis\n"
    assert [(one.id, one.evidence) for one in found(ports).findings] == [("D02", "Missing: memory-qgis.")]
    ports.deployment.images.tag(next(iter(ports.deployment.site.images)), "memory-qgis:latest")
    assert found(ports).findings == ()


def test_workers_that_the_database_does_not_know() -> None:
    ports, _ = healthy()
    services = ports.runtime.services
    ports.runtime.services = lambda **_: tuple(
        replace(one, instances=tuple(replace(instance, uptime_s=600) for instance in one.instances))
        for one in services()
    )
    assert found(ports).findings == ()
    ports.jobs.worker_rows.clear()
    assert [(one.id, one.evidence) for one in found(ports).findings] == [
        ("D12", "2 workers running, but none is registered in the database.")
    ]


def test_a_cache_that_does_not_answer_is_started() -> None:
    ports, _ = healthy("compose")
    ports.runtime._wanted["memcached"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["memcached"] = {}  # pyright: ignore[reportPrivateUsage]

    def latency() -> float:
        if not {one.name: one for one in ports.runtime.services()}["memcached"].running:
            raise UnreachableError("memcached does not answer.")
        return 0.4

    ports.deployment.cache_latency_ms = latency
    assert "A11-cache" in [one.id for one in found(ports).findings]
    (fixed,) = [one for one in found(ports, fix=True).findings if one.id == "A11-cache"]
    assert fixed.result is Result.FIXED
    assert found(ports).findings == ()


class Slow(Check):
    """A slow check."""

    id, title, severity, fix = "slow", "It is slow", Severity.WARNING, "Wait"
    seconds: ClassVar[float] = 1.0

    def look(self, seen: Evidence) -> str | None:
        """Sleep."""
        del seen
        time.sleep(self.seconds)
        return None


class Faulty(Slow):
    """A check with a bug."""

    id = "faulty"

    def look(self, seen: Evidence) -> str | None:
        """Fail."""
        del seen
        raise ZeroDivisionError


class Blind(Slow):
    """A check that cannot look."""

    id = "blind"

    def look(self, seen: Evidence) -> str | None:
        """Fail like drivers."""
        del seen
        raise QfcError("The engine does not answer.")


def test_a_check_that_cannot_look_says_so_and_stops_no_other() -> None:
    ports, world = healthy()
    inactive(ports, world)
    outcomes = {one.id: one for one in examine([Slow(), Faulty(), Blind(), *FOR_SYNC], Evidence(ports), limit_s=0.2)}
    assert "longer than" in outcomes["slow"].evidence
    assert "ZeroDivisionError" in outcomes["faulty"].evidence
    assert outcomes["blind"].evidence == "The engine does not answer."
    assert {outcomes[id].verdict for id in ("slow", "faulty", "blind")} == {Verdict.UNKNOWN}
    assert outcomes["H01"].result is Result.FOUND
    made = diagnose(ports, [Blind()], YES, proof=False)
    assert [(one.result, one.severity) for one in made.findings] == [(Result.SKIPPED, Severity.INFO)]
    assert made.ready


class SameSlow(Slow):
    """A check that shares its slow evidence with others."""

    def __init__(self, number: int) -> None:
        self.id = f"slow-{number}"

    def look(self, seen: Evidence) -> str | None:
        """Wait for what the first of them reads."""
        seen.once("slow", lambda: time.sleep(2))
        return None


def test_checks_that_wait_for_one_slow_answer_stop_no_other() -> None:
    ports, world = healthy()
    inactive(ports, world)
    slow = [SameSlow(number) for number in range(20)]
    outcomes = {one.id: one for one in examine([*slow, *FOR_SYNC], Evidence(ports), limit_s=1.5)}
    assert {outcomes[one.id].verdict for one in slow} == {Verdict.UNKNOWN}
    assert outcomes["H01"].result is Result.FOUND
    assert not [one.id for one in outcomes.values() if one.verdict is Verdict.UNKNOWN and not one.id.startswith("slow")]


def test_a_bug_in_what_checks_share_is_run_into_once() -> None:
    ports, _ = healthy()
    seen, asked = Evidence(ports), list[int]()

    def ask() -> None:
        asked.append(1)
        raise ValueError("a bug")

    for _ in range(3):
        with pytest.raises(ValueError, match="a bug"):
            seen.once("shared", ask)
    assert len(asked) == 1


def test_a_young_job_is_no_lost_one() -> None:
    ports, world = healthy()
    world.job(world.project("young"), "queued", made=1)
    ports.clock.moment = moment() + timedelta(seconds=1)
    assert [one.id for one in found(ports).findings] == []


def test_a_check_that_hangs_keeps_no_process_from_ending() -> None:
    program = (
        "import time\n"
        "from qfc.checks import Check, Evidence, examine\n"
        "from twins import memory_stack\n"
        "class Hung(Check):\n"
        "    id = title = fix = 'hung'\n"
        "    def look(self, seen):\n"
        "        time.sleep(3600)\n"
        "print(examine([Hung()], Evidence(memory_stack()), limit_s=0.1)[0].evidence)\n"
    )
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tests, capture_output=True, text=True, timeout=60, check=True
    )
    assert "longer than" in done.stdout
