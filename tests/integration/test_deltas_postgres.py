"""Deltas on tables of a real PostgreSQL server.

The tests' server has no PostGIS. A text type of the same name and a table in place of its catalogue stand in for it:
this shows the sent values (hexadecimal EWKB), but not how PostGIS stores them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import shapely

from delta_world import World, create, patch, remove
from qfc.drivers.postgres_server import Endpoint, connect

TABLES = """
    CREATE DOMAIN geometry AS text;
    CREATE TABLE geometry_columns (
        f_table_schema text, f_table_name text, f_geometry_column text, coord_dimension int, srid int, type text
    );
    CREATE SCHEMA field;
    CREATE TYPE field.mood AS ENUM ('good', 'bad');
    CREATE TABLE field."Tre es" (
        id serial PRIMARY KEY, name varchar(5) UNIQUE, height int CHECK (height > 0), weight numeric(8, 3),
        seen timestamptz, day date, alive bool NOT NULL DEFAULT true, tags text[], notes jsonb, mood field.mood,
        photo bytea, code uuid, double int GENERATED ALWAYS AS (height * 2) STORED, geom geometry
    );
    INSERT INTO geometry_columns VALUES ('field', 'Tre es', 'geom', 3, 2056, 'MULTIPOINT');
    INSERT INTO field."Tre es" (name, height, weight, seen, day, tags, notes, mood, code) VALUES
        ('oak', 10, 1.5, '2024-05-01T10:00:00Z', '2024-05-01', '{a,b}', '{"x": [1]}', 'good',
         '6b1e1b1e-0000-4000-8000-000000000001'),
        ('elm', 20, null, null, null, null, null, null, null);
    CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE nameless (a int);
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (
        id text PRIMARY KEY, parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED
    );
"""


@pytest.fixture
def remote(postgres_server: Endpoint) -> Iterator[Endpoint]:
    """A database with tables of trees."""
    name = f"field_{uuid.uuid4().hex[:12]}"
    with connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    endpoint = replace(postgres_server, database=name)
    with connect(endpoint, autocommit=True) as connection:
        connection.execute(TABLES)
    yield endpoint
    with connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def world(remote: Endpoint, tmp_path: Path) -> World:
    world = World(tmp_path)
    reach = f"dbname='{remote.database}' host='{remote.host}' port='{remote.port}' user='{remote.user}'"
    reach += f" password='{remote.password}'"
    world.add_layer("trees", f'{reach} key=\'id\' srid=2056 table="field"."Tre es" (geom) sql=height > 5', "postgres")
    for table in ("pairs", "nameless", "child", "gone"):
        world.add_layer(table, f'{reach} table="public"."{table}"', "postgres")
    world.add_layer("query", f"{reach} key='id' table=\"(select 1 as id)\"", "postgres")
    world.add_layer(
        "elsewhere", "dbname='x' host='127.0.0.1' port='1' user='u' password='hunter2' table=\"t\"", "postgres"
    )
    world.add_layer("login", "authcfg=abc1234 dbname='x' table=\"t\"", "postgres")
    return world


def rows(remote: Endpoint, columns: str = "id, name, height") -> list[tuple[object, ...]]:
    with connect(remote) as connection:
        return connection.execute(f'SELECT {columns} FROM field."Tre es" ORDER BY id').fetchall()


def test_edits_of_all_methods_arrive(world: World, remote: Endpoint) -> None:
    report = world.apply(
        create(900, "PointZ (1 2 3)", name="ash", height=5, fid=900),
        patch(1, {"height": 11}, {"height": 10, "name": "oak"}, wkt="MultiPointZ ((4 5 6))"),
        patch(900, {"name": "asp"}, {"name": "ash"}),
        remove(2, {"name": "elm"}),
    )
    assert [(outcome.status, outcome.modified_pk) for outcome in report.outcomes] == [
        ("applied", "3"),
        ("applied", "1"),
        ("applied", "3"),
        ("applied", "2"),
    ]
    assert report.changed_files == frozenset()
    assert rows(remote) == [(1, "oak", 11), (3, "asp", 5)]
    shapes = [shapely.from_wkb(str(geometry)) for (geometry,) in rows(remote, "geom")]
    assert [shape.wkt for shape in shapes] == ["MULTIPOINT Z ((4 5 6))", "MULTIPOINT Z ((1 2 3))"]
    assert {shapely.get_srid(shape) for shape in shapes} == {2056}


def test_values_of_all_kinds(world: World, remote: Endpoint) -> None:
    old = {
        "weight": 1.5,
        "seen": "2024-05-01T12:00:00.000+02:00",
        "day": "2024-05-01",
        "alive": True,
        "tags": ["a", "b"],
        "notes": {"x": [1]},
        "mood": "good",
        "code": "6b1e1b1e-0000-4000-8000-000000000001",
        "double": 20,
    }
    new = {
        "weight": 2.25,
        "seen": "2025-01-01T00:00:00Z",
        "day": None,
        "alive": False,
        "tags": ["c"],
        "notes": [1, None],
        "mood": "bad",
        "photo": "AAE=",
        "code": "6b1e1b1e-0000-4000-8000-000000000002",
    }
    refused = world.apply_one(patch(1, {**new, "double": 77}, old))
    assert (refused.status, "double" in refused.feedback["msg"]) == ("not_applied", True)
    assert world.apply_one(patch(1, new, old)).status == "applied"
    columns = "weight::float, seen at time zone 'utc' = '2025-01-01', day, alive, tags, notes, mood, photo, double"
    [first, _] = rows(remote, columns)
    assert first == (2.25, True, None, False, ["c"], [1, None], "bad", b"\0\1", 20)
    assert world.apply_one(patch(1, new, old)).status == "conflict"
    assert world.apply_one(patch(1, {"tags": "{x,y}"}, {"tags": ["c"], "notes": [1, None]})).status == "applied"
    assert rows(remote, "tags")[0] == (["x", "y"],)


def test_one_bad_delta_leaves_the_others(world: World, remote: Endpoint) -> None:
    report = world.apply(
        patch(1, {"height": -1}),
        create(50, None, name="oak"),
        create(51, None, name="longer"),
        patch(1, {"mood": "sad"}),
        patch("no number", {"height": 1}),
        patch(77, {"height": 1}),
        create(52, "LineString (0 0, 1 1)"),
        create("d", None, layer="child", id="d", parent=99),
        patch(1, {"height": 12}),
        create(1, None, id=1, name="new"),
    )
    assert [outcome.status for outcome in report.outcomes] == [*["not_applied"] * 8, "applied", "applied"]
    assert "check constraint" in report.outcomes[0].feedback["provider_errors"][0]
    assert "unique" in report.outcomes[1].feedback["provider_errors"][0]
    assert '"name"' in report.outcomes[2].feedback["msg"]
    assert "Unable to find feature" in report.outcomes[4].feedback["msg"]
    assert "foreign key" in report.outcomes[7].feedback["provider_errors"][0]
    assert rows(remote)[0] == (1, "oak", 12)
    assert rows(remote)[2][1:] == ("new", None)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("pairs", "Composite"),
        ("nameless", "has no primary key"),
        ("gone", "no editable table"),
        ("query", "query"),
        ("elsewhere", "cannot be reached"),
        ("login", "authentication configuration"),
    ],
)
def test_layers_that_cannot_be_edited_say_why(world: World, layer: str, words: str) -> None:
    report = world.apply(remove(1, layer=layer), remove(2))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied", "applied"]
    assert words in report.outcomes[0].feedback["msg"]
    assert "hunter2" not in str(report)


def test_a_lost_connection_takes_back_what_it_held(world: World, remote: Endpoint) -> None:
    with connect(remote, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION cut() RETURNS trigger AS"
            " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN new; END $$ LANGUAGE plpgsql"
        )
        cut = 'CREATE TRIGGER cut BEFORE UPDATE ON field."Tre es" FOR EACH ROW WHEN (new.height = 666)'
        connection.execute(psycopg.sql.SQL("{} EXECUTE FUNCTION cut()").format(psycopg.sql.SQL(cut)))
    report = world.apply(patch(1, {"height": 11}), patch(2, {"height": 666}), patch(2, {"height": 12}))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied"] * 3
    assert rows(remote) == [(1, "oak", 10), (2, "elm", 20)]
