"""Faults of the lab in rows of a real database: created, found by their checks, undone without a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from checks_world import YES, answering, found, healthy, ids, on_rows, settle
from lab_world import OF_ROWS
from qfc.errors import CommandError, PartlyDoneError
from qfc.lab import Fault, fault
from qfc.operations import lab_book
from qfc.operations.lab import lab_break, lab_list, lab_mend
from qfc.stack.model import Kind
from queue_world import DatabaseWorld, moment
from shared_database import NODE, SharedDatabases
from twins import MemoryPorts

#: Faults that only affect new sessions.
FOR_NEW_SESSIONS = {"database-read-only"}
Lab = Callable[[Fault], tuple[MemoryPorts, DatabaseWorld]]


@pytest.fixture
def lab(shared_databases: SharedDatabases) -> Lab:
    """Return a healthy stack of the first kind that can have a fault: the node, or an official server of late 2025."""

    def make(one: Fault) -> tuple[MemoryPorts, DatabaseWorld]:
        kind = one.kinds[0]
        world = shared_databases.world(NODE if kind is Kind.EMBEDDED else "2025_11")
        settle(world)
        ports = on_rows(healthy(kind)[0], world)
        if kind is Kind.COMPOSE:
            ports.deployment.site.env += "QFC_LAB=1\n"
        answering(ports, "showmigrations", migrations(world))
        return ports, world

    return make


def migrations(world: DatabaseWorld) -> Callable[[str, Sequence[str], bytes], str]:
    """Let the application know the current migrations, and report for each whether it is still applied."""
    known = world.directory.applied_migrations()

    def execute(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        applied = world.directory.applied_migrations()
        return "\n".join(f"[{'X' if name in applied else ' '}]  {name}" for name in known)

    return execute


def traces(ports: MemoryPorts, world: DatabaseWorld) -> list[str]:
    """Return everything that a fault may have left: rows of all tables, settings of the database, services."""
    tables = [name for (name,) in world.execute("select tablename from pg_tables where schemaname = 'public'")]
    rows = " union all ".join(
        f"select '{name}: ' || (to_jsonb(t) - {counter(name)})::text from {name} t" for name in tables
    )
    left = [row for (row,) in world.execute(f"{rows} union all select setconfig::text from pg_db_role_setting")]
    return sorted([*left, *(f"{one.name} {one.state} {one.running}" for one in ports.runtime.services())])


def counter(table: str) -> str:
    """Return the column to ignore: a migration that is applied again is a new row."""
    return "'id'" if table == "django_migrations" else "''"


@pytest.mark.parametrize("one", OF_ROWS, ids=lambda one: one.id)
def test_a_fault_is_found_by_its_checks_and_leaves_nothing_behind(one: Fault, lab: Lab) -> None:
    ports, world = lab(one)
    before = traces(ports, world)
    assert ids(found(ports)) == []
    lab_break(ports, one.id, YES)
    if one.id in FOR_NEW_SESSIONS:
        world.forget()
    assert traces(ports, world) != before
    assert set(ids(found(ports))) & set(one.finds)
    assert [line.id for line in lab_list(ports).faults if line.broken_since] == [one.id]
    made = lab_mend(ports, None, YES)
    assert (made.changed, made.broken) == ((one.id,), ())
    if one.id in FOR_NEW_SESSIONS:
        world.forget()
    assert traces(ports, world) == before
    assert ids(found(ports)) == []
    assert [(entry.command, entry.result) for entry in ports.audit.entries()] == [
        ("lab mend", "0 faults left"),
        ("lab break", "done"),
    ]


@pytest.mark.parametrize("one", OF_ROWS, ids=lambda one: one.id)
def test_a_lab_that_was_killed_before_it_made_the_fault_is_mended(one: Fault, lab: Lab) -> None:
    ports, world = lab(one)
    before = traces(ports, world)
    lab_book.write(ports, [lab_book.Broken(one.id, moment(), "anna@memory", one.look(ports))])
    assert lab_mend(ports, one.id, YES).changed == (one.id,)
    assert traces(ports, world) == before
    assert lab_book.read(ports) == ()


def test_a_mend_that_fails_stops_no_other_and_may_be_repeated(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, world = lab(fault("superuser-missing"))
    lab_break(ports, "superuser-missing", YES)
    lab_break(ports, "workers-stopped", YES)

    def start(names: object) -> None:
        raise CommandError("supervisord does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(ports.runtime, "start", start)
        with pytest.raises(PartlyDoneError, match="workers-stopped"):
            lab_mend(ports, None, YES)
    assert [one.id for one in lab_book.read(ports)] == ["workers-stopped"]
    assert world.conditions.accounts.superusers() == 1
    assert lab_mend(ports, None, YES).broken == ()


def test_a_repair_of_the_diagnosis_is_no_trouble_for_mending(lab: Lab) -> None:
    ports, world = lab(fault("worker-killed-applying"))
    before = [job.id for job in world.store.jobs()]
    lab_break(ports, "worker-killed-applying", YES)
    assert {*ids(found(ports, fix=True))} >= {"D08", "D11"}
    lab_mend(ports, None, YES)
    assert [job.id for job in world.store.jobs()] == before
    assert ids(found(ports)) == []
