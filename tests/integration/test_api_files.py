"""Files and packages over HTTP: versions, hashes, ranges, quotas, refusals."""

from __future__ import annotations

import gc
import hashlib
import io
import re
import zipfile
from typing import Any

import pytest
from django.utils.http import http_date

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    del node_database
    return person("alice")


@pytest.fixture
def speaker(alice: Any) -> Any:
    from api_world import Speaker

    return Speaker(alice)


@pytest.fixture
def project(alice: Any) -> Any:
    from qfc_node.core.models import Project

    return Project.objects.create(name="survey", owner=alice)


def test_the_list_tells_versions_sizes_and_hashes(speaker: Any, project: Any) -> None:
    address = f"files/{project.pk}/"
    assert speaker.get(address).json() == []
    for name, content in (("notes.txt", b"v1"), ("notes.txt", b"v2 longer"), ("DCIM/photo.jpg", b"jpg")):
        answer = speaker.send(f"{address}{name}/", content)
        assert (answer.status_code, answer.json(), answer["Location"]) == (201, {}, f"/api/v1/{address}{name}/")
    photo, notes = speaker.get(address).json()
    assert (photo["name"], photo["is_attachment"]) == ("DCIM/photo.jpg", True)
    assert (notes["name"], notes["is_attachment"], notes["size"]) == ("notes.txt", False, 9)
    assert notes["md5sum"] == hashlib.md5(b"v2 longer", usedforsecurity=False).hexdigest()
    assert notes["sha256"] == hashlib.sha256(b"v2 longer").hexdigest()
    newest, oldest = notes["versions"]
    assert (newest["is_latest"], oldest["is_latest"], oldest["size"]) == (True, False, 2)
    recorded = {"size", "md5sum", "version_id", "last_modified", "is_latest", "display", "sha256"}
    assert set(newest) == recorded | {"uploaded_at"}
    assert re.fullmatch(r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d UTC", newest["last_modified"])
    assert re.fullmatch(r"v\d{14}", newest["display"])
    assert "sha256" not in speaker.get(f"{address}?skip_metadata=1").json()[0]
    assert "versions" not in speaker.get(f"{address}?skip_versions=1").json()[0]


def test_a_file_comes_back_as_it_went(speaker: Any, project: Any) -> None:
    from api_world import bytes_of

    content = bytes(range(256)) * 5000
    speaker.send(f"files/{project.pk}/Übersicht 1.bin/", content)
    answer = speaker.get(f"files/{project.pk}/Übersicht%201.bin")
    assert bytes_of(answer) == content
    assert answer["Content-Length"] == str(len(content))
    assert answer["ETag"] == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''%C3%9Cbersicht%201.bin"
    assert "Last-Modified" in answer


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, 1000),
        ("bytes=-10", 206, 990, 1000),
        ("bytes=990-5000", 206, 990, 1000),
        ("bytes=-5000", 206, 0, 1000),
        ("bytes=0-0,5-6", 200, 0, 1000),
        ("bytes=-", 200, 0, 1000),
        ("lines=1-2", 200, 0, 1000),
        ("bytes=1000-", 416, 0, 0),
        ("bytes=5-4", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=99999999999999999999999-", 416, 0, 0),
    ],
)
def test_ranges(speaker: Any, project: Any, wanted: str, status: int, start: int, end: int) -> None:
    from api_world import bytes_of

    content = bytes(number % 251 for number in range(1000))
    speaker.send(f"files/{project.pk}/a.bin/", content)
    answer = speaker.get(f"files/{project.pk}/a.bin/", HTTP_RANGE=wanted)
    assert answer.status_code == status
    if status == 416:
        assert answer["Content-Range"] == "bytes */1000"
        assert answer.json()["code"] == "invalid_http_range"
        return
    assert bytes_of(answer) == content[start:end]
    assert answer["Content-Length"] == str(end - start)
    if status == 206:
        assert answer["Content-Range"] == f"bytes {start}-{end - 1}/1000"


def test_what_the_client_has_is_not_sent_again(speaker: Any, project: Any) -> None:
    from api_world import bytes_of

    speaker.send(f"files/{project.pk}/a.txt/", b"abc")
    address = f"files/{project.pk}/a.txt/"
    tag = speaker.get(address)["ETag"]
    modified = speaker.get(address)["Last-Modified"]
    for value in (tag, tag.strip('"'), f"W/{tag}", f'"x", {tag}', "*"):
        answer = speaker.get(address, HTTP_IF_NONE_MATCH=value)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert speaker.get(address, HTTP_IF_NONE_MATCH='"other"').status_code == 200
    assert speaker.get(address, HTTP_IF_MODIFIED_SINCE=modified).status_code == 304
    assert speaker.get(address, HTTP_IF_MODIFIED_SINCE="nonsense").status_code == 200
    stale = speaker.get(address, HTTP_RANGE="bytes=0-0", HTTP_IF_RANGE='"other"')
    assert (stale.status_code, bytes_of(stale)) == (200, b"abc")
    fresh = speaker.get(address, HTTP_RANGE="bytes=0-0", HTTP_IF_RANGE=tag)
    assert (fresh.status_code, bytes_of(fresh)) == (206, b"a")


@pytest.mark.parametrize(("later_s", "has_it"), [(-1, False), (0, True), (1, True)])
def test_a_copy_is_current_from_the_second_of_the_upload_on(
    speaker: Any, project: Any, later_s: int, has_it: bool
) -> None:
    """Dates in headers have no fractions of a second."""
    from api_world import bytes_of
    from qfc_node.core.models import FileVersion

    address = f"files/{project.pk}/a.txt/"
    speaker.send(address, b"abc")
    uploaded = FileVersion.objects.get().uploaded_at
    date = http_date(uploaded.timestamp() + later_s)
    assert speaker.get(address, HTTP_IF_MODIFIED_SINCE=date).status_code == (304 if has_it else 200)
    part = speaker.get(address, HTTP_RANGE="bytes=0-0", HTTP_IF_RANGE=date)
    assert (part.status_code, bytes_of(part)) == ((206, b"a") if has_it else (200, b"abc"))


def test_versions_are_read_and_deleted_one_by_one(speaker: Any, project: Any) -> None:
    from api_world import bytes_of

    address = f"files/{project.pk}/notes.txt/"
    for content in (b"v1", b"v2", b"v3"):
        speaker.send(address, content)
    newest, middle, oldest = speaker.get(f"files/{project.pk}/").json()[0]["versions"]
    assert bytes_of(speaker.get(f"{address}?version={oldest['version_id']}")) == b"v1"
    assert speaker.get(f"{address}?version=nonsense").status_code == 400
    assert speaker.get(f"{address}?version={project.pk}").status_code == 404
    assert speaker.delete(address, HTTP_X_FILE_VERSION=newest["version_id"]).status_code == 204
    assert bytes_of(speaker.get(address)) == b"v2"
    assert speaker.delete(f"{address}?version={oldest['version_id']}").status_code == 204
    assert speaker.delete(address, HTTP_X_FILE_VERSION=oldest["version_id"]).status_code == 404
    assert speaker.delete(address, HTTP_X_FILE_VERSION="nonsense").status_code == 400
    assert [version["version_id"] for version in speaker.get(f"files/{project.pk}/").json()[0]["versions"]] == [
        middle["version_id"]
    ]
    assert speaker.delete(address).status_code == 204
    answer = speaker.delete(address)
    assert (answer.status_code, answer.json()["code"]) == (404, "object_not_found")
    assert speaker.get(address).status_code == 404


@pytest.mark.parametrize(
    "name", ["../up.txt", "a/../b.txt", "CON.txt", "a%3Fb.txt", "end.", "a%00b", "x" * 300, "a//b"]
)
def test_names_that_some_device_cannot_hold_are_refused(speaker: Any, project: Any, name: str) -> None:
    answer = speaker.send(f"files/{project.pk}/{name}/", b"x")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert speaker.get(f"files/{project.pk}/").json() == []


def test_a_second_qgis_file_is_refused_until_the_first_is_gone(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Project

    def send(name: str) -> tuple[int, Any]:
        answer = speaker.send(f"files/{project.pk}/{name}/", b"<qgis/>")
        return answer.status_code, answer.json().get("code")

    def filename() -> Any:
        return Project.objects.values_list("project_filename", flat=True).get()

    assert send("survey.qgs") == (201, None)
    assert send("survey.qgs") == (201, None)
    assert send("folder/second.QGS") == (400, "multiple_projects")
    assert filename() == "survey.qgs"
    assert speaker.delete(f"files/{project.pk}/survey.qgs/").status_code == 204
    assert filename() is None
    assert send("folder/second.QGS") == (201, None)
    assert filename() == "folder/second.QGS"


def test_uploads_make_one_job_that_reads_the_project(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Job

    def send(name: str) -> int:
        speaker.send(f"files/{project.pk}/{name}/", b"<qgis/>")
        return Job.objects.filter(type="process_projectfile").count()

    assert send("trees.gpkg") == 0
    assert send("survey.qgs") == 1
    assert send("areas.gpkg") == 1
    assert send("DCIM/photo.jpg") == 1
    Job.objects.update(status="started")
    assert send("DCIM/photo2.jpg") == 1
    assert send("trees.gpkg") == 2
    assert send("areas.gpkg") == 2


def _bomb() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("survey.qgs", b"0" * (64 * 1024**2))
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"no zip", "invalid_qgis_project_file"), (_bomb(), "validation_error")],
    ids=["no archive", "zip bomb"],
)
def test_a_bad_archive_is_refused(speaker: Any, project: Any, content: bytes, code: str) -> None:
    answer = speaker.send(f"files/{project.pk}/survey.qgz/", content)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert speaker.get(f"files/{project.pk}/").json() == []


def test_what_is_no_upload_is_refused(speaker: Any, project: Any) -> None:
    address = f"files/{project.pk}/a.txt/"
    answer = speaker.client.post(
        f"/api/v1/{address}", "x=y", content_type="application/x-www-form-urlencoded", **speaker.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "api_error")
    answer = speaker.form(address, other="x")
    assert (answer.status_code, answer.json()["code"]) == (400, "empty_content")


def test_an_upload_beyond_the_node_s_limit_is_413(speaker: Any, project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "UPLOAD_MAX_BYTES", 10)
    assert speaker.send(f"files/{project.pk}/a.txt/", b"x" * 11).status_code == 413
    assert speaker.send(f"files/{project.pk}/a.txt/", b"x" * 10).status_code == 201
    gc.collect()  # the upload handler of the refused request cleans up at the end of the request
    assert list((settings.DATA_DIR / "staging").iterdir()) == []


def test_the_parts_of_an_upload_count_together_against_the_node_s_limit(
    speaker: Any, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings

    from qfc_node.storage.upload import BlobUploadHandler

    monkeypatch.setattr(BlobUploadHandler, "chunk_size", 4096)
    monkeypatch.setattr(settings, "UPLOAD_MAX_BYTES", 10_000)
    for size, status in ((10_001, 413), (10_000, 201)):
        assert speaker.send(f"files/{project.pk}/a.txt/", b"x" * size).status_code == status


def test_an_upload_that_announces_too_much_is_refused_before_it_comes(django_ready: None) -> None:
    """A large file would be refused in the end as well, and would use disk space until then."""
    from django.conf import settings

    from qfc_node.storage.errors import UploadTooLargeError
    from qfc_node.storage.upload import ENVELOPE_BYTES, BlobUploadHandler

    most = settings.UPLOAD_MAX_BYTES + ENVELOPE_BYTES
    BlobUploadHandler().handle_raw_input(None, {}, most, b"")
    with pytest.raises(UploadTooLargeError):
        BlobUploadHandler().handle_raw_input(None, {}, most + 1, b"")


def test_a_full_storage_refuses_desktops_and_never_devices(alice: Any, project: Any) -> None:
    from api_world import Speaker
    from qfc_node.core.models import Plan

    Plan.objects.update(storage_mb=0)
    for client_type, status in (("sdk", 402), ("qfieldsync", 402), ("unknown", 402), ("qfield", 201), ("worker", 201)):
        answer = Speaker(alice, client_type).send(f"files/{project.pk}/{client_type}.txt/", b"x")
        assert answer.status_code == status, client_type
        if status == 402:
            assert answer.json()["code"] == "over_quota"


def test_an_inactive_subscription_refuses_uploads(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Subscription

    Subscription.objects.update(status="inactive_draft")
    answer = speaker.send(f"files/{project.pk}/a.txt/", b"x")
    assert (answer.status_code, answer.json()["code"]) == (403, "inactive_subscription")


def test_the_newest_package_with_its_attachments(alice: Any, speaker: Any, project: Any) -> None:
    from api_world import bytes_of, package
    from stored_files import put_file

    answer = speaker.get(f"packages/{project.pk}/latest/")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_job")
    assert "never been triggered" in answer.json()["message"]
    put_file(project, "notes.txt", b"not in the package")
    put_file(project, "DCIM/photo.jpg", b"jpg")
    put_file(project, "DCIM-old/photo.jpg", b"not an attachment")
    job = package(project, alice, **{"data.gpkg": b"packaged", "survey_qfield.qgs": b"<qgis/>"})
    told = speaker.get(f"packages/{project.pk}/latest/").json()
    assert [(file["name"], file["is_attachment"]) for file in told["files"]] == [
        ("data.gpkg", False),
        ("survey_qfield.qgs", False),
        ("DCIM/photo.jpg", True),
    ]
    recorded = {"name", "size", "last_modified", "md5sum", "is_attachment", "sha256"}
    assert set(told["files"][0]) == recorded | {"uploaded_at"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["files"][0]["last_modified"])
    assert (told["status"], told["package_id"]) == ("finished", str(job.pk))
    assert told["layers"]["trees_1"]["name"] == "trees"
    for name, content in (("data.gpkg", b"packaged"), ("DCIM/photo.jpg", b"jpg")):
        assert bytes_of(speaker.get(f"packages/{project.pk}/latest/files/{name}/")) == content
    for name in ("notes.txt", "DCIM-old/photo.jpg", "nope.txt"):
        assert speaker.get(f"packages/{project.pk}/latest/files/{name}/").status_code == 404
    legacy = speaker.get(f"qfield-files/{project.pk}/").json()
    assert [list(file) for file in legacy["files"]] == [["name", "size", "sha256"]] * 2
    assert legacy["layers"]["trees_1"]["valid"] is True


def test_only_a_worker_delivers_files_of_a_running_package(alice: Any, speaker: Any, project: Any) -> None:
    from api_world import Speaker
    from qfc_node.core import jobs
    from qfc_node.core.models import Project

    job = jobs.request_package(project, alice).job
    address = f"packages/{project.pk}/{job.pk}/files/data.gpkg/"
    assert speaker.send(address, b"x").status_code == 403
    worker = Speaker(alice, "worker")
    assert worker.send(address, b"x").json()["code"] == "invalid_job"
    job.status = "started"
    job.save()
    other = Project.objects.create(name="other", owner=alice)
    assert worker.send(address.replace(str(project.pk), str(other.pk)), b"x").json()["code"] == "invalid_job"
    assert worker.send(address, b"x").status_code == 201
    assert worker.send(address, b"again").status_code == 201
    assert [file.latest_version.size for file in job.package_files.all()] == [5]


def replace_package(project: Any, alice: Any, **files: bytes) -> None:
    """Give the project a new package, and remove the files of the old ones, as a worker does."""
    from api_world import package
    from qfc_node.core.models import File

    new = package(project, alice, **files)
    File.objects.filter(project=project, package_job__isnull=False).exclude(package_job=new).delete()


def test_a_package_that_is_replaced_during_a_request_is_downloaded_and_listed(
    alice: Any, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api_world import Speaker, bytes_of, package
    from qfc_node.api.base import NodeView
    from qfc_node.core import packages

    package(project, alice, **{"data.gpkg": b"old"})
    speaker, access, files_of = Speaker(alice), NodeView.access, packages.files_of

    def replaced_after_access(*arguments: Any, **named: Any) -> Any:
        found = access(*arguments, **named)
        replace_package(project, alice, **{"data.gpkg": b"new"})
        return found

    replaced: list[bytes] = []

    def replaced_before_files(job: Any) -> Any:
        if not replaced:
            replaced.append(b"newest")
            replace_package(project, alice, **{"data.gpkg": b"newest"})
        return files_of(job)

    monkeypatch.setattr(NodeView, "access", replaced_after_access)
    assert bytes_of(speaker.get(f"packages/{project.pk}/latest/files/data.gpkg/")) == b"new"
    monkeypatch.setattr(NodeView, "access", access)
    monkeypatch.setattr(packages, "files_of", replaced_before_files)
    listed = speaker.get(f"packages/{project.pk}/latest/").json()
    assert [(file["name"], file["size"]) for file in listed["files"]] == [("data.gpkg", len(b"newest"))]
