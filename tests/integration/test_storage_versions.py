"""Blobs and versions: bytes first, rows second, nothing incomplete and nothing left over."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def project(node_database: Endpoint) -> Iterator[object]:
    from qfc_node.core.models import Person, Project

    owner = Person.objects.create_user("alice", "alice@example.com", "pw")
    yield Project.objects.create(name="survey", owner=owner)


def upload(project: Any, name: str, content: bytes) -> Any:
    from qfc_node.core import uploads
    from qfc_node.storage.blobs import stage

    staged = stage()
    try:
        staged.write(content)
        return uploads.store(project, name, staged, project.owner)
    finally:
        staged.close()


def blobs(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def test_a_version_has_the_hashes_of_its_bytes(project: Any, node_folder: Path) -> None:
    from qfc_node.core.file_versions import read

    version = upload(project, "notes.txt", b"hello")
    assert bytes(version.md5sum) == hashlib.md5(b"hello").digest()
    assert bytes(version.sha256sum) == hashlib.sha256(b"hello").digest()
    with read(version) as stream:
        assert stream.read() == b"hello"
    assert list((node_folder / "staging").iterdir()) == []


def test_the_same_bytes_are_stored_once_and_go_with_the_last_name(project: Any, node_folder: Path) -> None:
    from qfc_node.core.file_versions import delete_file

    upload(project, "a.txt", b"same")
    upload(project, "b.txt", b"same")
    assert len(blobs(node_folder)) == 1
    assert delete_file(project, "a.txt")
    assert len(blobs(node_folder)) == 1
    assert delete_file(project, "b.txt")
    assert blobs(node_folder) == []
    assert not delete_file(project, "b.txt")


def test_old_versions_beyond_the_number_kept_go_with_their_bytes(project: Any, node_folder: Path) -> None:
    from qfc_node.core.file_versions import recount
    from qfc_node.core.models import FileVersion, Project

    Project.objects.update(storage_keep_versions=3)
    project.refresh_from_db()
    for number in range(6):
        upload(project, "data.gpkg", b"x" * (number + 1))
    assert sorted(FileVersion.objects.values_list("size", flat=True)) == [4, 5, 6]
    assert len(blobs(node_folder)) == 3
    project.refresh_from_db()
    assert project.file_storage_bytes == 15 == recount(project)


@pytest.mark.parametrize(("of_project", "of_plan", "kept"), [(None, 2, 2), (1, 2, 1), (0, 2, 2), (None, 0, 1)])
def test_as_many_versions_are_kept_as_the_project_says_or_else_the_plan_and_never_none(
    project: Any, of_project: int | None, of_plan: int, kept: int
) -> None:
    from qfc_node.core.models import File, FileVersion, Plan, Project

    Plan.objects.update(storage_keep_versions=of_plan)
    Project.objects.update(storage_keep_versions=of_project)
    newest = [upload(project, "notes.txt", bytes([number])) for number in range(4)][-1]
    assert FileVersion.objects.count() == kept
    assert File.objects.get().latest_version == newest


def test_deleting_the_newest_version_shows_the_one_before(project: Any, node_folder: Path) -> None:
    from qfc_node.core.file_versions import delete_version
    from qfc_node.core.models import File, FileVersion

    upload(project, "notes.txt", b"one")
    newest = upload(project, "notes.txt", b"two!")
    delete_version(newest)
    latest = File.objects.get().latest_version
    assert latest is not None
    assert latest.size == 3
    delete_version(FileVersion.objects.get())
    assert not File.objects.exists()
    assert blobs(node_folder) == []
    project.refresh_from_db()
    assert project.file_storage_bytes == 0


def test_a_row_that_cannot_be_written_leaves_nothing_that_a_client_can_see(project: Any, node_folder: Path) -> None:
    from qfc_node.core.models import File, Project
    from qfc_node.storage.errors import UnsafeNameError
    from qfc_node.worker.sweep import collect_left_over_blobs

    with pytest.raises(UnsafeNameError):
        upload(project, "../x", b"bytes")
    assert blobs(node_folder) == []
    gone = Project(name="gone", owner=project.owner)
    with pytest.raises(Project.DoesNotExist):
        upload(gone, "x", b"bytes")
    assert not File.objects.exists()
    assert len(blobs(node_folder)) == 1, "the bytes were safe before the row was tried"
    assert sum(collect_left_over_blobs(older_than_s=3600)) == 0, "young blobs may be about to be named"
    os.utime(blobs(node_folder)[0], (0, 0))
    assert sum(collect_left_over_blobs(older_than_s=3600)) == 1
    assert blobs(node_folder) == []


def test_a_deleted_project_leaves_nothing(project: Any, node_folder: Path) -> None:
    from qfc_node.core import projects

    upload(project, "a.txt", b"1")
    upload(project, "a.txt", b"2")
    projects.delete(project)
    assert blobs(node_folder) == []


def test_uploads_and_deletions_of_the_same_bytes_at_once_never_lose_them(project: Any, node_folder: Path) -> None:
    """Eight threads add and remove files with equal content; at the end every name can still be read."""
    from django.db import connection

    from qfc_node.core.file_versions import delete_file, read
    from qfc_node.core.models import File

    failures: list[BaseException] = []

    def churn(number: int) -> None:
        try:
            for turn in range(15):
                upload(project, f"{number}.txt", b"same bytes")
                if turn < 14:
                    delete_file(project, f"{number}.txt")
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=churn, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for file in File.objects.all():
        assert file.latest_version is not None
        with read(file.latest_version) as stream:
            assert stream.read() == b"same bytes"
    assert File.objects.count() == 8


def test_the_probe_tells_the_truth(node_database: Endpoint, node_folder: Path) -> None:
    from qfc_node.storage.errors import StorageError
    from qfc_node.storage.store import blob_store

    blob_store().probe()
    (node_folder / "staging").rmdir()
    (node_folder / "staging").write_text("in the way")
    with pytest.raises(StorageError):
        blob_store().probe()
    (node_folder / "staging").unlink()
