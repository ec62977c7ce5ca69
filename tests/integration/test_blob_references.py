"""Blobs without rows: kept while a row is about to refer to them, removed by a sweep in the end."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

HOUR_S, DAY_S = 3600, 86400


@pytest.fixture
def project(node_database: Endpoint) -> Iterator[Any]:
    from api_world import person
    from qfc_node.core.models import Project

    del node_database
    yield Project.objects.create(name="survey", owner=person("alice"))


def adopt(content: bytes) -> Any:
    """Put bytes into the store that no row refers to."""
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store

    staged = stage()
    staged.write(content)
    blob = blob_store().adopt(staged)
    staged.close()
    return blob


def is_there(blob: Any) -> bool:
    from qfc_node.storage.store import blob_store

    return blob_store().exists(blob.key)


def make_old(path: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def path_of(blob: Any) -> Path:
    from qfc_node.storage.store import blob_store

    path = blob_store().local_path(blob.key)
    assert path is not None
    return path


def elsewhere(work: Callable[[], object]) -> None:
    """Run work to its end on a separate database connection."""

    def run() -> None:
        from django.db import connection

        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


# --- collecting


def test_bytes_that_somebody_is_about_to_name_are_not_collected(project: Any) -> None:
    from django.db import transaction

    from qfc_node.core.blob_references import collect, hold_blobs

    blob = adopt(b"about to be named")
    collected: list[int] = []
    with transaction.atomic():
        hold_blobs([blob])
        elsewhere(lambda: collected.append(collect([blob.key])))
    assert collected == [0]
    assert is_there(blob)
    assert collect([blob.key]) == 1
    assert not is_there(blob)


def test_bytes_that_were_named_between_the_look_and_the_lock_are_not_collected(project: Any) -> None:
    from django.db import connection

    from qfc_node.core.blob_references import collect
    from stored_files import put_file

    blob = adopt(b"named at the last moment")
    named: list[object] = []

    def name_before_the_lock(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "pg_try_advisory_xact_lock" in sql:
            elsewhere(lambda: named.append(put_file(project, "a.txt", b"named at the last moment")))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(name_before_the_lock):
        assert collect([blob.key]) == 0
    assert len(named) == 1
    assert is_there(blob)


def test_bytes_that_were_collected_before_they_were_held_are_stored_again(project: Any) -> None:
    from django.db import transaction

    from qfc_node.core.blob_references import hold_blob
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store

    staged = stage()
    staged.write(b"collected too early")
    blob = blob_store().adopt(staged)
    blob_store().delete(blob.key)
    with transaction.atomic():
        hold_blob(blob, staged)
    staged.close()
    with blob_store().open(blob.key) as stream:
        assert stream.read() == b"collected too early"


def test_bytes_that_nobody_has_any_more_are_not_named(project: Any) -> None:
    from django.db import transaction

    from qfc_node.core.blob_references import hold_blobs
    from qfc_node.storage.errors import StorageError
    from qfc_node.storage.store import blob_store

    kept, gone = adopt(b"kept"), adopt(b"gone")
    blob_store().delete(gone.key)
    with transaction.atomic():
        hold_blobs([kept])
    with pytest.raises(StorageError, match="collected before a row referred to it"), transaction.atomic():
        hold_blobs([kept, gone])


# --- ages


def test_a_blob_that_is_adopted_again_is_young_again(project: Any) -> None:
    from qfc_node.storage.store import blob_store

    blob = adopt(b"once more")
    make_old(path_of(blob), 2 * HOUR_S)
    assert list(blob_store().older_than(HOUR_S)) == [blob.key]
    adopt(b"once more")
    assert list(blob_store().older_than(HOUR_S)) == []


def test_a_sweep_leaves_what_is_young_of_each_kind(project: Any, node_folder: Path) -> None:
    """Blobs are kept for two weeks, uploads for an hour, tokens for a month after their expiry."""
    from django.utils import timezone

    from qfc_node.core.models import AuthToken
    from qfc_node.worker.sweep import Sweeper

    young, old = adopt(b"young"), adopt(b"old")
    make_old(path_of(young), 14 * DAY_S - 60)
    make_old(path_of(old), 14 * DAY_S + 60)
    staging = node_folder / "staging"
    for name, seconds in (("under way", HOUR_S - 60), ("interrupted", HOUR_S + 60)):
        (staging / name).write_bytes(b"x")
        make_old(staging / name, seconds)
    for key, days in (("just ended", 29.9), ("forgotten", 30.1)):
        AuthToken.objects.create(key=key, user=project.owner, expires_at=timezone.now() - timedelta(days=days))
    with Sweeper(node_folder, uuid.uuid4()) as sweeper:
        for _ in range(5):
            sweeper.sweep_when_due()
    assert (is_there(young), is_there(old)) == (True, False)
    assert [path.name for path in staging.iterdir()] == ["under way"]
    assert [token.key for token in AuthToken.objects.all()] == ["just ended"]


def test_a_sweep_is_not_begun_again_before_its_time(project: Any, node_folder: Path) -> None:
    from qfc_node.worker.sweep import Sweeper

    with Sweeper(node_folder, uuid.uuid4()) as sweeper:
        for _ in range(5):
            sweeper.sweep_when_due()
        later = adopt(b"later")
        make_old(path_of(later), 15 * DAY_S)
        for _ in range(5):
            sweeper.sweep_when_due()
        assert is_there(later)


# --- names and their project


def test_a_project_forgets_its_qgis_file_with_the_last_version_of_that_file_alone(project: Any) -> None:
    from qfc_node.core import uploads
    from qfc_node.core.models import FileVersion, Project
    from stored_files import put_file

    for name in ("survey.qgs", "survey.qgs", "notes.txt", "notes.txt"):
        put_file(project, name, os.urandom(8))
    Project.objects.update(project_filename="survey.qgs", project_details={"crs": "EPSG:4326"})

    def known() -> tuple[str | None, bool]:
        found = Project.objects.get()
        return found.project_filename, found.project_details is not None

    def newest(name: str) -> Any:
        return FileVersion.objects.filter(file__name=name).order_by("-uploaded_at")[0]

    uploads.remove_version(newest("notes.txt"))
    uploads.remove(project, "notes.txt")
    uploads.remove_version(newest("survey.qgs"))
    assert known() == ("survey.qgs", True)
    with pytest.raises(uploads.LastVersionError):
        uploads.remove_version(newest("survey.qgs"))
    assert known() == ("survey.qgs", True)
    uploads.remove(project, "survey.qgs")
    assert known() == (None, False)


def test_an_archive_is_looked_into_however_its_name_is_written(project: Any) -> None:
    from qfc_node.core import uploads
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.errors import RejectedError

    staged = stage()
    staged.write(b"no archive")
    with pytest.raises(RejectedError, match="zip"):
        uploads.store(project, "SURVEY.QGZ", staged, project.owner)
    staged.close()


def test_a_release_on_trial_removes_no_blob(project: Any) -> None:
    """The database from before the upgrade may refer to it."""
    from django.test import override_settings

    from qfc_node.core.blob_references import collect

    del project
    blob = adopt(b"of before")
    with override_settings(TRIAL_SINCE="2026-01-01T00:00:00+00:00"):
        assert (collect([blob.key]), is_there(blob)) == (0, True)
    assert (collect([blob.key]), is_there(blob)) == (1, False)
