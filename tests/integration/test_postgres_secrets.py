"""A project whose layer names a service: the worker packages it and applies edits with the project's secrets."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from delta_world import patch
from gis_samples import layer_xml, project_xml
from node import Node
from qfc.drivers.postgres_server import Endpoint, connect
from worker_world import World, finished

TABLE = """
    CREATE TABLE trees (id serial PRIMARY KEY, name text, geom gis.geometry(Point, 2056));
    INSERT INTO trees (name, geom) VALUES ('oak', 'SRID=2056;POINT (2600000 1200000)');
"""


def test_services_and_passwords_of_the_project(
    node_database: Endpoint, node_folder: Path, remote: Endpoint, tmp_path: Path
) -> None:
    from qfc_node.core.models import Delta, Plan, Project, Secret
    from qfc_node.core.project_state import needs_repackaging
    from qfc_node.core.sealing import seal

    with connect(remote, autocommit=True) as connection:
        connection.execute(TABLE)
    service = f"[field]\nhost=127.0.0.1\nport={remote.port}\ndbname={remote.database}\nuser={remote.user}\n"
    with Node(node_database, node_folder) as node:
        world = World(node)
        for name, kind, value in (("service", "pgservice", service), ("PGPASSWORD", "envvar", remote.password)):
            Secret.objects.create(name=name, type=kind, project=world.project, created_by=world.user, value=seal(value))
        layer = layer_xml("trees", "service='field' key='id' table=\"trees\" (geom)", provider="postgres")
        world.upload("project.qgs", project_xml([layer]).encode())
        described, packaged = world.job("ProcessProjectfileJob"), world.job("PackageJob")
        node.start_worker("--single-shot").wait(timeout=120)
        assert finished(described, "finished")() and finished(packaged, "finished")(), packaged.feedback
        data = tmp_path / "data.gpkg"
        data.write_bytes(world.read_package("data.gpkg"))
        with closing(sqlite3.connect(data)) as connection:
            assert connection.execute("SELECT id, name FROM trees").fetchall() == [(1, "oak")]
        project = Project.objects.get()
        assert project.has_online_vector_data
        assert needs_repackaging(project)
        edits = world.push(1)
        content = patch(1, {"name": "elm"}, {"name": "oak"}).content
        Delta.objects.update(content={**content, "uuid": str(Delta.objects.get().pk)})
        node.start_worker("--single-shot").wait(timeout=120)
        assert finished(edits, "finished")()
        assert Delta.objects.get().last_status == "applied", Delta.objects.get().last_feedback
        Plan.objects.update(is_external_db_supported=False)
        refused = world.job("PackageJob")
        node.start_worker("--single-shot").wait(timeout=120)
        assert finished(refused, "finished")()
        assert "plan of the project's owner" in str(refused.feedback)
        assert remote.password.encode() not in world.read_package("project_qfield.qgs") + data.read_bytes()
    with connect(remote) as connection:
        assert connection.execute("SELECT name FROM trees").fetchall() == [("elm",)]
