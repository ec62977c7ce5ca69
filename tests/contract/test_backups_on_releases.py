"""A set of every release: what its rows name in the file stores is found, in the database and in its dump."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, cast

import pytest

from conditions_world import keeps_files, store
from qfc.drivers.backups.deployment import DeploymentSnapshot
from qfc.drivers.backups.deployment_objects import DeploymentObjects
from qfc.drivers.backups.deployment_target import DeploymentRestoreTarget, Server
from qfc.drivers.backups.dumps import read_dump
from qfc.drivers.backups.programs import output_of
from qfc.drivers.backups.snapshot import snapshot_of
from qfc.drivers.postgres_server import Endpoint, connect, locate
from qfc.stack.backup_set import DumpContent, Reference
from queue_world import OFFICIAL, DatabaseWorld, before
from recorded import RECORDED
from shared_database import NODE, SharedDatabases
from twins import MemoryObjectStore


@pytest.fixture(params=(NODE, *OFFICIAL))
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def name_things(world: DatabaseWorld, project: str) -> dict[str, bytes]:
    """Let rows name objects, as far as the release has such columns; return the objects."""
    named: dict[str, bytes] = {}
    if not world.has_leases:
        world.subscribe("alice")
    if keeps_files(world):
        store(world, project, "DCIM/a tree\\1.jpg", 9)
        named[f"projects/{project}/files/DCIM/a tree\\1.jpg"] = b"a picture"
    for table, columns, key in (
        ("project", ("thumbnail", "thumbnail_uri"), f"projects/{project}/meta/thumbnail.png"),
        ("account", ("avatar", "avatar_uri"), "users/alice/avatar.png"),
    ):
        column = next((one for one in columns if world.has_column(table, one)), None)
        if column is not None and not (table == "account" and world.has_leases):
            world.tables.change(table, {}, **{column: key})
            named[key] = b"small picture"
    return named


def snapshot_and_dump(endpoint: Endpoint, objects: MemoryObjectStore) -> tuple[list[Reference], Any, DumpContent]:
    def program(words: Sequence[str]) -> AbstractContextManager[BinaryIO]:
        variables = {"PGHOST": endpoint.host, "PGPORT": str(endpoint.port), "PGUSER": endpoint.user}
        variables |= {"PGPASSWORD": endpoint.password, "PGDATABASE": endpoint.database}
        return output_of([locate().program(words[0]), *words[1:], "--schema=public"], variables)

    with snapshot_of(lambda: connect(endpoint), program) as database:
        snapshot = DeploymentSnapshot(database, DeploymentObjects(lambda: {"default": objects}))
        with snapshot.dump() as dump:
            content = dump.read()
        references = list(snapshot.references())
        assert snapshot.still_named([one.name for one in references]) >= {
            one.name for one in references if one.sha256 or "meta" in one.name
        }
    return references, snapshot.facts, read_dump([locate().program("pg_restore")], lambda sink: _write(sink, content))


def _write(sink: BinaryIO, content: bytes) -> None:
    sink.write(content)


def test_everything_that_rows_name_is_found(kind: str, shared_databases: SharedDatabases) -> None:
    world = shared_databases.world(kind)
    project = world.project("survey")
    named = name_things(world, project)
    objects = MemoryObjectStore()
    for key, content in named.items():
        objects.put(key, io.BytesIO(content))
    objects.put(f"projects/{project}/files/of-the-store-alone.gpkg", io.BytesIO(b"legacy"))
    references, facts, dump = snapshot_and_dump(shared_databases.endpoint(kind), objects)
    found = {one.name: one for one in references}
    assert set(named) <= set(found)
    assert dump.references <= set(found)
    assert dump.tables == facts.tables
    # Releases without tables of files have them in the store alone.
    assert (f"projects/{project}/files/of-the-store-alone.gpkg" in found) == (not keeps_files(world))
    if kind != NODE:
        assert all(one.place is not None for one in references)
        assert [one.place.store for one in references if one.place] == ["default"] * len(references)


@pytest.fixture
def official(request: pytest.FixtureRequest, shared_databases: SharedDatabases) -> DatabaseWorld:
    """A database of an official release whose files are found by rows."""
    world = shared_databases.world(request.param)
    if not (world.has_column("file_version", "sha256sum") and world.has_column("project", "file_storage")):
        pytest.skip("the files of this release are not found by rows")
    world.person("bob")
    return world


def written_by_jobs(shared_databases: SharedDatabases, kind: str, since: float) -> dict[str, list[bool]]:
    """Return for each file, by version, whether a job wrote it."""
    endpoint = shared_databases.endpoint(kind)
    server = Server(endpoint.database, lambda _: connect(endpoint), cast(Any, None), lambda: None)
    target = DeploymentRestoreTarget(cast(Any, None), server, cast(Any, None), cast(Any, None), cast(Any, None))
    found: dict[str, list[bool]] = {}
    for one in target.files_since(before(since)):
        found.setdefault(one.name, []).append(one.by_job)
    return found


on_official = pytest.mark.parametrize(
    ("official", "kind"), [(one, one) for one in (*OFFICIAL, *RECORDED)], indirect=["official"]
)


@on_official
def test_files_of_devices_are_told_from_those_of_jobs(
    official: DatabaseWorld, kind: str, shared_databases: SharedDatabases
) -> None:
    """What a job wrote is written again with the edits; what a person sent meanwhile would be lost by a restore."""
    project = official.project("survey")
    old = ("trees.gpkg", "roads.gpkg", "gone.gpkg", "survey.qgs", "DCIM/old.jpg")
    for name in old:
        store(official, project, name, 9, made=60)
    official.job(project, "finished", type="delta_apply", made=30, started=29, ended=27)
    store(official, project, "trees.gpkg", 9, made=28, by="alice")
    store(official, project, "trees.gpkg", 9, made=26, by="alice")
    store(official, project, "roads.gpkg", 9, made=28, by="bob")
    store(official, project, "gone.gpkg", 9, made=28)
    for name in ("survey.qgs", "DCIM/old.jpg", "DCIM/during.jpg", "new.gpkg"):
        store(official, project, name, 9, made=28, by="alice")
    newer = written_by_jobs(shared_databases, kind, since=40)
    assert newer.pop("trees.gpkg") == [True, False]
    sent = (*old[1:], "DCIM/during.jpg", "new.gpkg")
    assert {name: newer[name] for name in sent} == {name: [False] for name in sent}


@on_official
def test_a_job_whose_worker_was_killed_covers_no_later_files(
    official: DatabaseWorld, kind: str, shared_databases: SharedDatabases
) -> None:
    """Its row says later, or never, that it ended, and an official server does not note when the row was changed."""
    statuses = ("queued", "started", "failed")
    for status in statuses:
        project = official.project(f"survey-{status}")
        store(official, project, f"{status}.gpkg", 9, made=60)
        job = official.job(project, status, type="delta_apply", made=50, started=49)
        official.tables.change("job", {"id": job}, docker_started_at=before(48))
        if status == "failed":
            official.tables.change("job", {"id": job}, finished_at=before(1))
        store(official, project, f"{status}.gpkg", 9, made=39, by="alice")
        store(official, project, f"{status}.gpkg", 9, made=37, by="alice")
    newer = written_by_jobs(shared_databases, kind, since=55)
    assert {status: newer[f"{status}.gpkg"] for status in statuses} == {status: [True, False] for status in statuses}
