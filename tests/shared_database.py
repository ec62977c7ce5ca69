"""A database that many tests use, one after the other: each finds in it the rows that it was made with, and alice.

To clone a database, or to truncate its tables, takes a quarter of a second; to delete the rows of a test a few
milliseconds. What changes tables needs a database of its own.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg

from qfc.drivers.postgres_server import Endpoint, connect
from queue_world import DatabaseWorld, official_schema

NODE = "node"
#: The rows of before are kept in a schema that is on nobody's path. Triggers and foreign keys sleep meanwhile.
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
#: What a fault may have told this database.
SETTINGS = """
select 1 from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase
where d.datname = current_database()
"""


class SharedDatabase:
    """One database, with connections that are kept."""

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
        """Let the rows be those that it was made with."""
        if self._connection.execute(SETTINGS).fetchone():
            self._connection.execute(f"alter database {self.endpoint.database} reset all")
            self._world.forget()
        self._connection.execute("select kept.restore()")

    def close(self) -> None:
        """Close every connection."""
        self._world.close()
        self._connection.close()


class SharedDatabases:
    """A database a kind, made when it is first asked for: the node's, or that of an official release."""

    def __init__(self, template: Endpoint) -> None:
        self._template = template
        self._made: dict[str, SharedDatabase] = {}

    def world(self, kind: str = NODE) -> DatabaseWorld:
        """Return the world of a kind, for the next test."""
        return self._of(kind).world()

    def endpoint(self, kind: str = NODE) -> Endpoint:
        """Return where the database of a kind is."""
        return self._of(kind).endpoint

    def restore(self, kind: str) -> None:
        """Empty the database of a kind, for a test that makes a world of its own."""
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
