"""Deltas on tables of a real PostgreSQL server with PostGIS."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import shapely

from delta_world import World, create, patch, remove
from postgis_world import reach
from qfc.drivers.postgres_server import Endpoint, connect

TABLES = """
    CREATE SCHEMA field;
    CREATE TYPE field.mood AS ENUM ('good', 'bad');
    CREATE TABLE field."Tre es" (
        id serial PRIMARY KEY, name varchar(5) UNIQUE, height int CHECK (height > 0), weight numeric(8, 3),
        seen timestamptz, day date, alive bool NOT NULL DEFAULT true, tags text[], notes jsonb, mood field.mood,
        photo bytea, code uuid, double int GENERATED ALWAYS AS (height * 2) STORED, geom gis.geometry(MultiPointZ, 2056)
    );
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
def world(remote: Endpoint, tmp_path: Path) -> World:
    """A project with layers on the tables of trees."""
    with connect(remote, autocommit=True) as connection:
        connection.execute(TABLES)
    world = World(tmp_path)
    world.add_layer(
        "trees", f'{reach(remote)} key=\'id\' srid=2056 table="field"."Tre es" (geom) sql=height > 5', "postgres"
    )
    for table in ("pairs", "nameless", "child", "gone"):
        world.add_layer(table, f'{reach(remote)} table="public"."{table}"', "postgres")
    world.add_layer("query", f"{reach(remote)} key='id' table=\"(select 1 as id)\"", "postgres")
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


KINDS = """
    CREATE EXTENSION hstore;
    CREATE TYPE mood AS ENUM ('good', 'it''s "bad"');
    CREATE DOMAIN code AS varchar(3) CHECK (value <> 'bad');
    CREATE DOMAIN short_code AS code;
    CREATE TABLE kinds (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code short_code, moods mood[], grid int[], days date[],
        pairs hstore, fixed char(4), moment timestamp, wide float8, span int4range, doc json
    );
    INSERT INTO kinds (code, moods, grid, days, pairs, fixed, moment, wide, span, doc) VALUES (
        'abc', '{good,NULL}', '{{1,2},{3,4}}', '{2024-05-01}', 'a=>1, b=>NULL', 'xy', '2024-05-01 10:00:00.5', 'NaN',
        '[1,5)', '{"x": [5]}'
    );
"""


def test_kinds_of_columns_that_only_postgresql_has(world: World, remote: Endpoint) -> None:
    with connect(remote, autocommit=True) as connection:
        connection.execute(KINDS)
        connection.execute(f"ALTER DATABASE {remote.database} SET timezone TO 'Asia/Tokyo'")
    old = {
        "code": "abc",
        "moods": ["good", None],
        "grid": [[1, 2], [3, 4]],
        "days": ["2024-05-01"],
        "pairs": {"a": "1", "b": None},
        "fixed": "xy",
        "moment": "2024-05-01T10:00:00.500",
        "wide": None,
        "span": "[1,5)",
        "doc": {"x": [5]},
    }
    new = {
        "code": "xyz",
        "moods": ['it\'s "bad"', None],
        "grid": [[5], [6]],
        "days": [],
        "pairs": {'q"': "\\", "n": None},
        "fixed": "z",
        "moment": "2025-01-01T01:00:00Z",
        "span": "empty",
        "doc": {"a": ["b"]},
    }
    world.add_layer("kinds", f'{reach(remote)} key=\'id\' table="public"."kinds"', "postgres")
    outcome = world.apply_one(patch(1, new, old, layer="kinds"))
    assert (outcome.status, outcome.feedback["conflicts"]) == ("applied", None), outcome.feedback
    assert world.apply_one(patch(1, {}, new, layer="kinds")).status == "applied"
    columns = "code, moods::text[], grid, days, pairs::json, fixed, moment::text, span::text, doc"
    with connect(remote) as connection:
        row = connection.execute(f"SELECT {columns} FROM kinds").fetchone()
    assert row == (
        *("xyz", ['it\'s "bad"', None], [[5], [6]], [], {'q"': "\\", "n": None}),
        *("z   ", "2025-01-01 01:00:00", "empty", {"a": ["b"]}),
    )
    refused = [{"code": "bad"}, {"code": "long"}, {"moods": ["sad"]}, {"grid": "x"}, {"grid": [[1], [2, 3]]}]
    report = world.apply(*(patch(1, change, layer="kinds") for change in refused))
    assert [outcome.status for outcome in report.outcomes] == ["not_applied"] * len(refused)
    report = world.apply(create(7, None, layer="kinds", code="new"), patch(7, {"fixed": "q"}, layer="kinds"))
    assert [outcome.modified_pk for outcome in report.outcomes] == ["2", "2"]


def test_names_with_signs_that_mean_something(world: World, remote: Endpoint) -> None:
    with connect(remote, autocommit=True) as connection:
        connection.execute('CREATE TABLE "t%b" ("i%d" serial PRIMARY KEY, "cover %" int, "a""b" text, "{}" text)')
        connection.execute('INSERT INTO "t%b" ("cover %") VALUES (1)')
    world.add_layer("signs", f'{reach(remote)} key=\'i%d\' table="public"."t%b"', "postgres")
    report = world.apply(
        patch(1, {"cover %": 5, 'a"b': "%s", "{}": "{0}"}, {"cover %": 1}, layer="signs"),
        create(9, None, layer="signs", **{"cover %": 7}),
        remove(2, layer="signs"),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied"] * 3, report
    with connect(remote) as connection:
        assert connection.execute('SELECT * FROM "t%b"').fetchall() == [(1, 5, "%s", "{0}")]


SHAPES = """
    CREATE TABLE shapes (
        id serial PRIMARY KEY,
        shape gis.geometry, arc gis.geometry(CurvePolygonZM, 2056), place gis.geography(Point)
    );
    INSERT INTO shapes DEFAULT VALUES;
"""


@pytest.mark.parametrize(
    ("column", "wkt", "srid", "expected"),
    [
        ("shape", "MultiCurve Z (CompoundCurve Z (CircularString Z (0 0 1, 1 1 2, 2 0 3), (2 0 3, 3 0 4)))", 0, ""),
        ("shape", "PointM (1 2 3)", 0, "POINT M (1 2 3)"),
        ("shape", "TinZ (((0 0 1, 0 1 1, 1 1 1, 0 0 1)))", 0, "TIN Z (((0 0 1,0 1 1,1 1 1,0 0 1)))"),
        ("shape", "GeometryCollection (Point (1 1), LineString (0 0, 1 1))", 0, ""),
        ("shape", "Point EMPTY", 0, "POINT EMPTY"),
        ("arc", "CurvePolygon ZM (CircularString ZM (0 0 1 9, 1 1 1 9, 2 0 1 9, 1 -1 1 9, 0 0 1 9))", 2056, ""),
        ("place", "PointZ (7.5 46.5 400)", 4326, "POINT(7.5 46.5)"),
    ],
)
def test_geometries_of_every_type(
    world: World, remote: Endpoint, column: str, wkt: str, srid: int, expected: str
) -> None:
    with connect(remote, autocommit=True) as connection:
        connection.execute(SHAPES)
    world.add_layer("shapes", f'{reach(remote)} key=\'id\' table="public"."shapes" ({column})', "postgres")
    assert world.apply_one(patch(1, {}, layer="shapes", wkt=wkt)).status == "applied"
    with connect(remote) as connection:
        query = f"SELECT gis.ST_AsText({column}), gis.ST_SRID({column}::gis.geometry) FROM shapes"
        text, number = connection.execute(query).fetchone() or ("", 0)
    assert text.replace(" ", "") == (expected or wkt.upper()).replace(" ", "")
    assert number == srid


def test_a_new_geometry_gets_the_coordinate_system_of_the_layer_or_of_its_neighbours(
    world: World, remote: Endpoint
) -> None:
    with connect(remote, autocommit=True) as connection:
        connection.execute("CREATE TABLE named (id serial PRIMARY KEY, geom gis.geometry)")
        connection.execute("CREATE TABLE neighbours (id serial PRIMARY KEY, geom gis.geometry)")
        connection.execute("INSERT INTO neighbours (geom) VALUES (null), ('SRID=2056;POINT (1 1)')")
    for table, srid in (("named", "srid=2056"), ("neighbours", "")):
        world.add_layer(table, f'{reach(remote)} key=\'id\' {srid} table="public"."{table}" (geom)', "postgres")
        assert world.apply_one(create(9, "Point (2 2)", layer=table)).status == "applied"
        with connect(remote) as connection:
            query = psycopg.sql.SQL("SELECT gis.ST_SRID(geom) FROM {} ORDER BY id DESC LIMIT 1")
            assert connection.execute(query.format(psycopg.sql.Identifier(table))).fetchall() == [(2056,)]


RULES = """
    CREATE VIEW tall AS SELECT id, name, height FROM field."Tre es" WHERE height > 5;
    CREATE VIEW doubled AS SELECT 1 AS id, name FROM field."Tre es";
    CREATE VIEW counted AS SELECT count(*) AS id FROM field."Tre es";
    CREATE ROLE {role};
    GRANT USAGE ON SCHEMA field TO {role};
    GRANT SELECT ON ALL TABLES IN SCHEMA field, public TO {role};
    CREATE TABLE policed (id int PRIMARY KEY, name text);
    INSERT INTO policed VALUES (1, 'a'), (2, 'b');
    GRANT SELECT, UPDATE, DELETE ON policed TO {role};
    ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
    CREATE POLICY reading ON policed FOR SELECT USING (true);
    CREATE POLICY writing ON policed FOR ALL USING (id = 2);
"""


def test_views_policies_and_rights(world: World, remote: Endpoint) -> None:
    role = f"{remote.database}_role"
    with connect(remote, autocommit=True) as connection:
        connection.execute(RULES.replace("{role}", role))
    named = f"{reach(remote)} session_role='{role}' key='id'"
    world.add_layer("tall", f'{reach(remote)} key=\'id\' table="public"."tall"', "postgres")
    for view in ("doubled", "counted"):
        world.add_layer(view, f'{reach(remote)} key=\'id\' table="public"."{view}"', "postgres")
    world.add_layer("policed", f'{named} table="public"."policed"', "postgres")
    world.add_layer("mine", f'{named} table="field"."Tre es"', "postgres")
    report = world.apply(
        patch(1, {"name": "asp"}, layer="tall"),
        patch(1, {"name": "x"}, layer="doubled"),
        patch(2, {"id": 3}, layer="counted"),
        patch(1, {"name": "x"}, layer="policed"),
        remove(1, layer="policed"),
        patch(2, {"name": "x"}, layer="policed"),
        create(9, None, layer="policed", id=9),
        patch(2, {"name": "x"}, layer="mine"),
    )
    with connect(remote, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    told = [(outcome.status, outcome.feedback["msg"]) for outcome in report.outcomes]
    assert [status for status, _ in told] == ["applied", *["not_applied"] * 4, "applied", *["not_applied"] * 2], told
    words = ["Several features", "may not change", "Unable to find", "Unable to find"]
    assert all(word in told[place][1] for place, word in enumerate(words, 1)), told
    assert "permission denied" in told[6][1] and "may not change" in told[7][1]
    assert rows(remote, "id, name") == [(1, "asp"), (2, "elm")]


def test_edits_are_written_in_the_role_that_a_secret_names(
    world: World, remote: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"{remote.database}_writer"
    with connect(remote, autocommit=True) as connection:
        connection.execute(f"""
            CREATE ROLE {role};
            CREATE TABLE owned (id int PRIMARY KEY, name text, by_whom text DEFAULT current_user);
            GRANT SELECT, INSERT, UPDATE ON owned TO {role};
            CREATE FUNCTION sign() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN NEW.by_whom = current_user; RETURN NEW; END';
            CREATE TRIGGER sign BEFORE UPDATE ON owned FOR EACH ROW EXECUTE FUNCTION sign();
            INSERT INTO owned VALUES (1, 'a');
        """)
    world.add_layer("owned", f"{reach(remote)} session_role='postgres' key='id' table=\"public\".\"owned\"", "postgres")
    monkeypatch.setenv("QFC_PG_EFFECTIVE_USER", role)
    report = world.apply(patch(1, {"name": "b"}, layer="owned"), patch(1, {"name": "x"}))
    with connect(remote, autocommit=True) as connection:
        ((name, by_whom),) = connection.execute("SELECT name, by_whom FROM owned").fetchall()
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert [outcome.status for outcome in report.outcomes] == ["applied", "not_applied"]
    assert (name, by_whom) == ("b", role)


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
        ("gone", "has no table"),
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
