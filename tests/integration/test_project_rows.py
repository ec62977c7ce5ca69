"""A restore of one project takes every table along that a project's rows are in."""

from __future__ import annotations

from qfc.drivers.backups.project import ROWS
from qfc.drivers.postgres_server import Endpoint, connect

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
