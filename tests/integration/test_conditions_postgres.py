"""Faults in the rows of a real database of the node: found by the checks, mended by the application's own commands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from checks_world import YES, the
from conditions_world import announce, store, superuser, wrong_password
from node import node_environment
from qfc.checks import Auto, Check, Evidence, Outcome, examine
from qfc.checks.files import FILES, FILES_FOR_SYNC
from qfc.checks.people import PEOPLE, PEOPLE_FOR_SYNC
from qfc.checks.records import RECORDS, RECORDS_FOR_SYNC, DatabaseNew, MigrationsPending
from qfc.checks.work import WORK
from qfc.drivers.postgres import PostgresConditions
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.errors import CommandError, UnreachableError
from qfc.operations.findings import Result
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.model.conditions import PlacesTaken
from queue_world import NOW, DatabaseWorld, before
from twins import MemoryPorts, memory_stack

CHECKS: tuple[Check, ...] = (
    *RECORDS_FOR_SYNC,
    *WORK,
    *PEOPLE_FOR_SYNC,
    *FILES_FOR_SYNC,
    *RECORDS,
    *PEOPLE,
    *FILES,
)
#: A check may take that long on a machine that does other things.
LIMIT_S = 120.0


@pytest.fixture
def world(database: Endpoint) -> Iterator[DatabaseWorld]:
    """The node's tables with one person, who has a plan and may do everything, and a project."""
    made = DatabaseWorld(lambda: connect(database))
    made.subscribe("alice")
    superuser(made, "alice")
    healthy_project(made)
    yield made
    made.close()


def healthy_project(world: DatabaseWorld) -> None:
    details = {"qgis_version": "3.40.6", "layers_by_id": {"trees": {"datasource": "trees.gpkg|layername=trees"}}}
    project = world.project("survey", details=json.dumps(details))
    store(world, project, "survey.qgs", 400)
    store(world, project, "data/trees.gpkg", 500)
    store(world, project, "DCIM/tree.jpg", 100)
    job = world.job(project, "finished", type="delta_apply", made=90, started=89, ended=88)
    announce(world, world.delta(project, "applied", job=job, made=90), **{"DCIM/tree.jpg": "aa"})
    world.job(project, "finished", made=80, started=79, ended=78)


@pytest.fixture
def ports(world: DatabaseWorld, database: Endpoint, node_folder: Path) -> MemoryPorts:
    """A stack whose rows and commands are real."""
    environment = node_environment(database, node_folder)

    def manage(service: str, argv: Sequence[str], stdin: bytes) -> str:
        command = [sys.executable, "-m", "qfc_node", *argv]
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=120, check=False)
        if done.returncode:
            raise CommandError(f"{service}: {argv[0]}: {done.stderr.decode()[-300:]}")
        return done.stdout.decode()

    stack = memory_stack()
    stack.clock.moment = NOW
    stack.runtime.start([])
    stack.runtime.execute_with = manage
    rows: dict[str, Any] = {"jobs": world.store, "directory": world.directory, "conditions": world.conditions}
    return replace(stack, **rows)


def look(ports: MemoryPorts, checks: Sequence[Check] = CHECKS) -> dict[str, Outcome]:
    """Return what the checks say that have something to say; every one of them could look."""
    outcomes = examine(checks, Evidence(ports), limit_s=LIMIT_S)
    assert [(one.check.id, one.unknown) for one in outcomes if one.unknown] == []
    return {one.check.id: one for one in outcomes if one.found}


def file(name: str, *sizes: int, project: str = "files") -> Callable[[DatabaseWorld], None]:
    return lambda world: store(world, world.project(project), name, *(sizes or (1000,)))


def two_project_files(world: DatabaseWorld) -> None:
    project = world.project("files")
    store(world, project, "one.qgs", 400)
    store(world, project, "old/two.qgz", 600)


def miscounted(world: DatabaseWorld) -> None:
    store(world, world.project("files"), "a.csv", 2_000_000, 3_000_000)


def attachment_missing(world: DatabaseWorld) -> None:
    project = world.project("photos")
    store(world, project, "survey.qgs", 1000)
    announce(world, world.delta(project, "applied", made=120), **{"DCIM/lost.jpg": "aa"})


def no_superuser(world: DatabaseWorld) -> None:
    world.execute("update core_user set is_superuser = false")


def locked_out(world: DatabaseWorld) -> None:
    assert wrong_password(world, "alice", 5, ago=NOW - before(5))
    assert wrong_password(world, "stranger", 50, ago=NOW - before(5))


def inactive_by_default(world: DatabaseWorld) -> None:
    world.execute("update subscription_plan set initial_subscription_status = 'inactive_draft' where user_type = 1")


def plan_insufficient(world: DatabaseWorld) -> None:
    source = "service='fieldwork' key='fid' table=\"public\".\"trees\" (geom)"
    world.project("online", details=json.dumps({"layers_by_id": {"trees": {"datasource": source}}}))
    world.execute("update subscription_plan set is_external_db_supported = false where code = 'community'")


def quota_soon(world: DatabaseWorld) -> None:
    world.execute("update subscription_plan set storage_mb = 1 where code = 'community'")
    world.execute("update core_project set file_storage_bytes = 950000")
    world.execute("update filestorage_fileversion set size = 949500 where size = 400")
    world.execute("update filestorage_fileversion set size = 400 where size = 500")


def club(world: DatabaseWorld) -> None:
    world.insert("core_user", password="", is_superuser=False, username="club", first_name="", last_name="", email="",
                 is_staff=False, is_active=True, date_joined=NOW, type=2)  # fmt: skip
    club, alice = world.user_id("club"), world.user_id("alice")
    world.insert("core_organization", user_ptr_id=club, organization_owner_id=alice, is_initially_trial=False,
                 created_by_id=alice, created_at=NOW, updated_at=NOW)  # fmt: skip
    world.subscribe("club")
    world.person("bob")
    world.insert("core_organizationmember", member_id=world.user_id("bob"), organization_id=club, role="member",
                 is_public=False)  # fmt: skip
    world.execute("update subscription_plan set max_organization_members = 1")


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


def storm(world: DatabaseWorld) -> None:
    project = world.project("storm")
    for number in range(21):
        world.job(project, "finished", type="process_projectfile", made=100 + number, started=90, ended=89)


def geodb_in_use(world: DatabaseWorld) -> None:
    world.execute("create table core_geodb as select id as user_id from core_user")


def cron_stopped(world: DatabaseWorld) -> None:
    world.execute("""
        create table django_cron_cronjoblog as
        select 'clean_up' as code, now() - interval '30 minutes' as start_time, true as is_success
    """)
    world.job(world.project("waits"), made=1)


def read_only(world: DatabaseWorld) -> None:
    world.execute("""
        do $$ begin
            execute format('alter database %I set default_transaction_read_only = on', current_database());
        end $$
    """)
    world.conditions.close()


FAULTS: dict[str, tuple[Callable[[DatabaseWorld], None], str]] = {
    "A13-superuser": (no_superuser, "none"),
    "C10": (file("relief.tif", 997, 3), "alice/files/relief.tif"),
    "C12": (file("data/aux.csv"), "alice/files/data/aux.csv"),
    "C13": (miscounted, "alice/files (0.0 of 5.0 MB)"),
    "D08-cron": (cron_stopped, "30 min ago"),
    "D12-readonly": (read_only, "read-only"),
    "D17": (storm, "alice/storm (21 within an hour)"),
    "E11": (two_project_files, "alice/files/old/two.qgz, alice/files/one.qgs"),
    "E12-hidden": (file("data/.cache"), "alice/files/data/.cache"),
    "E13": (file("survey.qgs", project="shared_datasets"), "alice/shared_datasets/survey.qgs"),
    "F08": (over_quota, "1 edits in alice/full"),
    "F09-overtaken": (overtaken, "1 of alice/overtaken"),
    "F10": (unpermitted, "1 of alice/edited"),
    "F12": (backlog, "1001 of alice/busy"),
    "G06": (attachment_missing, "alice/photos/DCIM/lost.jpg"),
    "G09": (locked_out, "alice."),
    "H01-plan": (inactive_by_default, "community (inactive_draft)"),
    "H02": (plan_insufficient, "alice/online"),
    "H03-soon": (quota_soon, "alice 95%"),
    "H05": (club, "club (1 of 1 members)"),
    "I01": (geodb_in_use, "1 rows"),
}
#: Each starts the whole application; they have tests of their own.
SLOW = (MigrationsPending, DatabaseNew)
#: Those whose repair needs what only a whole stack has.
ELSEWHERE = ("D08-cron",)


def test_rows_of_a_healthy_stack_show_nothing(ports: MemoryPorts) -> None:
    assert look(ports) == {}


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_in_rows_is_found_and_mended_where_that_is_promised(
    ports: MemoryPorts, world: DatabaseWorld, id: str
) -> None:
    make, evidence = FAULTS[id]
    make(world)
    outcomes = look(ports, [check for check in CHECKS if not isinstance(check, SLOW)])
    assert set(outcomes) == {id}
    assert evidence in (outcomes[id].found or "")
    check = outcomes[id].check
    if check.auto is Auto.NO or id in ELSEWHERE:
        return
    assert the(diagnose(ports, [check], YES, fix=True, proof=False), id).result is Result.FIXED
    assert look(ports, [check]) == {}


def test_who_takes_a_place_in_a_private_project(world: DatabaseWorld) -> None:
    club(world)
    world.execute("update subscription_plan set max_organization_members = -1")
    world.execute("update subscription_plan set max_premium_collaborators_per_private_project = 1")
    project = world.project("closed", owner="club")
    world.person("carol")

    def add(name: str, *, incognito: bool = False) -> None:
        world.insert("core_projectcollaborator", collaborator_id=world.user_id(name), project_id=project, role="editor",
                     created_at=NOW, updated_at=NOW, is_incognito=incognito)  # fmt: skip

    add("alice")
    add("carol", incognito=True)
    assert world.conditions.accounts.places_taken() == ()
    add("bob")
    assert world.conditions.accounts.places_taken() == (PlacesTaken("club/closed", "collaborators", 1, 1, "community"),)
    world.execute("update core_project set is_public = true where name = 'closed'")
    assert world.conditions.accounts.places_taken() == ()


def test_a_transaction_that_holds_up_others_is_seen(world: DatabaseWorld, database: Endpoint) -> None:
    assert world.conditions.server.stuck_sessions(older_s=0) == ()
    with connect(database) as holder, connect(database) as waiting:
        holder.execute("set application_name = 'holder'")
        holder.execute("lock table core_job")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            waiting.execute("set lock_timeout = '50ms'; select count(*) from core_job")
        (seen,) = [one for one in world.conditions.server.stuck_sessions(older_s=0) if one.program == "holder"]
        assert (seen.what, seen.seconds > 0) == ("idle", True)
        assert world.conditions.server.stuck_sessions(older_s=600) == ()


def test_migrations_that_are_not_applied_are_found_and_applied(ports: MemoryPorts, world: DatabaseWorld) -> None:
    """The last migration of the node is undone, in its tables and in what is written down of it."""
    ports.runtime.execute("app", ["migrate", "core", "0005"])
    checks = [check for check in CHECKS if check.id.startswith("A13")]
    outcomes = look(ports, checks)
    assert set(outcomes) == {"A13-pending"}
    assert "core.0006_deltas_of_ended_jobs" in (outcomes["A13-pending"].found or "")
    made = diagnose(ports, checks, YES, fix=True, proof=False)
    assert the(made, "A13-pending").result is Result.FIXED
    assert "core.0006_deltas_of_ended_jobs" in world.directory.applied_migrations()


def test_a_database_without_tables_is_found_and_filled(ports: MemoryPorts, world: DatabaseWorld) -> None:
    world.execute("drop schema public cascade; create schema public")
    checks = [check for check in CHECKS if check.id in ("A13-new", "A13-pending")]
    assert set(look(ports, checks)) == {"A13-new"}
    made = diagnose(ports, checks, replace(YES, yes=False), fix=True, proof=False)
    assert the(made, "A13-new").result is Result.FIXED
    assert "core.0001_initial" in world.directory.applied_migrations()


def test_a_server_that_is_not_there_is_no_fault_of_its_rows(ports: MemoryPorts, database: Endpoint) -> None:
    away = PostgresConditions(lambda: connect(replace(database, host="/nonexistent")))
    with pytest.raises(UnreachableError):
        away.accounts.superusers()
    gone: dict[str, Any] = {"conditions": away}
    outcomes = examine(CHECKS, Evidence(replace(ports, **gone)), limit_s=LIMIT_S)
    assert [one.check.id for one in outcomes if one.found] == []
    assert "The database cannot be reached." in {one.unknown for one in outcomes}
