"""Each edit arrives exactly once in somebody's PostgreSQL database, if we may keep a table there."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from delta_world import World, create, patch, remove
from gis_samples import layer_xml, project_xml
from node import Node
from postgis_world import ForgetfulRoute, reach
from qfc.drivers.postgres_server import Endpoint, connect
from worker_world import World as Queue
from worker_world import finished, wait_until

TABLE = """
    CREATE TABLE trees (id serial PRIMARY KEY, name text, height int);
    INSERT INTO trees (name, height) VALUES ('oak', 10), ('elm', 20);
"""


@pytest.fixture
def table(remote: Endpoint) -> Endpoint:
    """A database with two trees."""
    with connect(remote, autocommit=True) as connection:
        connection.execute(TABLE)
    return remote


def world_of(folder: Path, address: str) -> World:
    """A project with the layer of trees."""
    world = World(folder)
    world.add_layer("trees", f"{address} key='id' table=\"trees\"", "postgres")
    return world


def trees(remote: Endpoint) -> list[tuple[object, ...]]:
    with connect(remote) as connection:
        return connection.execute("SELECT id, name, height FROM trees ORDER BY id").fetchall()


def recorded(remote: Endpoint) -> dict[str, str]:
    with connect(remote) as connection:
        return dict(connection.execute("SELECT delta::text, feature FROM qfc_node.applied_deltas").fetchall())


def test_the_same_deltas_again_change_nothing(tmp_path: Path, table: Endpoint) -> None:
    world = world_of(tmp_path, reach(table))
    deltas = [
        create(900, None, name="ash", height=5),
        patch(900, {"height": 6}, {"height": 5}),
        patch(1, {"height": 11}, {"height": 10}),
        patch(1, {"height": 99}, {"height": 10}),
        remove(2, {"name": "elm"}),
    ]
    first, second = world.apply(*deltas), world.apply(*deltas)
    assert trees(table) == [(1, "oak", 11), (3, "ash", 6)]
    for report in (first, second):
        told = [(outcome.status, outcome.modified_pk) for outcome in report.outcomes]
        assert told == [("applied", "3"), ("applied", "3"), ("applied", "1"), ("conflict", None), ("applied", "2")]
    assert first.outcomes[0].feedback["msg"] == "Successfully applied delta!"
    assert "by an earlier job" in second.outcomes[0].feedback["msg"]
    assert recorded(table) == {deltas[0].id: "3", deltas[1].id: "3", deltas[2].id: "1", deltas[4].id: "2"}


ROLE = """
    CREATE ROLE {role} LOGIN PASSWORD 'role-password';
    GRANT SELECT, INSERT, UPDATE, DELETE ON trees TO {role};
    GRANT USAGE ON SEQUENCE trees_id_seq TO {role};
    REVOKE CREATE ON DATABASE {database} FROM PUBLIC;
"""
GRANTED = """
    CREATE SCHEMA qfc_node;
    CREATE TABLE qfc_node.applied_deltas (
        delta uuid PRIMARY KEY, feature text, applied_at timestamptz NOT NULL DEFAULT now()
    );
    GRANT USAGE ON SCHEMA qfc_node TO {role};
    GRANT SELECT, INSERT, UPDATE ON qfc_node.applied_deltas TO {role};
"""


@pytest.fixture
def role(table: Endpoint) -> Iterator[str]:
    """A login that may edit the trees and nothing else."""
    name = f"{table.database}_role"
    with connect(table, autocommit=True) as connection:
        connection.execute(ROLE.format(role=name, database=table.database))
        yield name
        connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def address_of(role: str, remote: Endpoint) -> str:
    return reach(remote).split(" user=")[0] + f" user='{role}' password='role-password'"


def test_a_login_that_may_not_create_the_table_is_told(tmp_path: Path, table: Endpoint, role: str) -> None:
    world = world_of(tmp_path, address_of(role, table))
    outcome = world.apply_one(create(900, None, name="ash"))
    assert outcome.status == "applied"
    assert "qfc_node.applied_deltas is missing" in outcome.feedback["msg"]
    assert "may apply an edit twice" in outcome.feedback["msg"]
    with connect(table, autocommit=True) as connection:
        connection.execute(GRANTED.format(role=role))
    delta = create(901, None, name="fir")
    assert world.apply_one(delta).feedback["msg"] == "Successfully applied delta!"
    assert world.apply_one(delta).modified_pk == "4"
    assert [name for _, name, _ in trees(table)] == ["oak", "elm", "ash", "fir"]


def test_a_worker_that_applies_the_same_delta_at_the_same_time_is_waited_for(tmp_path: Path, table: Endpoint) -> None:
    world = world_of(tmp_path, reach(table))
    world.apply(patch(1, {"height": 11}))
    delta = create(900, None, name="ash")
    with connect(table) as other:
        other.execute("INSERT INTO qfc_node.applied_deltas (delta, feature) VALUES (%s, '77')", (delta.id,))
        commit = threading.Timer(1, other.commit)
        commit.start()
        began = time.monotonic()
        outcome = world.apply_one(delta)
        commit.join()
    assert time.monotonic() - began > 0.9
    assert (outcome.status, outcome.modified_pk) == ("applied", "77")
    assert len(trees(table)) == 2


def test_a_commit_whose_answer_is_lost_counts(tmp_path: Path, table: Endpoint, short_folder: Path) -> None:
    folder = short_folder / uuid.uuid4().hex[:8]
    folder.mkdir()
    with ForgetfulRoute(table, folder) as route:
        world = world_of(tmp_path, reach(table, route.host))
        outcome = world.apply_one(patch(1, {"height": 11}, {"height": 10}))
        assert (outcome.status, route.cuts) == ("applied", 1), outcome.feedback
    assert trees(table)[0] == (1, "oak", 11)


def test_a_worker_killed_between_the_two_commits_applies_nothing_twice(
    node_database: Endpoint, node_folder: Path, table: Endpoint
) -> None:
    from qfc_node.core.models import Delta

    with Node(node_database, node_folder) as node:
        queue = Queue(node)
        address = reach(table, "127.0.0.1")  # jobs reach no local socket
        layer = layer_xml("trees", f"{address} key='id' table=\"trees\"", provider="postgres")
        queue.upload("project.qgs", project_xml([layer]).encode())
        job = queue.push(1)
        content = create(900, None, name="ash").content
        Delta.objects.update(content={**content, "uuid": str(Delta.objects.get().pk)})
        with connect(node_database) as held, connect(table) as busy:
            busy.execute("LOCK TABLE trees")
            worker = node.start_worker()
            wait_until(finished(job, "started"), queue)
            held.execute("SELECT 1 FROM core_project FOR UPDATE")  # the job's own commit waits for this
            busy.rollback()
            wait_until(lambda: len(trees(table)) == 3, queue)
            worker.kill()
            worker.wait()
            held.rollback()
        node.start_worker()
        wait_until(finished(job, "finished"), queue)
        delta = Delta.objects.get()
        assert (delta.last_status, delta.last_modified_pk) == ("applied", "3"), delta.last_feedback
        assert "by an earlier job" in (delta.last_feedback or {})["msg"]
    assert trees(table)[2:] == [(3, "ash", None)]
