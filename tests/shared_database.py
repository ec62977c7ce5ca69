"""A database that many tests use one after the other: each finds its initial rows in it, and alice.

Cloning a database or truncating its tables takes a quarter of a second, deleting the rows of a test a few
milliseconds. Tests that change tables need their own database.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg

from qfc.drivers.postgres_server import Endpoint, connect
from queue_world import DatabaseWorld, official_schema

NODE = "node"
#: A schema outside every search path keeps the initial rows. Triggers and foreign keys are off meanwhile.
KEEP = """
set lock_timeout = '10s';
create schema kept;
do $$ declare name text; has_rows boolean; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop
        execute format('select exists (select from public.%I)', name) into has_rows;
        if has_rows then execute format('create table kept.%I as table public.%I', name, name); end if;
    end loop;
end $$;
create function kept.restore() returns void language plpgsql as $$ declare name text; begin
    set local session_replication_role = replica;
    for name in select tablename from pg_tables where schemaname = 'public' loop
        execute format('delete from public.%I', name);
    end loop;
    for name in select tablename from pg_tables where schemaname = 'kept' loop
        execute format('insert into public.%I select * from kept.%I', name, name);
    end loop;
end $$
"""
#: Selects a row if a fault has changed settings of this database.
SETTINGS = """
select 1 from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase
where d.datname = current_database()
"""


class SharedDatabase:
    """One database with open connections."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection: psycopg.Connection = connect(endpoint, autocommit=True)
        self._connection.execute(KEEP)
        self._world = DatabaseWorld(lambda: connect(endpoint))

    def world(self) -> DatabaseWorld:
        """Return the world, for the next test."""
        self.restore()
        self._world.person("alice")
        return self._world

    def restore(self) -> None:
        """Restore the initial rows."""
        if self._connection.execute(SETTINGS).fetchone():
            self._connection.execute(f"alter database {self.endpoint.database} reset all")
            self._world.forget()
        self._connection.execute("select kept.restore()")

    def close(self) -> None:
        """Close every connection."""
        self._world.close()
        self._connection.close()


class SharedDatabases:
    """One database per kind, created at its first use: the node's, or that of an official release."""

    def __init__(self, template: Endpoint) -> None:
        self._template = template
        self._made: dict[str, SharedDatabase] = {}

    def world(self, kind: str = NODE) -> DatabaseWorld:
        """Return the world of a kind, for the next test."""
        return self._of(kind).world()

    def endpoint(self, kind: str = NODE) -> Endpoint:
        """Return the endpoint of a kind's database."""
        return self._of(kind).endpoint

    def restore(self, kind: str) -> None:
        """Empty the database of a kind, for a test that creates its own world."""
        self._of(kind).restore()

    def close(self) -> None:
        """Close every connection; the server ends with the run."""
        for one in self._made.values():
            one.close()

    def _of(self, kind: str) -> SharedDatabase:
        if kind not in self._made:
            self._made[kind] = SharedDatabase(self._make(kind))
        return self._made[kind]

    def _make(self, kind: str) -> Endpoint:
        made = replace(self._template, database=f"shared_{kind}")
        template = self._template.database if kind == NODE else "template0"
        with connect(replace(self._template, database="postgres"), autocommit=True) as connection:
            connection.execute(f"create database {made.database} template {template}")
        if kind != NODE:
            with connect(made, autocommit=True) as connection:
                connection.execute(official_schema(kind))
        return made
