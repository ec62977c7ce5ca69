"""Checks of rows on every release: each can look, and finds nothing on a healthy server."""

from __future__ import annotations

from checks_world import on_rows
from conditions_world import announce, keeps_files, store, superuser
from qfc.checks import Check, Evidence, examine
from qfc.checks.accounts import ACCOUNTS, ACCOUNTS_FOR_SYNC
from qfc.checks.files import FILES, FILES_FOR_SYNC
from qfc.checks.records import RECORDS, RECORDS_FOR_SYNC, DatabaseNew, MigrationsPending
from qfc.checks.work import WORK
from qfc.stack.findings import Result
from queue_world import DatabaseWorld, moment
from twins import memory_stack

ALL = (*RECORDS_FOR_SYNC, *RECORDS, *WORK, *ACCOUNTS_FOR_SYNC, *ACCOUNTS, *FILES_FOR_SYNC, *FILES)
#: All checks of rows except those that ask the application.
CHECKS: tuple[Check, ...] = tuple(check for check in ALL if not isinstance(check, (MigrationsPending, DatabaseNew)))


def test_a_server_on_which_all_is_well(database_world: DatabaseWorld) -> None:
    world = database_world
    world.subscribe("alice")
    superuser(world, "alice")
    project = world.project("survey", details='{"qgis_version": "3.40.6", "layers_by_id": {}}')
    job = world.job(project, "finished", type="delta_apply", made=90, started=89, ended=88)
    delta = world.delta(project, "applied", job=job, made=90)
    world.job(project, "finished", made=80, started=79, ended=78)
    world.job(project, "pending", made=1)
    if keeps_files(world):
        store(world, project, "survey.qgs", 400)
        store(world, project, "DCIM/tree.jpg", 300, 300)
        announce(world, delta, **{"DCIM/tree.jpg": "aa"})
    stack = memory_stack()
    stack.clock.moment = moment()
    stack.runtime.start(None)
    ports = on_rows(stack, world)
    findings = examine(CHECKS, Evidence(ports), limit_s=60.0)
    assert [(one.id, one.evidence) for one in findings if one.result is not Result.CLEAR] == []
    assert len(findings) == sum(check.applies(Evidence(ports)) for check in CHECKS)
