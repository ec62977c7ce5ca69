"""Faults of a database: found by the checks, and repaired by the application's own commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from checks_world import YES, expect, found, ids, the
from qfc.checks import EVERYTHING, Evidence, examine
from qfc.drivers.postgres import PostgresConditions
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.errors import UnreachableError
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.findings import Result
from queue_world import DatabaseWorld
from twins import MemoryPorts

#: A check may take that long on a busy machine.
LIMIT_S = 120.0
OF_MIGRATIONS = [check for check in EVERYTHING if check.id.startswith("A13-")]


def test_a_database_that_was_told_to_be_read_only(ports: MemoryPorts, world: DatabaseWorld) -> None:
    world.lab.set_read_only(True)
    world.forget()
    expect(ports, "D12-readonly", "default_transaction_read_only is on")
    world.lab.set_read_only(False)
    world.forget()
    assert found(ports).findings == ()


def test_databases_of_users_that_later_releases_remove(ports: MemoryPorts, world: DatabaseWorld) -> None:
    with table(world, "core_geodb", "select id as user_id from core_user"):
        expect(ports, "I01", "1 row.")


@contextmanager
def table(world: DatabaseWorld, name: str, rows: str) -> Iterator[None]:
    """Add a table for a block."""
    world.execute(f"create table {name} as {rows}")
    try:
        yield
    finally:
        world.execute(f"drop table {name}")


def test_a_transaction_that_holds_up_others_is_seen(own_world: DatabaseWorld, database: Endpoint) -> None:
    sessions = own_world.conditions.server.stuck_sessions
    assert sessions(older_s=0) == ()
    with connect(database) as holder, connect(database) as waiting:
        holder.execute("set application_name = 'holder'")
        holder.execute("lock table core_job")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            waiting.execute("set lock_timeout = '50ms'; select count(*) from core_job")
        (seen,) = [one for one in sessions(older_s=0) if one.program == "holder"]
        assert (seen.what, seen.seconds > 0) == ("idle", True)
        assert sessions(older_s=600) == ()


def test_migrations_that_are_not_applied_are_found_and_applied(
    own_ports: MemoryPorts, own_world: DatabaseWorld
) -> None:
    """The last migration of the node is undone, in its tables and in the record of migrations."""
    own_ports.runtime.execute("app", ["migrate", "core", "0005"])
    made = diagnose(own_ports, OF_MIGRATIONS, YES, fix=True, proof=False)
    assert ids(made) == ["A13-pending"]
    assert "core.0006_deltas_of_ended_jobs" in the(made, "A13-pending").evidence
    assert the(made, "A13-pending").result is Result.FIXED
    assert "core.0006_deltas_of_ended_jobs" in own_world.directory.applied_migrations()


def test_a_database_without_tables_is_found_and_filled(own_ports: MemoryPorts, own_world: DatabaseWorld) -> None:
    own_world.execute("drop schema public cascade; create schema public")
    checks = [check for check in OF_MIGRATIONS if check.id in ("A13-new", "A13-pending")]
    made = diagnose(own_ports, checks, replace(YES, yes=False), fix=True, proof=False)
    assert ids(made) == ["A13-new"]
    assert the(made, "A13-new").result is Result.FIXED
    assert "core.0001_initial" in own_world.directory.applied_migrations()


def test_a_server_that_is_not_there_is_no_fault_of_its_rows(ports: MemoryPorts, postgres_server: Endpoint) -> None:
    away = PostgresConditions(lambda: connect(replace(postgres_server, host="/nonexistent")))
    with pytest.raises(UnreachableError):
        away.accounts.superusers()
    gone: dict[str, Any] = {"conditions": away}
    findings = examine(EVERYTHING, Evidence(replace(ports, **gone)), limit_s=LIMIT_S)
    assert [one.id for one in findings if one.result is Result.FOUND] == []
    assert "The database cannot be reached." in {one.evidence for one in findings if one.result is Result.SKIPPED}
