"""A change of the names of databases that fails or is killed leaves one that people can use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from qfc.drivers.backups.restore import EmbeddedRestoreTarget
from qfc.drivers.postgres.swap import DatabaseSwap
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.errors import NoTablesError, QfcError, RefusedError


class Failing(psycopg.Connection[Any]):
    """A connection that is lost when a database is renamed."""

    def execute(self, query: Any, *args: Any, **more: Any) -> Any:  # type: ignore[override]
        if "rename" in (query.as_string(self) if hasattr(query, "as_string") else str(query)):
            raise psycopg.OperationalError("lost")
        return super().execute(query, *args, **more)


@pytest.fixture
def target(database: Endpoint, tmp_path: Any) -> EmbeddedRestoreTarget:
    layout = SimpleNamespace(blobs=tmp_path, folder=tmp_path)
    runtime = SimpleNamespace(endpoint=lambda: database, own_settings=dict[str, str], layout=layout)
    return EmbeddedRestoreTarget(cast(Any, runtime))


@pytest.fixture
def server(database: Endpoint) -> Iterator[psycopg.Connection[Any]]:
    with connect(replace(database, database="postgres"), autocommit=True) as connection:
        yield connection


def answers(database: Endpoint) -> bool:
    try:
        with connect(database) as connection:
            return connection.execute("select 1").fetchone() is not None
    except psycopg.OperationalError:
        return False


def test_a_database_is_open_after_a_rename_that_failed(database: Endpoint) -> None:
    def lossy(name: str) -> psycopg.Connection[Any]:
        return Failing.connect(host=database.host, port=database.port, user=database.user,
                               password=database.password, dbname=name)  # fmt: skip

    with pytest.raises(QfcError):
        DatabaseSwap(lossy).rename(database.database, f"{database.database}_qfc_old")
    assert answers(database)


def test_a_database_that_a_killed_change_left_closed_is_opened(
    database: Endpoint, target: EmbeddedRestoreTarget, server: psycopg.Connection[Any]
) -> None:
    server.execute(f"alter database {database.database} with allow_connections false")  # type: ignore[arg-type]
    assert not answers(database)
    target.swap_back()
    target.swap_back()
    assert answers(database)


def test_the_previous_database_comes_back_open(
    database: Endpoint, target: EmbeddedRestoreTarget, server: psycopg.Connection[Any]
) -> None:
    with connect(database, autocommit=True) as connection:
        connection.execute("create table mine ()")
    server.execute(f"create database {database.database}_qfc_new")  # type: ignore[arg-type]
    target.swap()
    assert target.tables() == {}
    target.swap_back()
    with connect(database) as connection:
        connection.execute("select from mine")


def test_an_empty_database_is_not_taken_for_a_damaged_one_nor_the_other_way(
    database: Endpoint, target: EmbeddedRestoreTarget
) -> None:
    with connect(database, autocommit=True) as connection:
        connection.execute("drop table core_delta cascade")
        with pytest.raises(QfcError, match="core_delta") as caught:
            target.tables()
        assert not isinstance(caught.value, NoTablesError)
        connection.execute("drop schema public cascade; create schema public")
        assert target.tables() == {}


def test_a_name_that_the_server_would_cut_is_refused(server: psycopg.Connection[Any], database: Endpoint) -> None:
    """The name of the copy for a drill, cut, may be that of the database in use."""
    in_use = f"{database.database}_{'x' * 63}"[:63]
    server.execute(f"create database {in_use}")  # type: ignore[arg-type]
    swap = DatabaseSwap(lambda name: connect(replace(database, database=name)))
    try:
        for change in (
            swap.drop,
            swap.create,
            lambda name: swap.rename(name, "x"),
            lambda name: swap.rename(in_use, name),
        ):
            with pytest.raises(RefusedError, match="cuts names after 63 bytes"):
                change(f"{in_use}_qfc_drill")
        assert swap.exists(in_use)
        with pytest.raises(RefusedError):
            swap.drop("é" * 32)
    finally:
        server.execute(f"drop database if exists {in_use} with (force)")  # type: ignore[arg-type]
