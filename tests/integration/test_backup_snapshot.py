"""A snapshot and the node's objects: while one is open, nothing that it refers to disappears."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from qfc.drivers.backups.dumps import read_dump
from qfc.drivers.backups.programs import output_of
from qfc.drivers.backups.snapshot import LOCK_CLASS, DatabaseSnapshot, snapshot_of
from qfc.drivers.postgres_server import Endpoint, connect, locate
from qfc.errors import CommandError

Open = Callable[[], Any]


@pytest.fixture
def open_snapshot(node_database: Endpoint) -> Open:
    def program(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        endpoint = node_database
        variables = {"PGHOST": endpoint.host, "PGPORT": str(endpoint.port), "PGUSER": endpoint.user}
        variables |= {"PGPASSWORD": endpoint.password, "PGDATABASE": endpoint.database}
        return [locate().program(argv[0]), *argv[1:]], variables

    return lambda: snapshot_of(lambda: connect(node_database), lambda words: output_of(*program(words)))


def a_file(content: bytes) -> tuple[Any, str]:
    """Store a file of a new project; return the project and the name of its object."""
    from api_world import person
    from qfc_node.core.file_versions import write_version
    from qfc_node.core.models import Project
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store

    owner = person("alice")
    project = Project.objects.create(name="survey", owner=owner)
    staged = stage()
    staged.write(content)
    blob = blob_store().adopt(staged)
    staged.close()
    write_version(project, "a.bin", blob, owner)
    return project, blob.key


def test_the_lock_is_that_of_the_node(django_ready: None) -> None:
    from qfc_node.core import blob_references

    assert blob_references.LOCK_CLASS == LOCK_CLASS


def test_what_is_deleted_meanwhile_stays_until_the_snapshot_ends(open_snapshot: Open) -> None:
    from qfc_node.core.blob_references import collect
    from qfc_node.core.file_versions import delete_file
    from qfc_node.storage.store import blob_store

    project, key = a_file(b"deleted between dump and copy")
    with open_snapshot() as snapshot:
        assert [one.sha256 for one in snapshot.references()] == [key]
        delete_file(project, "a.bin")
        assert collect([key]) == 0
        assert blob_store().exists(key)
        assert [one.sha256 for one in snapshot.references()] == [key]
        assert snapshot.still_named([key]) == frozenset()
    assert collect([key]) == 1
    assert not blob_store().exists(key)


def test_the_dump_is_of_the_moment_of_the_snapshot(open_snapshot: Open) -> None:
    project, key = a_file(b"first")
    with open_snapshot() as snapshot:
        _, later = a_file_in(project, b"later")
        content = dumped(snapshot)
    read = read_back(content)
    assert read.references == {key}
    assert later not in read.references
    assert read.tables == snapshot.facts.tables
    assert snapshot.facts.tables["filestorage_fileversion"] == 1
    assert "core.0001_initial" in snapshot.facts.migrations


OPERATORS = """
create table "Site Plan (old), v1.2" ("a ""b"", c" int, "content" text);
insert into "Site Plan (old), v1.2" values (1, 'x'), (2, 'y');
create table sensor (at int, value int) partition by range (at);
create table sensor_1 partition of sensor for values from (0) to (10);
create table sensor_2 partition of sensor for values from (10) to (20);
insert into sensor values (1, 1), (2, 2), (11, 3);
create table tree (id int);
create table oak () inherits (tree);
insert into tree values (1);
insert into oak values (2), (3);
create table nothing ();
create schema elsewhere;
create table elsewhere.core_job (id int);
insert into elsewhere.core_job values (1)
"""


def test_tables_of_the_operator_are_counted_as_the_dump_has_them(open_snapshot: Open, node_database: Endpoint) -> None:
    """A capital, a partition or an inheriting table made every set damaged."""
    with connect(node_database, autocommit=True) as connection:
        connection.execute(OPERATORS)
    with open_snapshot() as snapshot:
        read, counted = read_back(dumped(snapshot)), snapshot.facts.tables
    assert {name: rows for name, rows in read.tables.items() if "." not in name or " " in name} == counted
    expected = {"Site Plan (old), v1.2": 2, "sensor_1": 2, "sensor_2": 1, "tree": 1, "oak": 2, "nothing": 0}
    assert expected.items() <= counted.items()
    assert "sensor" not in counted
    assert read.tables["elsewhere.core_job"] == 1


def a_file_in(project: Any, content: bytes) -> tuple[Any, str]:
    from qfc_node.core.file_versions import write_version
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store

    staged = stage()
    staged.write(content)
    blob = blob_store().adopt(staged)
    staged.close()
    return write_version(project, "b.bin", blob, None), blob.key


def test_a_dump_that_is_cut_off_is_noticed_wherever(open_snapshot: Open) -> None:
    a_file(b"x")
    with open_snapshot() as snapshot:
        content = dumped(snapshot)
    for size in (0, 10, len(content) // 3, len(content) // 2, len(content) - 1):
        with pytest.raises(CommandError, match="pg_restore ended with exit code 1"):
            read_back(content[:size])


def test_a_dump_that_fails_is_not_taken_for_a_short_one(node_database: Endpoint) -> None:
    half = ["sh", "-c", "echo half; echo broken >&2; exit 3"]
    with (
        snapshot_of(lambda: connect(node_database), lambda _: output_of(half, {})) as snapshot,
        snapshot.dump() as dump,
        pytest.raises(CommandError, match="sh ended with exit code 3: broken"),
    ):
        while dump.read(100):
            pass


def dumped(snapshot: DatabaseSnapshot) -> bytes:
    content = io.BytesIO()
    with snapshot.dump() as dump:
        while chunk := dump.read(65536):
            content.write(chunk)
    return content.getvalue()


def read_back(content: bytes) -> Any:
    def write(sink: Any) -> None:
        sink.write(content)

    return read_dump([locate().program("pg_restore")], write)
