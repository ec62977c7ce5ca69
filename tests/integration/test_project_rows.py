"""A restore of one project takes every table along that a project's rows are in."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from qfc.drivers.backups.project import ROWS, Account, EmbeddedProjectTarget, same_accounts
from qfc.drivers.backups.snapshot import LOCK_CLASS
from qfc.drivers.postgres.swap import NEW, DatabaseSwap
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.stack.backup_project import ProjectContent
from qfc.stack.backup_set import SECRET_KEY

OWNED = """
with recursive owned (id) as (
    select 'core_project'::regclass::oid
    union select k.conrelid from pg_constraint k join owned on k.confrelid = owned.id where k.contype = 'f'
) select id::regclass::text from owned
"""


def test_every_table_that_refers_to_projects_is_named(database: Endpoint) -> None:
    with connect(database) as connection:
        found = {str(row[0]) for row in connection.execute(OWNED)}
    assert found == set(ROWS), "add the table to ROWS of drivers/backups/project.py, where it belongs"


def test_a_person_stays_the_same_under_another_name() -> None:
    born, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    anna, bea, carl = Account(1, "anna", born), Account(2, "bea", born), Account(3, "carl", born)
    now = [Account(1, "bea", born), Account(2, "beate", born), Account(9, "carl", later), Account(4, "anna", later)]
    assert same_accounts([anna, bea, carl], now) == {1: 1, 2: 2, 3: 9}
    assert same_accounts([carl], [Account(3, "dora", later)]) == {}


def test_nothing_of_a_project_gets_lost_while_it_is_replaced(node_database: Endpoint) -> None:
    """The server removes no object that the rows name; edits that came before the lock are seen under it."""
    with copied(node_database) as (target, found):
        seen: list[Any] = []

        def kept() -> None:
            with connect(node_database) as other:
                removal = other.execute("select pg_try_advisory_xact_lock(%s, 7)", [LOCK_CLASS]).fetchone()
                assert removal == (False,)
                other.execute("update core_project set description = 'newer'")

        def held() -> None:
            with connect(node_database) as other:
                seen.extend(other.execute("select description from core_project"))
                other.execute("set lock_timeout = '200ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute("update core_project set description = 'lost'")

        target.replace(found, kept=kept, held=held)
        assert seen == [("newer",)]
        with connect(node_database) as now:
            assert now.execute("select name, description from core_project").fetchall() == [("survey", "")]


def test_secrets_of_another_key_are_not_readable(node_database: Endpoint) -> None:
    with copied(node_database) as (target, found):
        assert target.has_readable_secrets(found.id, {SECRET_KEY: b"key\n"})
        assert target.has_readable_secrets(found.id, {SECRET_KEY: b"another"})
        with connect(replace(node_database, database=node_database.database + NEW)) as copy:
            copy.execute(
                "insert into core_secret (name, type, value, project_id, created_at, created_by_id) "
                "select 'A', 'envvar', 'x', id, now(), owner_id from core_project"
            )
        assert target.has_readable_secrets(found.id, {SECRET_KEY: b"key\n"})
        assert not target.has_readable_secrets(found.id, {SECRET_KEY: b"another"})


@contextmanager
def copied(database: Endpoint) -> Generator[tuple[EmbeddedProjectTarget, ProjectContent]]:
    """Give a project of a database, and of a copy beside it."""
    from django.db import connection

    from api_world import person
    from qfc_node.core.models import Project

    project = Project.objects.create(name="survey", owner=person("anna"))
    connection.close()

    def opened(name: str) -> psycopg.Connection[Any]:
        return connect(replace(database, database=name))

    swap = DatabaseSwap(opened)
    swap.copy(database.database + NEW, of=database.database)
    swap.open(database.database)
    try:
        target = EmbeddedProjectTarget(opened, database.database, lambda: b"key")
        yield target, target.kept(str(project.pk))
    finally:
        swap.drop(database.database + NEW)
