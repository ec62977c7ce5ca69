"""The database of a deployment elsewhere is filled by programs of this machine, swapped, and put back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, BinaryIO, cast

import psycopg
import pytest

from checks_world import healthy
from qfc.drivers.backups.deployment_objects import DeploymentObjects
from qfc.drivers.backups.deployment_target import BEFORE, DeploymentRestoreTarget, ScratchTarget, Server
from qfc.drivers.backups.programs import output_of
from qfc.drivers.backups.snapshot import snapshot_of
from qfc.drivers.deployment.postgres_tools import here
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.drivers.routes.database import DatabaseAccess
from qfc.errors import CommandError, DamagedError
from twins import MemoryObjectStore, MemoryRecords

ENV = "SECRET_KEY=now\nQFIELDCLOUD_HOST=field.example.org\n"


class Elsewhere:
    """A deployment whose database runs in no container; its files and records are in memory."""

    def __init__(self, database: Endpoint) -> None:
        self.database = database
        self.records, self.objects = MemoryRecords(), MemoryObjectStore()
        access = DatabaseAccess(database.host, database.port, database.user, database.database, database.password or "")
        self.tools = here(access, {"host": database.host, "port": database.port})
        self.settings = healthy("compose")[0].deployment.settings
        self.settings.restore(ENV)

    def connect(self, name: str) -> psycopg.Connection[Any]:
        """Connect to a database of the server."""
        return connect(replace(self.database, database=name))

    def target(self, *, scratch: str = "") -> DeploymentRestoreTarget:
        """Return it as a target, or a copy beside it."""
        server = Server(self.database.database + scratch, self.connect, lambda: self.tools, lambda: None)
        objects = DeploymentObjects(lambda: {"default": self.objects})
        kind = ScratchTarget if scratch else DeploymentRestoreTarget
        return kind(cast(Any, None), server, objects, lambda: self.settings, cast(Any, self.records))

    def dump(self) -> bytes:
        """Dump the database, in a snapshot."""

        def program(words: Sequence[str]) -> AbstractContextManager[BinaryIO]:
            return output_of(self.tools.argv(*words), self.tools.environment)

        with snapshot_of(lambda: connect(self.database), program) as snapshot, snapshot.dump() as dump:
            return dump.read()

    def databases(self) -> set[str]:
        """Return the names of the databases that belong to it."""
        with self.connect("postgres") as connection:
            rows = connection.execute("select datname from pg_database").fetchall()
        return {str(row[0]) for row in rows if str(row[0]).startswith(self.database.database)}


@pytest.fixture
def elsewhere(database: Endpoint) -> Elsewhere:
    return Elsewhere(database)


def test_the_database_is_replaced_and_comes_back(elsewhere: Elsewhere) -> None:
    target, content = elsewhere.target(), elsewhere.dump()
    before = target.tables()
    with connect(elsewhere.database, autocommit=True) as connection:
        connection.execute("create table public.newer (id int)")
    target.fill(lambda sink: cast(None, sink.write(content)))
    assert "newer" in target.tables()
    target.swap()
    assert target.tables() == before
    target.swap_back()
    target.discard()
    assert "newer" in target.tables()
    assert elsewhere.databases() == {elsewhere.database.database}


def test_the_new_database_has_encoding_locale_owner_and_settings_of_the_one_in_use(elsewhere: Elsewhere) -> None:
    content, name = elsewhere.dump(), elsewhere.database.database
    with elsewhere.connect("postgres") as connection:
        connection.autocommit = True
        connection.execute(cast(Any, f"create role {name}_owner"))
        connection.execute(cast(Any, f"drop database {name} with (force)"))
        create = f"create database {name} template template0 encoding 'UTF8' locale 'C' owner {name}_owner"
        connection.execute(cast(Any, create))
        connection.execute(cast(Any, f'alter database {name} set search_path to public, "My Maps"'))
        connection.execute(cast(Any, f"alter database {name} set qfc.test = 'a=b, c'"))
        connection.execute(cast(Any, f"alter role {name}_owner in database {name} set work_mem = '5MB'"))
    try:
        target, before = elsewhere.target(), character(elsewhere)
        target.fill(lambda sink: cast(None, sink.write(content)))
        target.swap()
        assert target.tables()
        assert character(elsewhere) == before
        assert len(before[1]) == 3
    finally:
        with elsewhere.connect("postgres") as connection:
            connection.autocommit = True
            for one in elsewhere.databases():
                connection.execute(cast(Any, f"drop database {one} with (force)"))
            connection.execute(cast(Any, f"drop role {name}_owner"))
            connection.execute(cast(Any, f"create database {name}"))


def character(elsewhere: Elsewhere) -> tuple[Any, list[Any]]:
    """Return encoding, locale and owner of the database in use, and its settings."""
    name = elsewhere.database.database
    columns = "encoding, datcollate, datctype, datdba, to_jsonb(d) ->> 'datlocprovider'"
    settings = "select setrole, unnest(setconfig) from pg_db_role_setting s join pg_database d on d.oid = setdatabase"
    with elsewhere.connect("postgres") as connection:
        row = connection.execute(cast(Any, f"select {columns} from pg_database d where datname = '{name}'")).fetchone()
        found = connection.execute(cast(Any, f"{settings} where datname = '{name}' order by 1, 2")).fetchall()
    return row, found


def test_half_a_dump_is_refused_and_leaves_the_database_in_use(elsewhere: Elsewhere) -> None:
    target, content = elsewhere.target(), elsewhere.dump()
    with pytest.raises(CommandError):
        target.fill(lambda sink: cast(None, sink.write(content[: len(content) // 2])))
    target.discard()
    assert target.tables()
    assert elsewhere.databases() == {elsewhere.database.database}


def test_a_copy_leaves_nothing_behind(elsewhere: Elsewhere) -> None:
    copy, content = elsewhere.target(scratch="_qfc_drill"), elsewhere.dump()
    assert isinstance(copy, ScratchTarget)
    copy.serve_database()
    copy.fill(lambda sink: cast(None, sink.write(content)))
    copy.swap()
    assert copy.tables() == elsewhere.target().tables()
    copy.remove()
    assert elsewhere.databases() == {elsewhere.database.database}


def test_only_the_keys_of_a_set_are_written_and_they_come_back(elsewhere: Elsewhere) -> None:
    target = elsewhere.target()
    files = {"secrets/SECRET_KEY": b"then", "deployment/.env": b"SECRET_KEY=then\nQFIELDCLOUD_HOST=other\n"}
    for _ in range(2):  # a restore that was killed is done again
        target.configure(files, settings=True)
    assert elsewhere.settings.values() == {"SECRET_KEY": "then", "QFIELDCLOUD_HOST": "field.example.org"}
    assert elsewhere.records.read_text(BEFORE) == ENV
    for _ in range(2):
        target.configure_back()
    assert elsewhere.settings.text() == ENV
    with pytest.raises(DamagedError, match="no SECRET_KEY"):
        target.configure({}, settings=True)
