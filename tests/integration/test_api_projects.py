"""Projects, jobs, collaborators, secrets and seeds, as a real server answers."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

RECORDED_KEYS = [
    "id",
    "name",
    "owner",
    "description",
    "private",
    "is_public",
    "created_at",
    "updated_at",
    "data_last_packaged_at",
    "data_last_updated_at",
    "can_repackage",
    "needs_repackaging",
    "status",
    "user_role",
    "user_role_origin",
]
JOB_KEYS = [
    "id",
    "created_at",
    "created_by",
    "finished_at",
    "project_id",
    "started_at",
    "status",
    "type",
    "updated_at",
]


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


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    from django.db import connection

    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def test_a_project_is_made_in_a_form_as_clients_do(speaker: Any) -> None:
    answer = speaker.form("projects/?limit=20&offset=0", name="survey", owner="alice", description="m", is_public=0)
    assert answer.status_code == 201
    made = answer.json()
    assert list(made)[:15] == RECORDED_KEYS
    assert (made["private"], made["is_public"], made["status"]) == (True, False, "failed")
    assert (made["user_role"], made["user_role_origin"]) == ("admin", "project_owner")
    assert (made["project_type"], made["public_collaborator_role"]) == ("regular", "reader")
    assert (made["can_repackage"], made["needs_repackaging"]) == (True, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "survey"}, 400, "project_already_exists"),
        ({"name": "or acle!"}, 400, "api_error"),
        ({"name": "x" * 256}, 400, "api_error"),
        ({"name": ""}, 400, "api_error"),
        ({}, 400, "api_error"),
        ({"name": "x", "owner": "bob"}, 403, "permission_denied"),
        ({"name": "x", "owner": "nemo"}, 404, "object_not_found"),
        ({"name": "x", "is_public": "maybe"}, 400, "api_error"),
        ({"name": "x", "project_type": "shared_datasets"}, 400, "api_error"),
        ({"name": "x", "public_collaborator_role": "admin"}, 400, "api_error"),
        ({"name": "x", "clone_from_project": "nonsense"}, 400, "api_error"),
        ({"name": "x", "clone_from_project": str(uuid.UUID(int=1))}, 404, "object_not_found"),
        ({"name": "x", "description": "\ud800"}, 400, "api_error"),
        ({"name": "x", "description": "\0"}, 400, "api_error"),
    ],
)
def test_a_mistake_is_answered_as_one(speaker: Any, project: Any, body: Any, status: int, code: str) -> None:
    from api_world import person

    del project
    person("bob")
    answer = speaker.post("projects/", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"name": NaN}'])
def test_bad_json_is_a_mistake(speaker: Any, body: bytes) -> None:
    answer = speaker.client.post("/api/v1/projects/", body, content_type="application/json", **speaker.headers)
    assert answer.status_code == 400


def test_an_unknown_type_of_body_is_415_and_an_unknown_method_405(speaker: Any) -> None:
    answer = speaker.client.post("/api/v1/projects/", "<x/>", content_type="application/xml", **speaker.headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "api_error")
    answer = speaker.ask("DELETE", "projects/")
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize("path", ["nonexistent/", "projects/nonsense/", "projects/1/2/3/", "files/x/y"])
def test_an_unknown_address_is_404_in_json(speaker: Any, path: str) -> None:
    answer = speaker.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "object_not_found")


def test_a_project_is_changed_and_deleted(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Project

    changed = speaker.patch(f"projects/{project.pk}", {"description": "changed", "overwrite_conflicts": False}).json()
    assert (changed["description"], changed["overwrite_conflicts"]) == ("changed", False)
    assert speaker.patch(f"projects/{project.pk}/", {"private": False}).json()["is_public"] is True
    assert speaker.patch(f"projects/{project.pk}/", {"name": "renamed"}).json()["name"] == "renamed"
    assert speaker.patch(f"projects/{project.pk}/", {"name": "b@d"}).status_code == 400
    assert speaker.delete(f"projects/{project.pk}/").status_code == 204
    assert speaker.get(f"projects/{project.pk}/").status_code == 404
    assert not Project.objects.exists()


def test_a_project_is_handed_to_an_organization_and_to_nobody_else(alice: Any, speaker: Any, project: Any) -> None:
    from api_world import organization, person

    person("bob")
    organization("acme", alice)
    assert speaker.patch(f"projects/{project.pk}/", {"owner": "bob"}).status_code == 403
    assert speaker.patch(f"projects/{project.pk}/", {"owner": "acme"}).json()["owner"] == "acme"
    assert speaker.get(f"projects/{project.pk}/").json()["user_role_origin"] == "organization_owner"


def test_a_copy_has_the_newest_files_and_is_read_anew(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Job
    from stored_files import put_file

    put_file(project, "survey.qgs", b"old")
    put_file(project, "survey.qgs", b"<qgis/>")
    put_file(project, "trees.gpkg", b"trees")
    project.project_filename = "survey.qgs"
    project.save()
    answer = speaker.form("projects/", name="copy", clone_from_project=str(project.pk), project_type="template")
    assert answer.status_code == 201
    copy = answer.json()
    files = {file["name"]: len(file["versions"]) for file in speaker.get(f"files/{copy['id']}/").json()}
    assert files == {"survey.qgs": 1, "trees.gpkg": 1}
    assert (copy["project_type"], copy["status"]) == ("template", "busy")
    assert copy["file_storage_bytes"] == len(b"<qgis/>trees")
    assert Job.objects.get(project_id=copy["id"]).type == "process_projectfile"


def test_lists_have_pages_in_headers(alice: Any, speaker: Any) -> None:
    from qfc_node.core.models import Project

    for number in range(5):
        Project.objects.create(name=f"p{number}", owner=alice)
    everything = speaker.get("projects/")
    assert "X-Total-Count" not in everything
    assert len(everything.json()) == 5
    page = speaker.get("projects/?limit=2&offset=2")
    assert [project["name"] for project in page.json()] == ["p2", "p3"]
    assert page["X-Total-Count"] == "5"
    assert page["X-Next-Page"].endswith("/api/v1/projects/?limit=2&offset=4")
    assert page["X-Previous-Page"].endswith("/api/v1/projects/?limit=2&offset=0")
    last = speaker.get("projects/?limit=2&offset=4")
    assert "X-Next-Page" not in last
    assert [project["name"] for project in last.json()] == ["p4"]
    full = speaker.get("projects/?limit=2&offset=3")
    assert [project["name"] for project in full.json()] == ["p3", "p4"]
    assert "X-Next-Page" not in full
    assert full["X-Previous-Page"].endswith("limit=2&offset=1")
    second = speaker.get("projects/?limit=2&offset=1")
    assert second["X-Previous-Page"].endswith("limit=2&offset=0")


@pytest.mark.parametrize(
    "query",
    [
        "limit=abc",
        "limit=-1",
        "limit=0",
        "limit=1.5",
        "limit=",
        "limit=99999999999999999999",
        "offset=-1",
        "offset=99999999999999999999",
        "include-public=maybe",
        "limit=1&limit=2",
        "owner=%00",
    ],
)
def test_a_query_that_means_nothing_is_a_mistake(speaker: Any, query: str) -> None:
    assert speaker.get(f"projects/?{query}").status_code == 400


def test_public_projects_are_listed_on_demand(alice: Any, speaker: Any) -> None:
    from api_world import person
    from qfc_node.core.models import Project

    bob = person("bob")
    Project.objects.create(name="mine", owner=alice)
    Project.objects.create(name="theirs", owner=bob, is_public=True)
    Project.objects.create(name="hidden", owner=bob)

    def names(query: str) -> list[str]:
        return [project["name"] for project in speaker.get(f"projects/{query}").json()]

    assert names("") == names("?include-public=0") == ["mine"]
    assert names("?include-public=1") == ["mine", "theirs"]
    assert names("public/") == ["theirs"]
    assert names("?include-public=1&owner=BOB") == ["theirs"]
    assert names("?name=mine") == ["mine"]
    public = speaker.get("projects/public/").json()[0]
    assert (public["user_role"], public["user_role_origin"], public["can_repackage"]) == ("reader", "public", True)


def test_lists_take_few_queries_however_long_they_are(alice: Any, speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Project
    from stored_files import put_file

    for number in range(26):
        Project.objects.create(name=f"p{number}", owner=alice, project_details={"layers_by_id": {}})
    for number in range(20):
        put_file(project, f"file{number}.txt", b"1")
        put_file(project, f"file{number}.txt", b"2")
    speaker.get("auth/user/")
    for path, length in (("projects/", 27), (f"files/{project.pk}/", 20), (f"projects/{project.pk}/", None)):
        with counted_queries() as statements:
            answer = speaker.get(path)
        assert len(statements) <= 5, statements
        assert not any('"project_details",' in statement for statement in statements)
        if length is not None:
            assert len(answer.json()) == length


def test_the_status_is_busy_failed_or_ok(speaker: Any, project: Any) -> None:
    from qfc_node.core import jobs
    from qfc_node.core.models import Job, Project

    def status() -> str:
        return speaker.get(f"projects/{project.pk}/").json()["status"]

    assert status() == "failed"
    Project.objects.update(project_filename="survey.qgs", project_details={"layers_by_id": {}})
    assert status() == "ok"
    jobs.request_process_projectfile(project, project.owner)
    assert status() == "busy"
    Job.objects.update(status="finished")
    jobs.request_package(project, project.owner)
    assert status() == "ok"
    Job.objects.filter(type="package").update(status="queued")
    assert status() == "busy"
    Job.objects.filter(type="package").update(status="finished")
    Project.objects.update(problem="The file is no XML.")
    told = speaker.get(f"projects/{project.pk}/").json()
    assert (told["status"], told["problem"]) == ("failed", "The file is no XML.")


def test_repackaging_is_needed_when_the_package_may_be_old(speaker: Any, project: Any) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Project

    def needed(**values: Any) -> bool:
        Project.objects.update(**values)
        return speaker.get(f"projects/{project.pk}/").json()["needs_repackaging"]

    now = timezone.now()
    assert needed(project_details={"layers_by_id": {"a": {"provider_name": "ogr"}}}, data_last_updated_at=now)
    assert needed(data_last_packaged_at=now - timedelta(seconds=1))
    assert not needed(data_last_packaged_at=now)
    assert not needed(data_last_packaged_at=now + timedelta(seconds=1))
    assert not needed(project_details={"layers_by_id": {"a": {"provider_name": "ogr"}}})
    assert needed(project_details={"layers_by_id": {"a": {"provider_name": "postgres"}}})


def test_package_jobs_are_shared_unless_forced(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Job

    body = {"project_id": str(project.pk), "type": "package"}
    assert speaker.post("jobs/", body).json()["code"] == "no_qgis_project"
    project.project_filename = "survey.qgs"
    project.save()
    first = speaker.post("jobs/", body)
    assert (first.status_code, list(first.json())) == (201, [*JOB_KEYS, "feedback", "output"])
    for status in ("pending", "queued", "started"):
        Job.objects.update(status=status)
        again = speaker.form("jobs/", project_id=str(project.pk), type="package", force=0)
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    forced = speaker.form("jobs/", project_id=str(project.pk), type="package", force=1)
    assert (forced.status_code, forced.json()["id"] != first.json()["id"]) == (201, True)
    for job_type in ("nonsense", "create_project", "", None):
        assert speaker.post("jobs/", {**body, "type": job_type}).status_code == 400
    assert speaker.post("jobs/", {"project_id": str(project.pk)}).status_code == 400
    assert speaker.post("jobs/", {**body, "type": "delta_apply"}).json()["code"] == "no_deltas_to_apply"


def test_jobs_are_listed_by_query_and_by_body(speaker: Any, project: Any) -> None:
    from qfc_node.core import jobs

    jobs.request_process_projectfile(project, project.owner)
    newest = jobs.request_package(project, project.owner).job
    by_query = speaker.get(f"jobs/?project_id={project.pk}&limit=20&offset=0")
    assert by_query["X-Total-Count"] == "2"
    assert [list(job) for job in by_query.json()] == [JOB_KEYS, JOB_KEYS]
    assert by_query.json()[0]["id"] == str(newest.pk)
    by_json = speaker.ask("GET", "jobs/", {"project_id": str(project.pk)})
    by_form = speaker.client.generic(
        "GET",
        "/api/v1/jobs/",
        f"project_id={project.pk}&type=package",
        content_type="application/x-www-form-urlencoded",
        **speaker.headers,
    )
    assert by_json.json() == by_query.json()
    assert [job["type"] for job in by_form.json()] == ["package"]
    assert speaker.get("jobs/").status_code == 400
    assert speaker.get("jobs/?project_id=nonsense").status_code == 400
    assert speaker.get(f"jobs/?project_id={uuid.uuid4()}").status_code == 404
    assert speaker.get(f"jobs/{uuid.uuid4()}/").status_code == 404
    assert speaker.get(f"jobs/{newest.pk}").json()["type"] == "package"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"subscription": "inactive_past_due"}, 403, "inactive_subscription"),
        ({"storage_mb": 0}, 402, "over_quota"),
        ({"is_external_db_supported": False}, 403, "permission_denied_plan_insufficient"),
        ({"max_premium_collaborators_per_private_project": 0}, 403, "permission_denied_plan_insufficient"),
    ],
)
def test_no_job_is_started_beyond_the_plan(
    speaker: Any, project: Any, change: dict[str, Any], status: int, code: str
) -> None:
    from api_world import person
    from qfc_node.core.models import Plan, Project, ProjectCollaborator, Subscription

    ProjectCollaborator.objects.create(project=project, collaborator=person("bob"), role="reader")
    online = {"layers_by_id": {"a": {"provider_name": "WFS"}}}
    Project.objects.update(project_filename="a.qgs", file_storage_bytes=1, project_details=online)
    body = {"project_id": str(project.pk), "type": "package"}
    assert speaker.post("jobs/", body).status_code == 201
    if "subscription" in change:
        Subscription.objects.update(status=change["subscription"])
    else:
        Plan.objects.update(**change)
    answer = speaker.post("jobs/", {**body, "force": True})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_full_storage_stops_packages_only(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Plan, Project

    Project.objects.update(project_filename="a.qgs", file_storage_bytes=1)
    Plan.objects.update(storage_mb=0)
    body = {"project_id": str(project.pk), "type": "process_projectfile"}
    assert speaker.post("jobs/", body).status_code == 201


def test_collaborators_are_given_roles(speaker: Any, project: Any) -> None:
    from api_world import Speaker, person

    bob = Speaker(person("bob"))
    address = f"collaborators/{project.pk}/"
    made = speaker.form(f"{address}?limit=20&offset=0", collaborator="bob", role="reporter")
    assert made.status_code == 201
    assert list(made.json()) == [
        "project_id",
        "collaborator",
        "role",
        "created_by",
        "updated_by",
        "created_at",
        "updated_at",
    ]
    again = speaker.form(address, collaborator="bob", role="reporter")
    assert (again.status_code, again.json()["code"]) == (400, "validation_error")
    assert speaker.get(f"{address}?limit=20&offset=0")["X-Total-Count"] == "1"
    assert bob.get(f"projects/{project.pk}/").json()["user_role_origin"] == "collaborator"
    assert speaker.patch(f"{address}bob/", {"role": "editor"}).json()["role"] == "editor"
    assert speaker.patch(f"{address}bob/", {"role": "king"}).status_code == 400
    assert speaker.post(address, {"collaborator": "nemo"}).status_code == 404
    assert speaker.delete(f"{address}bob/").status_code == 204
    assert speaker.get(f"{address}bob/").status_code == 404


def test_nobody_hands_out_more_than_they_have(speaker: Any, project: Any) -> None:
    from api_world import Speaker, person
    from qfc_node.core.models import ProjectCollaborator

    del speaker
    manager = Speaker(person("manager"))
    ProjectCollaborator.objects.create(project=project, collaborator_id=manager_id(), role="manager")
    ProjectCollaborator.objects.create(project=project, collaborator=person("admin"), role="admin")
    address = f"collaborators/{project.pk}/"
    assert manager.patch(f"{address}manager/", {"role": "admin"}).status_code == 403
    assert manager.patch(f"{address}admin/", {"role": "reader"}).status_code == 403
    assert manager.delete(f"{address}admin/").status_code == 403


def manager_id() -> int:
    from qfc_node.core.models import User

    return User.objects.get(username="manager").pk


def test_secrets_are_written_and_never_read_back(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Secret
    from qfc_node.core.sealing import unseal

    address = f"projects/{project.pk}/secrets/"
    made = speaker.post(address, {"name": "PGPASSWORD", "type": "envvar", "value": "swordfish"})
    assert made.status_code == 201
    assert list(made.json()) == ["name", "type", "created_by", "created_at"]
    listed = speaker.get(address)
    assert [secret["name"] for secret in listed.json()] == ["PGPASSWORD"]
    assert b"swordfish" not in made.content + listed.content
    stored = bytes(Secret.objects.get().value)
    assert b"swordfish" not in stored
    assert unseal(stored) == "swordfish"
    assert speaker.post(address, {"name": "PGPASSWORD", "type": "envvar", "value": "x"}).status_code == 409
    assert speaker.post(address, {"name": "B@D", "type": "envvar", "value": "x"}).status_code == 400
    assert speaker.delete(f"{address}PGPASSWORD/").status_code == 204
    assert speaker.delete(f"{address}PGPASSWORD/").status_code == 404


def test_a_seed_is_what_was_set(speaker: Any, project: Any) -> None:
    from qfc_node.core.models import Project, ProjectSeed

    address = f"projects/{project.pk}/seed/"
    assert (speaker.get(address).status_code, speaker.get(address).json()["code"]) == (404, "object_not_found")
    assert speaker.get(f"{address}xlsform/").status_code == 204
    Project.objects.update(project_details={"crs": "EPSG:4326", "extent": "Polygon ((7 46, 10 46, 10 48, 7 48, 7 46))"})
    assert speaker.send(f"{address}xlsform/", b"form", "xlsform", "PUT").status_code == 204
    told = speaker.get(address).json()
    keys = {"project", "name", "crs", "extent", "settings", "xlsform_file", "clone_from_project"}
    assert set(told) == keys
    assert (told["project"], told["extent"], told["xlsform_file"]) == (str(project.pk), [7, 46, 10, 48], "xlsform")
    ProjectSeed.objects.all().delete()
    basemaps = [{"name": "OpenStreetMap"}]
    body = {"crs": "EPSG:2056", "extent": [1, 2, 3.5, 4], "basemaps": basemaps}
    assert speaker.ask("PUT", address, body).json()["settings"] == {"basemaps": basemaps, "xlsform": None}
    assert speaker.send(f"{address}xlsform/", b"form", "xlsform", "PUT").status_code == 204
    sent = speaker.get(f"{address}xlsform/")
    assert (sent.content, "attachment" in sent["Content-Disposition"]) == (b"form", True)
    assert speaker.get(address).json()["settings"]["xlsform"] == "xlsform"
    for extent in ([1, 2, 3], [1, 2, 3, "4"], [1, 2, 3, True], "1,2,3,4", [1, 2, 3, 10**400]):
        assert speaker.ask("PUT", address, {"crs": "EPSG:2056", "extent": extent}).status_code == 400


def test_a_thumbnail_is_as_large_as_is_said(django_ready: None, tmp_path: Path) -> None:
    """The size of the file in bytes and of the picture in pixels are both checked before the picture is decoded."""
    from PIL import Image

    from api_world import picture
    from qfc_node.core.thumbnails import MAX_BYTES, MAX_PIXELS, SIDE, picture_from
    from qfc_node.storage.errors import RejectedError

    path = tmp_path / "thumbnail.png"
    path.write_bytes(picture())
    os.truncate(path, MAX_BYTES)
    picture_from(path)
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(RejectedError, match="bytes"):
        picture_from(path)
    for height in (MAX_PIXELS // 10_000, MAX_PIXELS // 10_000 + 1):
        Image.new("1", (10_000, height)).save(path)
        if height * 10_000 > MAX_PIXELS:
            with pytest.raises(RejectedError, match="pixels"):
                picture_from(path)
        else:
            kept = Image.open(io.BytesIO(picture_from(path)))
            assert max(kept.size) == SIDE


def test_a_thumbnail_is_a_picture(speaker: Any, project: Any) -> None:
    from api_world import picture

    address = f"projects/{project.pk}/thumbnail/"
    assert speaker.get(address).status_code == 404
    assert speaker.send(address, b"no picture", "thumbnail").status_code == 400
    assert speaker.send(address, picture(), "thumbnail").status_code == 204
    for path in (address, f"files/meta/{project.pk}/thumbnail.png"):
        answer = speaker.get(path)
        assert answer["Content-Type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
