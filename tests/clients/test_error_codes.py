"""Statuses and codes of refusals, by which clients decide what to tell their users and whether to try again."""

from __future__ import annotations

import io
import uuid
import zipfile
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def speaker(alice: Any) -> Any:
    from api_world import Speaker

    return Speaker(alice)


@pytest.fixture
def project(alice: Any) -> Any:
    from qfc_node.core.models import Project

    return Project.objects.create(name="survey", owner=alice)


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.json()["message"]
    return answer.status_code, answer.json()["code"]


def test_edits_need_a_qgis_file(speaker: Any, project: Any) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Delta, Project

    sent = deltafile(project, delta())
    assert refusal(speaker.push(project, sent)) == (400, "no_qgis_project")
    assert refusal(speaker.post(f"deltas/apply/{project.pk}/")) == (400, "no_qgis_project")
    assert Delta.objects.count() == 0
    Project.objects.update(project_filename="survey.qgs")
    assert speaker.push(project, sent).status_code == 200


def zipped(**files: bytes) -> bytes:
    """Return an archive whose bytes are always the same: they are in the names of tests."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", ".")), content)
    return written.getvalue()


HEAD = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


@pytest.mark.parametrize(
    ("name", "content", "is_fine"),
    [
        ("a.qgs", b'<qgis version="3.44.3">', True),
        ("a.qgs", HEAD + b"<!-- " + b"x" * 40_000 + b' --><qgis version="3.44.3"><title/></qgis>', True),
        ("a.qgs", '\ufeff<?xml version="1.0" encoding="UTF-8"?><qgis/>'.encode(), True),
        ("a.QGS", b"no XML", False),
        ("a.qgs", b"", False),
        ("a.qgs", b"<html></html>", False),
        ("a.qgs", b"\x00\xff" * 50, False),
        ("a.qgz", zipped(a__qgs=HEAD + b"<qgis/>", a__qgd=b"x"), True),
        ("a.qgz", zipped(other__qgs=b"<qgis/>"), True),
        ("a.qgz", zipped(a__txt=b"<qgis/>"), False),
        ("a.qgz", zipped(a__qgs=b"<svg/>"), False),
        ("a.qgz", b"no zip", False),
    ],
)
def test_a_project_file_is_one_of_qgis(speaker: Any, project: Any, name: str, content: bytes, is_fine: bool) -> None:
    answer = speaker.send(f"files/{project.pk}/{name}/", content)
    if is_fine:
        assert answer.status_code == 201
    else:
        assert refusal(answer) == (400, "invalid_qgis_project_file")
        assert speaker.get(f"files/{project.pk}/").json() == []


def test_a_template_is_neither_packaged_nor_edited(speaker: Any, project: Any) -> None:
    from api_world import delta, deltafile
    from qfc_node.core.models import Project

    Project.objects.update(project_filename="survey.qgs", project_type="template")
    code = (400, "operation_not_allowed_for_template_project")
    for kind in ("package", "delta_apply"):
        assert refusal(speaker.post("jobs/", {"project_id": str(project.pk), "type": kind})) == code
    assert refusal(speaker.push(project, deltafile(project, delta()))) == code
    assert refusal(speaker.post(f"deltas/apply/{project.pk}/")) == code
    body = {"project_id": str(project.pk), "type": "process_projectfile"}
    assert speaker.post("jobs/", body).status_code == 201
    assert speaker.get(f"projects/{project.pk}/").json()["can_repackage"] is False


def test_logging_out_without_a_token_is_no_error(speaker: Any) -> None:
    from api_world import Speaker

    assert Speaker().post("auth/logout/").status_code == 200
    assert speaker.get("auth/user/").status_code == 200
    assert speaker.post("auth/logout/").json() == {"detail": "Successfully logged out."}
    assert refusal(speaker.get("auth/user/")) == (401, "token_authentication_failed")


def test_a_project_without_a_seed_says_so(speaker: Any, project: Any) -> None:
    assert refusal(speaker.get(f"projects/{project.pk}/seed/")) == (404, "object_not_found")


def test_the_only_version_of_a_file_is_not_deleted_by_its_id(speaker: Any, project: Any) -> None:
    address = f"files/{project.pk}/notes.txt/"
    speaker.send(address, b"one")
    (version,) = speaker.get(f"files/{project.pk}/").json()[0]["versions"]
    for answer in (
        speaker.delete(address, HTTP_X_FILE_VERSION=version["version_id"]),
        speaker.delete(f"{address}?version={version['version_id']}"),
    ):
        assert refusal(answer) == (400, "explicit_deletion_of_last_version")
    assert refusal(speaker.delete(f"{address}?version={uuid.uuid4()}")) == (404, "object_not_found")
    assert speaker.delete(address).status_code == 204


def test_a_range_beyond_the_end_has_a_code(speaker: Any, project: Any) -> None:
    speaker.send(f"files/{project.pk}/a.bin/", b"abc")
    assert refusal(speaker.get(f"files/{project.pk}/a.bin/", HTTP_RANGE="bytes=3-")) == (416, "invalid_http_range")


@pytest.mark.parametrize(
    ("name", "is_restricted"),
    [
        ("survey.qgs", True),
        ("survey.qgd", True),
        ("survey_attachments.zip", True),
        ("survey.qml", True),
        ("trees.qml", False),
        ("notes.txt", False),
    ],
)
def test_a_restricted_project_is_changed_by_managers(
    speaker: Any, project: Any, name: str, is_restricted: bool
) -> None:
    from api_world import Speaker, person
    from qfc_node.core.models import Project, ProjectCollaborator

    Project.objects.update(has_restricted_projectfiles=True, project_filename="survey.qgs")
    editor = person("editor")
    ProjectCollaborator.objects.create(project=project, collaborator=editor, role="editor")
    answer = Speaker(editor).send(f"files/{project.pk}/{name}/", b"<qgis/>")
    assert speaker.send(f"files/{project.pk}/{name}/", b"<qgis/>").status_code == 201
    if is_restricted:
        assert refusal(answer) == (403, "restricted_project_modification")
    else:
        assert answer.status_code == 201


def test_the_projects_of_an_inactive_account_stand_still(speaker: Any, project: Any, alice: Any) -> None:
    from api_world import Speaker, person
    from qfc_node.core.models import Project, ProjectCollaborator, User

    Project.objects.update(project_filename="survey.qgs")
    bob = person("bob")
    ProjectCollaborator.objects.create(project=project, collaborator=bob, role="manager")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    body = {"project_id": str(project.pk), "type": "package"}
    assert refusal(Speaker(bob).post("jobs/", body)) == (403, "permission_denied_inactive")
    upload = Speaker(bob).send(f"files/{project.pk}/a.txt/", b"x")
    assert refusal(upload) == (403, "permission_denied_inactive")
    assert Speaker(bob, "qfield").send(f"files/{project.pk}/DCIM/photo.jpg/", b"x").status_code == 201


def test_whoever_reads_a_project_may_have_it_packaged(project: Any) -> None:
    """Else a reader's QField waits for a package that nobody requests."""
    from api_world import Speaker, person
    from qfc_node.core.models import Project

    Project.objects.update(project_filename="survey.qgs", is_public=True)
    reader = Speaker(person("reader"), "qfield")
    assert reader.get(f"projects/{project.pk}/").json()["can_repackage"] is True
    job = reader.post("jobs/", {"project_id": str(project.pk), "type": "package"})
    assert job.status_code == 201
    assert reader.get(f"jobs/{job.json()['id']}/").json()["status"] == "pending"
    body = {"project_id": str(project.pk), "type": "process_projectfile"}
    assert refusal(reader.post("jobs/", body)) == (403, "permission_denied")
