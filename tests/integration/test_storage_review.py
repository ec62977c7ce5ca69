"""Versions and blobs under adversaries: clocks, races, many files, slow stores, leftovers."""

from __future__ import annotations

import itertools
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def project(node_database: Endpoint) -> Iterator[Any]:
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


class Background:
    """Work in a thread, on a separate database connection."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        from django.db import connection

        try:
            self._work()
        except BaseException as error:
            self._failures.append(error)
        finally:
            connection.close()

    def wait(self) -> None:
        self._thread.join()
        assert self._failures == []


def test_a_clock_that_goes_back_loses_no_version(project: Any) -> None:
    from qfc_node.api.views.files import find_version
    from qfc_node.core.file_versions import read
    from qfc_node.core.models import File, FileVersion, Project

    Project.objects.update(storage_keep_versions=2)
    for content in (b"one", b"two"):
        upload(project, "data.gpkg", content)
    for version in FileVersion.objects.all():
        FileVersion.objects.filter(pk=version.pk).update(uploaded_at=version.uploaded_at + timedelta(hours=1))
    project.refresh_from_db()
    upload(project, "data.gpkg", b"three")
    latest = File.objects.get().latest_version
    assert latest is not None
    with read(latest) as stream:
        assert stream.read() == b"three"
    assert find_version(project, "data.gpkg", None) == latest, "lists and downloads see the same"
    assert FileVersion.objects.count() == 2


def test_two_who_delete_the_same_version_free_its_bytes_once(project: Any) -> None:
    from qfc_node.core import uploads
    from qfc_node.core.file_versions import recount
    from qfc_node.core.models import FileVersion

    upload(project, "a.txt", b"12345")
    upload(project, "a.txt", b"123")
    found = FileVersion.objects.select_related("file__project")
    first, second = (found.get(size=5) for _ in range(2))
    uploads.remove_version(first)
    uploads.remove_version(second)
    assert uploads.remove(project, "a.txt")
    assert not uploads.remove(project, "a.txt")
    project.refresh_from_db()
    assert project.file_storage_bytes == 0 == recount(project)


@pytest.mark.parametrize(("first", "second"), [("data", "data/a.csv"), ("data/a.csv", "data"), ("a/b/c", "a")])
def test_a_name_is_not_both_a_file_and_a_folder(project: Any, first: str, second: str) -> None:
    """No device could store it, and every job of the project would fail."""
    from qfc_node.storage.errors import UnsafeNameError

    upload(project, first, b"1")
    with pytest.raises(UnsafeNameError, match="folder"):
        upload(project, second, b"2")
    upload(project, first, b"3")
    upload(project, f"{first}-b", b"4")


def test_names_are_no_longer_than_paths_may_be() -> None:
    from qfc_node.storage.errors import UnsafeNameError
    from qfc_node.storage.names import check_name

    with pytest.raises(UnsafeNameError, match="longer than"):
        check_name("/".join(["日" * 60] * 16))


def test_a_project_that_is_deleted_during_an_upload_is_gone(project: Any, node_folder: Path) -> None:
    """The upload has written its rows and not yet committed when the project is deleted."""
    from django.db import transaction

    from qfc_node.core import projects
    from qfc_node.core.models import File, Project

    other = Project.objects.get(pk=project.pk)
    with transaction.atomic():
        upload(project, "a.txt", b"1")
        deletion = Background(lambda: projects.delete(other))
        time.sleep(0.7)
    deletion.wait()
    assert not Project.objects.exists()
    assert not File.objects.exists()
    assert blobs(node_folder) == []


def test_deleting_a_project_and_ending_its_job_do_not_wait_for_each_other(project: Any) -> None:
    from django.db import transaction
    from django.utils import timezone

    from qfc_node.core import projects
    from qfc_node.core.models import ApplyJob, ApplyJobDelta, Delta, Job, Project

    job = ApplyJob.objects.create(
        project=project, created_by=project.owner, type="delta_apply", overwrite_conflicts=True
    )
    for _ in range(5):
        delta = Delta.objects.create(
            project=project,
            created_by=project.owner,
            deltafile_id=uuid.uuid4(),
            client_id=uuid.uuid4(),
            content={"method": "create"},
            created_at=timezone.now(),
        )
        ApplyJobDelta.objects.create(apply_job=job, delta=delta)
    other = Project.objects.get(pk=project.pk)
    with transaction.atomic():  # the order in which a worker ends a job: the job, the project, the deltas
        Job.objects.select_for_update().get(pk=job.pk)
        deletion = Background(lambda: projects.delete(other))
        time.sleep(0.7)
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        ApplyJobDelta.objects.update(status="applied")
        Delta.objects.update(last_status="applied")
    deletion.wait()
    assert not Job.objects.exists()


def test_a_package_of_very_many_files_leaves_locks_for_others(project: Any) -> None:
    """PostgreSQL has space for some thousand locks, which all sessions share."""
    from django.db import connection, transaction

    from qfc_node.core.blob_references import hold_blobs
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store

    held: list[Any] = []
    for number in range(1000):
        staged = stage()
        staged.write(str(number).encode())
        held.append(blob_store().adopt(staged))
        staged.close()
    with transaction.atomic():
        hold_blobs(held)
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'")
            assert cursor.fetchone()[0] <= 256


def test_an_upload_that_waits_for_its_blob_keeps_nobody_from_the_project(project: Any) -> None:
    """The store may be slow, or a blob with the same bytes may be about to be removed."""
    from django.db import connection, transaction

    from qfc_node.core.blob_references import lock_alone
    from qfc_node.core.project_lock import lock_project
    from qfc_node.storage.blobs import stage

    staged = stage()
    staged.write(b"1")
    key = staged.blob.key
    staged.close()
    with transaction.atomic():
        assert lock_alone(key)
        waiting = Background(lambda: upload(project, "a.txt", b"1"))
        with connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '5s'")
            while not _somebody_waits(cursor):
                time.sleep(0.05)
        lock_project(project)
    waiting.wait()


def _somebody_waits(cursor: Any) -> bool:
    cursor.execute("select exists (select from pg_locks where locktype = 'advisory' and not granted)")
    return bool(cursor.fetchone()[0])


def test_the_sweep_asks_about_many_blobs_at_once_and_takes_only_what_nobody_names(
    project: Any, node_folder: Path
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from qfc_node.core.models import FileVersion
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store
    from qfc_node.worker.sweep import collect_left_over_blobs

    for number in range(300):
        upload(project, f"{number}.txt", str(number).encode())
    for number in range(3):
        staged = stage()
        staged.write(f"left over {number}".encode())
        blob_store().adopt(staged)
        staged.close()
    for path in blobs(node_folder):
        os.utime(path, (0, 0))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert sum(collect_left_over_blobs(3600)) == 3
    assert len(queries) < 40
    assert {path.name for path in blobs(node_folder)} == set(FileVersion.objects.values_list("content", flat=True))


def test_a_thumbnail_is_no_left_over(project: Any, node_folder: Path) -> None:
    from qfc_node.core import thumbnails
    from qfc_node.worker.sweep import collect_left_over_blobs

    thumbnails.replace(project, b"picture")
    os.utime(blobs(node_folder)[0], (0, 0))
    assert sum(collect_left_over_blobs(3600)) == 0
    project.refresh_from_db()
    assert thumbnails.read(project) == b"picture"


def test_a_sweep_is_done_in_pieces_so_that_a_worker_stays_awake(node_database: Endpoint, node_folder: Path) -> None:
    from qfc_node.storage.blobs import stage
    from qfc_node.storage.store import blob_store
    from qfc_node.worker.sweep import Sweeper

    for number in range(20):
        staged = stage()
        staged.write(f"left over {number}".encode())
        blob_store().adopt(staged)
        staged.close()
    for path in blobs(node_folder):
        os.utime(path, (0, 0))
    with Sweeper(node_folder, uuid.uuid4(), batch=5) as sweeper:
        left = []
        for _ in range(8):
            sweeper.sweep_when_due()
            left.append(len(blobs(node_folder)))
    assert max(earlier - later for earlier, later in itertools.pairwise([20, *left])) == 5
    assert left[-1] == 0


def test_a_folder_is_never_seen_unlocked(node_database: Endpoint, node_folder: Path) -> None:
    """Many workers start and end at once; each keeps its folder until it ends, and nothing is left."""
    from qfc_node.worker.sweep import Sweeper

    def begin_and_end() -> None:
        for _ in range(20):
            with Sweeper(node_folder, uuid.uuid4()) as sweeper:
                assert sweeper.home.with_suffix(".lock").exists()
                assert sweeper.home.is_dir()

    workers = [Background(begin_and_end) for _ in range(6)]
    for worker in workers:
        worker.wait()
    assert list((node_folder / "jobs").iterdir()) == []


class HalfAnObject(BaseHTTPRequestHandler):
    """An object store whose connection breaks in the middle of every object."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_a_download_that_breaks_off_is_a_fault_of_the_store(django_ready: None) -> None:
    """It is neither a fault of the job, whose deltas would become errors, nor the end of the file."""
    from django.conf import settings

    from qfc_node.storage.errors import StorageError
    from qfc_node.storage.s3 import S3BlobStore

    server = ThreadingHTTPServer(("127.0.0.1", 0), HalfAnObject)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    options = {"access_key": "a", "secret_key": "b", "bucket_name": "c", "region_name": "us-east-1"}
    options["endpoint_url"] = f"http://127.0.0.1:{server.server_port}"
    settings.STORAGES["blobs"] = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    try:
        with S3BlobStore().open("ab" * 32) as stream, pytest.raises(StorageError):
            while stream.read(100):
                pass
    finally:
        del settings.STORAGES["blobs"]
        server.shutdown()
        thread.join()
        server.server_close()
