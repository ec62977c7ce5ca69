"""Faults in the rows of jobs and edits: found by the checks, and repaired if the check can do so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks_world import expect, found, with_busy_workers
from queue_world import DatabaseWorld
from twins import MemoryPorts

DAYS = 31


def overtaken(world: DatabaseWorld) -> None:
    project = world.project("overtaken")
    failed = world.job(project, "failed", type="delta_apply", made=60, started=59, ended=58)
    world.delta(project, "error", job=failed, made=61)
    world.job(project, "finished", made=31, started=30, ended=29)


def over_quota(world: DatabaseWorld) -> None:
    project = world.project("full")
    feedback = {"error": "over_quota", "error_type": "API_PAYMENT_REQUIRED"}
    failed = world.job(project, "failed", type="delta_apply", made=60, started=59, ended=58, feedback=feedback)
    world.delta(project, "error", job=failed, made=61)


def unpermitted(world: DatabaseWorld) -> None:
    world.delta(world.project("edited"), "unpermitted")


def backlog(world: DatabaseWorld) -> None:
    project = world.project("busy")
    world.delta(project, "pending", made=1)
    world.execute("""
        insert into core_delta (id, deltafile_id, client_id, content, created_at, updated_at, project_id, created_by_id,
                                last_status)
        select gen_random_uuid(), deltafile_id, client_id, content, created_at, updated_at, project_id, created_by_id,
               last_status
        from core_delta cross join generate_series(1, 1000) where last_status = 'pending'
    """)


APPLY = "update core_delta set last_status = 'applied' where last_status = 'pending'"


def skipped(world: DatabaseWorld) -> None:
    project = world.project("meadows")
    job = world.job(project, "finished", type="package", started=5, ended=4)
    line = "Skipping feature ID {} when offlining layer trees due to problematic geometry."
    output = "\n".join(["Packaging", *(line.format(number) for number in range(3)), "Done"])
    world.tables.change("job", {"id": job}, output=output)
    world.execute(f"insert into core_packagejob (job_ptr_id) values ('{job}')")
    world.execute(f"update {world.project_table} set last_package_job_id = '{job}' where id = '{project}'")


def storm(world: DatabaseWorld) -> None:
    project = world.project("storm")
    for number in range(21):
        world.job(project, "finished", type="process_projectfile", made=100 + number, started=90, ended=89)


def failing(world: DatabaseWorld) -> None:
    project = world.project("failing")
    for number in range(6):
        world.job(project, "failed", type="package", made=50 + number, started=41, ended=40)
    for _ in range(8):
        world.job(project, "finished", made=50, started=41, ended=40)
    world.job(project, "finished", made=30, started=29, ended=28)


#: By check: how the fault is created, words of the evidence, and faults that come with it.
FAULTS: dict[str, tuple[Callable[[DatabaseWorld], None], str, tuple[str, ...]]] = {
    "E02-skipped": (skipped, "Features: 3 of alice/meadows.", ()),
    "D17": (storm, "alice/storm (21 within an hour)", ()),
    "failure-rate": (failing, "6 of ", ()),
    "F08": (over_quota, "1 edit in alice/full", ("F09", "H03-jobs")),
    "F09-overtaken": (overtaken, "1 in alice/overtaken", ("F09", "D14-jobs")),
    "F10": (unpermitted, "1 in alice/edited", ()),
    "F12": (backlog, "1001 in alice/busy", ()),
}


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_in_work_is_found_and_repaired_where_that_is_promised(
    ports: MemoryPorts, world: DatabaseWorld, id: str
) -> None:
    make, evidence, others = FAULTS[id]
    make(world)
    with_busy_workers(ports, lambda: world.execute(APPLY))
    expect(ports, id, evidence, others)


def test_old_faults_are_forgotten(ports: MemoryPorts, world: DatabaseWorld) -> None:
    for make in (overtaken, unpermitted, storm):
        make(world)
    for table in ("core_job", "core_delta"):
        world.execute(f"update {table} set created_at = created_at - interval '{DAYS} days'")
    assert {finding.id for finding in found(ports).findings} == {"F09", "D14-jobs"}
