"""What releases store of a project file: its name or its row, and what is known of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from conditions_world import store
from queue_world import DatabaseWorld

FILE_COLUMNS = ("the_qgis_file_id", "the_qgis_file_name", "project_filename")
LAYER = {"qgis_layer_id": "trees_1", "name": "trees", "layer_type": 0, "is_valid": True}
POSTGRES = {"provider_name": "postgres", "datasource": "service='x' table=trees"}
FILE = {"provider_name": "ogr", "datasource": "./trees.gpkg|layername=trees"}


@pytest.fixture
def world(database_world: DatabaseWorld) -> DatabaseWorld:
    """Rows in a database of each kind."""
    return database_world


def file_column(world: DatabaseWorld) -> str:
    """Return the column of this release that leads to the project file."""
    return next(name for name in FILE_COLUMNS if world.has_column("project", name))


def described(world: DatabaseWorld, project: str, *layers: dict[str, str]) -> None:
    """Describe a project in the tables of newer releases, as `process_projectfile` does."""
    store(world, project, "survey.qgs", 400)
    (version,) = world.execute("select id from filestorage_fileversion")
    world.insert("project_qgisproject", project_id=project, file_version_id=version[0])
    for layer in layers:
        world.insert("project_qgislayer", id=str(uuid4()), qgis_project_id=project, **LAYER, **layer)


def test_a_project_with_its_file_is_well_and_one_without_has_failed(world: DatabaseWorld) -> None:
    world.project("well")
    world.tables.change("project", {"id": world.project("empty")}, **{file_column(world): None})
    status = {one.name: one.status for one in world.directory.projects()}
    assert status == {"well": "ok", "empty": "failed"}


def test_a_description_in_a_table_counts(world: DatabaseWorld) -> None:
    if not world.has_table("project_qgisproject"):
        return
    project = world.project("survey", details=None)
    assert world.directory.project(project).status == "failed"
    described(world, project)
    assert world.directory.project(project).status == "ok"


@pytest.mark.parametrize(("layer", "has_effect"), [(FILE, False), (POSTGRES, True)])
def test_layers_show_whether_a_job_may_have_changed_another_database(
    world: DatabaseWorld, layer: dict[str, str], has_effect: bool
) -> None:
    if not world.has_table("project_qgislayer"):
        return
    project = world.project("survey", details=None)
    described(world, project, layer)
    job = world.job(project, "failed", type="delta_apply", made=5, started=4, ended=3)
    world.delta(project, "error", job=job, feedback={"in_doubt": True})
    assert world.store.retry([job]).jobs == (() if has_effect else (job,))
    assert world.conditions.projects.online() == (("alice/survey",) if has_effect else ())


def test_versions_of_qgis_come_from_where_the_release_has_them(world: DatabaseWorld) -> None:
    project, version = world.project("survey"), "4.2.1"
    if world.has_column("project", "qgis_version"):
        world.tables.change("project", {"id": project}, qgis_version=version)
    elif world.has_column("project", "project_details"):
        details: dict[str, Any] = {"qgis_version": version}
        world.tables.change("project", {"id": project}, project_details=json.dumps(details))
    else:
        assert world.conditions.projects.qgis_versions() is None
        return
    assert world.conditions.projects.qgis_versions() == {"alice/survey": version}
