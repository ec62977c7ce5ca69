"""Edits that wait in several jobs, on every kind of server: found where workers would apply them in each."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from qfc.checks.twice import TWICE
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import Diagnosis, diagnose
from qfc.stack.findings import Result
from qfc.stack.model import JobStatus
from queue_world import DatabaseWorld, World
from twins import memory_stack


def found(world: World, *, fix: bool = False) -> Diagnosis:
    ports = replace(memory_stack(), jobs=world.store, directory=world.directory)
    ports.runtime.start(None)
    return diagnose(ports, TWICE, Options(yes=True), fix=fix, proof=False)


def test_edits_that_wait_in_several_jobs_are_left_in_the_last_of_them(world: World) -> None:
    project, other = world.project("busy"), world.project("calm")
    jobs = [world.job(project, type="delta_apply", made=9 - number) for number in range(3)]
    edits = [world.delta(project, job=jobs[number], made=9 - number) for number in range(3)]
    if isinstance(world, DatabaseWorld) and world.has_leases:
        with pytest.raises(psycopg.errors.UniqueViolation):
            world.part(jobs[1], edits[0], "pending")
        return
    for later in (1, 2):
        for earlier in range(later):
            world.part(jobs[later], edits[earlier], "pending")
    world.delta(other, job=world.job(other, type="delta_apply", made=3))
    official = world.store.snapshot().workers is None
    assert [one.id for one in found(world).findings] == (["twice"] if official else [])
    if not official:
        return
    assert "2 jobs with only edits that later jobs contain" in found(world).findings[0].evidence
    assert found(world, fix=True).findings[0].result is Result.FIXED
    assert [world.store.job(job).status for job in jobs] == [JobStatus.STOPPED, JobStatus.STOPPED, JobStatus.PENDING]
    assert {world.store.delta(edit).status for edit in edits} == {"pending"}
    assert {world.part_status(jobs[2], edit) for edit in edits} == {"pending"}


def test_jobs_with_edits_of_their_own_are_no_finding(world: World) -> None:
    project = world.project("busy")
    for number in range(2):
        world.delta(project, job=world.job(project, type="delta_apply", made=9 - number), made=9 - number)
    assert found(world).findings == ()
