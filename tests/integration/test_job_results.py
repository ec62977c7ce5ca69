"""The input of a job at its start, and the rows it writes at its end; in this process, without a worker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

LAYER = "trees_1"


class Site:
    """A project with its file, a device, and one job at a time."""

    def __init__(self) -> None:
        from api_world import person
        from qfc_node.core.models import Project
        from stored_files import put_file

        self.user = person("alice")
        self.project = Project.objects.create(name="survey", owner=self.user, project_filename="survey.qgs")
        self.device = uuid.uuid4()
        put_file(self.project, "survey.qgs", b"<qgis/>")

    def delta(self, method: str = "create", local_pk: str = "1", **values: Any) -> Any:
        """Store a delta of the device."""
        from django.utils import timezone

        from qfc_node.core.models import Delta

        content = {"method": method, "localLayerId": LAYER, "localPk": local_pk}
        given = {"project": self.project, "client_id": self.device, "created_at": timezone.now(), **values}
        return Delta.objects.create(created_by=self.user, deltafile_id=uuid.uuid4(), content=content, **given)

    def begin(self, *deltas: Any) -> tuple[Any, Any]:
        """Claim an apply job with these deltas; return its lease and its input."""
        from qfc_node.core.models import ApplyJob, ApplyJobDelta

        job = ApplyJob.objects.create(
            project=self.project, created_by=self.user, type="delta_apply", overwrite_conflicts=True
        )
        for delta in deltas:
            ApplyJobDelta.objects.create(apply_job=job, delta=delta)
        return self.claim()

    @staticmethod
    def claim() -> tuple[Any, Any]:
        """Claim the waiting job; return its lease and its input."""
        from qfc_node.worker.leases import claim
        from qfc_node.worker.preparation import prepare
        from qfc_node.worker.registry import Registration

        worker = Registration()
        worker.ensure()
        lease = claim(worker)
        assert lease is not None
        return lease, prepare(lease)


@pytest.fixture
def site(node_database: Endpoint) -> Iterator[Site]:
    del node_database
    yield Site()


def outcome(delta: Any, status: str, pk: str | None = None) -> dict[str, Any]:
    return {"delta_id": str(delta.pk), "status": status, "feedback": {"msg": status}, "modified_pk": pk}


def done(*outcomes: dict[str, Any], files: tuple[Any, ...] = ()) -> Any:
    from qfc_node.worker.work import Result

    return Result("done", outcomes=outcomes, files=files)


# --- the start


def test_a_job_is_told_the_keys_of_what_its_own_devices_have_created(site: Site) -> None:
    from qfc_node.core.models import Project

    applied: dict[str, Any] = {"last_status": "applied"}
    another = Project.objects.create(name="another", owner=site.user)
    site.delta(local_pk="1", last_modified_pk="11", **applied)
    site.delta(local_pk="2", last_modified_pk="12", last_status="error")
    site.delta(local_pk="3", last_modified_pk="13", client_id=uuid.uuid4(), **applied)
    site.delta(local_pk="4", last_modified_pk="14", project=another, **applied)
    site.delta(local_pk="5", last_modified_pk=None, **applied)
    site.delta("patch", local_pk="6", last_modified_pk="16", **applied)
    _, prepared = site.begin(site.delta("patch"))
    assert prepared.work.known_pks == {(str(site.device), LAYER, "1"): "11"}


def test_of_two_features_that_a_device_called_the_same_the_later_one_is_meant(site: Site) -> None:
    from django.utils import timezone

    now = timezone.now()
    site.delta(last_status="applied", last_modified_pk="12", created_at=now)
    site.delta(last_status="applied", last_modified_pk="11", created_at=now - timedelta(hours=1))
    _, prepared = site.begin(site.delta("patch"))
    assert list(prepared.work.known_pks.values()) == ["12"]


def test_deltas_are_given_to_the_engine_in_the_order_in_which_they_arrived(site: Site) -> None:
    from django.utils import timezone

    now = timezone.now()
    deltas = [site.delta(created_at=now + timedelta(seconds=number)) for number in (3, 1, 2)]
    _, prepared = site.begin(*deltas)
    assert [delta.id for delta in prepared.work.deltas] == [str(deltas[place].pk) for place in (1, 2, 0)]


@pytest.mark.parametrize(("files", "found"), [(("one.qgs",), "one.qgs"), (("one.qgs", "two.qgz"), None), ((), None)])
def test_a_project_that_does_not_say_so_has_the_only_qgis_file_there_is(
    site: Site, files: tuple[str, ...], found: str | None
) -> None:
    from qfc_node.core import uploads
    from qfc_node.worker.preparation import NothingToDoError
    from stored_files import put_file

    uploads.remove(site.project, "survey.qgs")
    for name in ("notes.txt", *files):
        put_file(site.project, name, b"<qgis/>")
    if found is None:
        with pytest.raises(NothingToDoError):
            site.begin()
    else:
        assert site.begin()[1].work.project_filename == found


def lay_out(prepared: Any, path: Path, account: int | None = None) -> Any:
    """Lay out the files of a job, attachments left out; return its folder."""
    from qfc_node.storage.store import blob_store
    from qfc_node.worker.folder import JobFolder

    folder = JobFolder(path / "job", account)
    folder.make()
    folder.lay_out_files(prepared.work, blob_store(), ("DCIM",))
    return folder


def test_what_an_engine_edits_is_a_copy_and_what_it_only_reads_is_the_stored_file_itself(
    site: Site, node_folder: Path
) -> None:
    """Bytes in the store never change: older versions and other projects share them."""
    from stored_files import put_file

    for name in ("trees.gpkg", "maps/ORTHO.TIF", "maps/base.tif", "DCIM/1.jpg", "DCIM-old/1.jpg"):
        put_file(site.project, name, name.encode())
    files = lay_out(site.begin()[1], node_folder, account=65534).files
    links = {str(path.relative_to(files)): path.stat().st_nlink for path in files.rglob("*") if path.is_file()}
    assert links == {"survey.qgs": 1, "trees.gpkg": 1, "maps/ORTHO.TIF": 2, "maps/base.tif": 2, "DCIM-old/1.jpg": 2}


def test_a_job_under_the_worker_s_own_account_could_write_to_links_and_gets_none(site: Site, node_folder: Path) -> None:
    from stored_files import put_file

    put_file(site.project, "maps/ortho.tif", b"pixels")
    made = lay_out(site.begin()[1], node_folder).files / "maps/ortho.tif"
    assert (made.read_bytes(), made.stat().st_nlink) == (b"pixels", 1)


def test_a_file_that_comes_short_is_a_fault_of_the_store(site: Site, node_folder: Path) -> None:
    from qfc_node.storage.errors import StorageError
    from qfc_node.storage.store import blob_store
    from stored_files import put_file

    stored = blob_store().local_path(put_file(site.project, "trees.gpkg", b"all of it").content)
    assert stored is not None
    stored.write_bytes(b"all of i")
    with pytest.raises(StorageError, match="8 of the 9 bytes"):
        lay_out(site.begin()[1], node_folder)


# --- the end


def test_a_package_is_as_new_as_what_it_was_made_of(site: Site) -> None:
    from qfc_node.core import jobs
    from qfc_node.core.models import Project
    from qfc_node.core.project_state import needs_repackaging
    from qfc_node.worker import results
    from stored_files import put_file

    jobs.request_package(site.project, site.user)
    lease, prepared = site.claim()
    put_file(site.project, "trees.gpkg", b"uploaded meanwhile")
    results.finish(lease, prepared, done(), "")
    packaged = Project.objects.get()
    assert packaged.data_last_packaged_at == prepared.snapshot_at
    assert needs_repackaging(packaged)


def test_what_earlier_jobs_said_of_a_delta_stays_as_they_said_it(site: Site) -> None:
    from qfc_node.core.models import ApplyJobDelta, Delta
    from qfc_node.worker import results

    delta = site.delta()
    lease, prepared = site.begin(delta)
    results.finish(lease, prepared, done(outcome(delta, "conflict")), "")
    lease, prepared = site.begin(delta)
    results.finish(lease, prepared, done(outcome(delta, "applied", "7")), "")
    parts = ApplyJobDelta.objects.order_by("apply_job__created_at")
    assert list(parts.values_list("status", "modified_pk")) == [("conflict", None), ("applied", "7")]
    assert Delta.objects.get().last_status == "applied"


def test_a_delta_of_which_nothing_is_said_is_an_error_and_none_that_was_settled_becomes_one(site: Site) -> None:
    from qfc_node.core.models import ApplyJobDelta, Delta
    from qfc_node.worker import results

    told, silent = site.delta(), site.delta(local_pk="2")
    lease, prepared = site.begin(told, silent)
    results.finish(lease, prepared, done(outcome(told, "not_applied")), "")
    statuses = {str(told.pk): "not_applied", str(silent.pk): "error"}
    assert {str(key): status for key, status in Delta.objects.values_list("pk", "last_status")} == statuses
    parts = ApplyJobDelta.objects.values_list("delta_id", "status")
    assert {str(key): status for key, status in parts} == statuses


def test_a_file_whose_bytes_were_collected_meanwhile_is_not_named(site: Site) -> None:
    from qfc_node.core.models import File, Job
    from qfc_node.storage.blobs import Blob
    from qfc_node.storage.errors import StorageError
    from qfc_node.worker import results
    from qfc_node.worker.work import stored

    lease, prepared = site.begin(site.delta())
    gone = stored("trees.gpkg", Blob(b"\x01" * 32, "02" * 16, 5))
    with pytest.raises(StorageError):
        results.finish(lease, prepared, done(files=(gone,)), "")
    assert Job.objects.get().status == "started"
    assert [file.name for file in File.objects.all()] == ["survey.qgs"]


def test_a_result_on_top_of_an_older_version_is_not_written(site: Site) -> None:
    from qfc_node.core.models import File, Job
    from qfc_node.worker import results
    from qfc_node.worker.work import stored
    from stored_files import put_file

    put_file(site.project, "trees.gpkg", b"first")
    lease, prepared = site.begin(site.delta())
    made = next(file.blob for file in prepared.work.files if file.name == "trees.gpkg")
    newest = put_file(site.project, "trees.gpkg", b"uploaded meanwhile")
    with pytest.raises(results.StaleFilesError):
        results.finish(lease, prepared, done(files=(stored("trees.gpkg", made),)), "")
    assert Job.objects.get().status == "started"
    assert File.objects.get(name="trees.gpkg").latest_version_id == newest.pk


def test_only_the_job_that_reads_the_project_file_says_that_it_is_bad(site: Site) -> None:
    from qfc_node.core.models import Job, Project
    from qfc_node.worker import results
    from qfc_node.worker.work import Result

    bad = Result("project_error", "The project file is no XML.", "INVALID_PROJECT_FILE")
    lease, _ = site.begin(site.delta())
    results.fail(lease, bad, "", None)
    assert (Job.objects.get().status, Project.objects.get().problem) == ("failed", None)
