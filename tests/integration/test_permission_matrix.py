"""All permissions: every role, from every origin, for every URL with every method.

The tables below restate the permissions of the official server, independently of the node's own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

STRENGTH = {"reader": 1, "reporter": 2, "editor": 3, "manager": 4, "admin": 5}

#: method, address, weakest role that may, status when allowed, what is sent
PROJECT_TABLE = [
    ("GET", "projects/{p}/", "reader", 200, None),
    ("GET", "projects/{p}/seed/", "reader", 200, None),
    ("GET", "projects/{p}/seed/xlsform/", "reader", 204, None),
    ("GET", "projects/{p}/seed/json2qgis/", "reader", 204, None),
    ("GET", "projects/{p}/thumbnail/", "reader", 200, None),
    ("GET", "files/meta/{p}/thumbnail.png", "reader", 200, None),
    ("GET", "files/thumbnails/{p}/", "reader", 200, None),
    ("GET", "files/metadata/{p}/notes.txt/", "reader", 200, None),
    ("GET", "files/{p}/", "reader", 200, None),
    ("GET", "files/{p}/notes.txt/", "reader", 200, None),
    ("GET", "files/{p}/notes.txt/?version={version}", "reader", 200, None),
    ("GET", "packages/{p}/latest/", "reader", 200, None),
    ("GET", "packages/{p}/latest/files/data.gpkg/", "reader", 200, None),
    ("GET", "packages/{p}/latest/files/DCIM/photo.jpg/", "reader", 200, None),
    ("GET", "qfield-files/{p}/", "reader", 200, None),
    ("GET", "jobs/?project_id={p}", "reader", 200, None),
    ("GET", "jobs/{job}/", "reader", 200, None),
    ("POST", "jobs/", "reader", 200, {"project_id": "{p}", "type": "package"}),
    ("POST", "jobs/", "reader", 201, {"project_id": "{p}", "type": "package", "force": True}),
    ("POST", "jobs/", "reporter", 201, {"project_id": "{p}", "type": "process_projectfile"}),
    ("POST", "jobs/", "manager", 201, {"project_id": "{p}", "type": "delta_apply"}),
    ("FILE", "files/{p}/new.txt/", "reporter", 201, b"new"),
    ("FILE", "files/{p}/notes.txt/", "reporter", 201, b"newer"),
    ("FILE", "files/{p}/survey.qgs/", "reporter", 201, b"<qgis/>"),
    ("FILE", "deltas/{p}/", "reporter", 200, "deltafile"),
    ("GET", "deltas/{p}/", "reporter", 200, None),
    ("GET", "deltas/{p}/{deltafile}/", "reporter", 200, None),
    ("PATCH", "deltas/{p}/{deltafile}/", "manager", 200, {"status": "ignored"}),
    ("POST", "deltas/apply/{p}/", "manager", 200, None),
    ("DELETE", "files/{p}/notes.txt/", "editor", 204, None),
    ("DELETE", "files/{p}/notes.txt/?version={version}", "admin", 204, None),
    ("PATCH", "projects/{p}/", "manager", 200, {"description": "changed"}),
    ("PUT", "projects/{p}/", "manager", 200, {"name": "renamed", "private": False}),
    ("DELETE", "projects/{p}/", "manager", 204, None),
    ("FILE", "projects/{p}/thumbnail/", "manager", 204, "picture"),
    ("PUT", "projects/{p}/seed/", "manager", 200, {"crs": "EPSG:4326", "extent": [0, 0, 1, 1]}),
    ("PUT FILE", "projects/{p}/seed/xlsform/", "manager", 204, b"form"),
    ("PUT FILE", "projects/{p}/seed/json2qgis/", "manager", 204, b"{}"),
    ("GET", "collaborators/{p}/", "manager", 200, None),
    ("GET", "collaborators/{p}/{victim}/", "manager", 200, None),
    ("POST", "collaborators/{p}/", "manager", 201, {"collaborator": "{newcomer}", "role": "reporter"}),
    ("PATCH", "collaborators/{p}/{victim}/", "manager", 200, {"role": "editor"}),
    ("PUT", "collaborators/{p}/{victim}/", "manager", 200, {"collaborator": "{victim}", "role": "editor"}),
    ("DELETE", "collaborators/{p}/{victim}/", "manager", 204, None),
    ("POST", "collaborators/{p}/", "admin", 201, {"collaborator": "{newcomer}", "role": "admin"}),
    ("PATCH", "collaborators/{p}/{victim}/", "admin", 200, {"role": "admin"}),
    ("GET", "projects/{p}/secrets/", "admin", 200, None),
    ("POST", "projects/{p}/secrets/", "admin", 201, {"name": "NEW", "type": "envvar", "value": "x"}),
    ("DELETE", "projects/{p}/secrets/KEY/", "admin", 204, None),
]

#: who, on whose project, the role that results
ACTORS = [
    ("owner", "personal", "admin"),
    ("admin", "personal", "admin"),
    ("manager", "personal", "manager"),
    ("editor", "personal", "editor"),
    ("reporter", "personal", "reporter"),
    ("reader", "personal", "reader"),
    ("stranger", "personal", None),
    ("superuser", "personal", None),
    ("nobody", "personal", "anonymous"),
    ("organization_owner", "organization", "admin"),
    ("organization_admin", "organization", "admin"),
    ("organization_member", "organization", None),
    ("organization_creator", "organization", None),
    ("team_manager", "organization", "manager"),
    ("team_editor", "organization", "editor"),
    ("team_reporter", "organization", "reporter"),
    ("team_reader", "organization", "reader"),
    ("reporter_in_editors_team", "organization", "editor"),
    ("stranger", "organization", None),
    ("stranger", "public", "reader"),
    ("reporter", "public", "reporter"),
    ("nobody", "public", "anonymous"),
    ("stranger", "public for reporters", "reporter"),
    ("stranger", "public for editors", "editor"),
    ("reader", "public for editors", "editor"),
    ("manager", "public for editors", "manager"),
]


@dataclass
class Stage:
    """All users, and one project of each kind with at least one object of every type."""

    people: dict[str, Any] = field(default_factory=dict[str, Any])
    projects: dict[str, Any] = field(default_factory=dict[str, Any])
    names: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


def _make_people(stage: Stage) -> None:
    from api_world import organization, person

    direct = ["owner", "admin", "manager", "editor", "reporter", "reader", "stranger", "victim", "newcomer"]
    belonging = ["organization_owner", "organization_admin", "organization_member", "organization_creator"]
    teams = ["team_manager", "team_editor", "team_reporter", "team_reader", "reporter_in_editors_team"]
    for name in [*direct, *belonging, *teams, "other_member"]:
        stage.people[name] = person(name)
    stage.people["superuser"] = person("superuser", is_superuser=True)
    stage.people["organization"] = organization("acme", stage.people["organization_owner"])


def _fill_organization(stage: Stage) -> None:
    from qfc_node.core.models import OrganizationMember, ProjectCollaborator, Team, TeamMember

    acme, project = stage.people["organization"], stage.projects["organization"]
    roles = {"organization_admin": "admin", "organization_creator": "creator"}
    members = [
        "organization_admin",
        "organization_member",
        "organization_creator",
        "victim",
        "newcomer",
        "other_member",
    ]
    teams = {role: f"team_{role}" for role in ("manager", "editor", "reporter", "reader")}
    for name in [*members, *teams.values(), "reporter_in_editors_team"]:
        OrganizationMember.objects.create(organization=acme, member=stage.people[name], role=roles.get(name, "member"))
    for role, name in teams.items():
        team = Team.objects.create(username=f"@acme/{role}s", team_organization=acme)
        TeamMember.objects.create(team=team, member=stage.people[name])
        ProjectCollaborator.objects.create(project=project, collaborator=team, role=role)
        if role == "editor":
            TeamMember.objects.create(team=team, member=stage.people["reporter_in_editors_team"])
    ProjectCollaborator.objects.create(
        project=project, collaborator=stage.people["reporter_in_editors_team"], role="reporter"
    )


def _make_project(stage: Stage, kind: str, owner: str, **extra: Any) -> None:
    from api_world import delta, deltafile, package, picture
    from qfc_node.core import intake, jobs, thumbnails
    from qfc_node.core.deltafile import read_deltafile
    from qfc_node.core.models import Delta, FileVersion, Project, ProjectCollaborator, ProjectRole, ProjectSeed, Secret
    from qfc_node.core.sealing import seal
    from stored_files import put_file

    user = stage.people[owner]
    project = Project.objects.create(name=kind, owner=user, project_filename="survey.qgs", **extra)
    for name in ("survey.qgs", "notes.txt", "DCIM/photo.jpg"):
        put_file(project, name, name.encode())
    put_file(project, "notes.txt", b"newer")
    package(project, stage.people["owner"], **{"data.gpkg": b"packaged"})
    job = jobs.request_package(project, stage.people["owner"]).job
    thumbnails.replace(project, picture())
    ProjectSeed.objects.create(project=project, extent=[0, 0, 1, 1])
    sent = read_deltafile(_dump(deltafile(project, delta())))
    intake.take(project, sent, stage.people["owner"], ProjectRole.ADMIN)
    _end_apply_jobs(project)
    Delta.objects.filter(project=project).update(last_status="not_applied")
    Secret.objects.create(
        project=project, name="KEY", type="envvar", value=seal("secret"), created_by=stage.people["owner"]
    )
    ProjectCollaborator.objects.create(project=project, collaborator=stage.people["victim"], role="reader")
    version = FileVersion.objects.filter(file__project=project, file__name="notes.txt").earliest("uploaded_at")
    project.refresh_from_db()
    stage.projects[kind] = project
    stage.names[kind] = {
        "p": str(project.pk),
        "job": str(job.pk),
        "version": str(version.pk),
        "deltafile": str(sent.id),
        "victim": "victim",
        "newcomer": "newcomer",
    }


def _dump(document: Any) -> bytes:
    import json

    return json.dumps(document).encode()


def _end_apply_jobs(project: Any) -> None:
    from qfc_node.core.models import ApplyJob, ApplyJobDelta

    ApplyJobDelta.objects.filter(apply_job__project=project).update(status="not_applied")
    for job in ApplyJob.objects.filter(project=project):
        job.status = "finished"
        job.save()


@pytest.fixture
def stage(node_database: Endpoint) -> Iterator[Stage]:
    from qfc_node.core.models import ProjectCollaborator

    del node_database
    made = Stage()
    _make_people(made)
    _make_project(made, "personal", "owner")
    _make_project(made, "organization", "organization")
    _fill_organization(made)
    _make_project(made, "public", "owner", is_public=True)
    _make_project(made, "public for reporters", "owner", is_public=True, public_collaborator_role="reporter")
    _make_project(made, "public for editors", "owner", is_public=True, public_collaborator_role="editor")
    for kind in ("personal", "public", "public for editors"):
        for role in ("admin", "manager", "editor", "reporter", "reader"):
            ProjectCollaborator.objects.create(project=made.projects[kind], collaborator=made.people[role], role=role)
    yield made


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    return value


def _ask(speaker: Any, project: Any, names: dict[str, str], row: tuple[str, str, str, int, Any]) -> Any:
    from api_world import delta, deltafile, picture

    method, address, _, _, body = row
    path = _filled(address, names)
    if not method.endswith("FILE"):
        return speaker.ask(method, path, _filled(body, names))
    made = {"deltafile": lambda: _dump(deltafile(project, delta())), "picture": picture}
    content = made[body]() if isinstance(body, str) else body
    part = {"thumbnail": "thumbnail", "xlsform": "xlsform", "json2qgis": "json2qgis"}.get(path.split("/")[-2], "file")
    return speaker.send(path, content, part, "PUT" if method == "PUT FILE" else "POST")


def _rolled_back(call: Any) -> Any:
    """Send a request and undo its effects, so that every row of the table finds the same state."""
    from django.db import transaction

    with transaction.atomic():
        answer = call()
        transaction.set_rollback(True)
    return answer


def _expected(role: str | None, row: tuple[str, str, str, int, Any]) -> int:
    _, _, weakest, status, _ = row
    if role == "anonymous":
        return 401
    return status if role is not None and STRENGTH[role] >= STRENGTH[weakest] else 403


def test_project_rights(stage: Stage) -> None:
    """Every cell of actors × table: about 1200 requests, each undone before the next."""
    from api_world import Speaker

    wrong: list[str] = []
    for actor, kind, role in ACTORS:
        speaker = Speaker(stage.people.get(actor))
        for row in PROJECT_TABLE:
            answer = _rolled_back(lambda s=speaker, k=kind, r=row: _ask(s, stage.projects[k], stage.names[k], r))
            if answer.status_code != _expected(role, row):
                expected = _expected(role, row)
                wrong.append(f"{actor} on {kind}: {row[0]} {row[1]} {row[4]!r}: {answer.status_code}, not {expected}")
    assert wrong == []


def test_the_list_of_projects_tells_the_role(stage: Stage) -> None:
    from api_world import Speaker

    told: dict[tuple[str, str], Any] = {}
    for actor, kind, _ in ACTORS:
        answer = Speaker(stage.people.get(actor)).get("projects/?include-public=1")
        if answer.status_code == 401:
            told[actor, kind] = "anonymous"
            continue
        listed = {project["id"]: project["user_role"] for project in answer.json()}
        told[actor, kind] = listed.get(stage.names[kind]["p"])
    assert told == {(actor, kind): role for actor, kind, role in ACTORS}


def test_a_project_that_is_not_there_is_not_found_for_everybody(stage: Stage) -> None:
    from api_world import Speaker

    names = {**stage.names["personal"], "p": str(uuid.uuid4()), "job": str(uuid.uuid4())}
    speaker = Speaker(stage.people["owner"])
    statuses = {
        (row[0], row[1]): _ask(speaker, stage.projects["personal"], names, row).status_code for row in PROJECT_TABLE
    }
    assert {pair: status for pair, status in statuses.items() if status != 404} == {}


def test_a_restricted_qgis_file_is_changed_by_managers_only(stage: Stage) -> None:
    from api_world import Speaker

    project = stage.projects["personal"]
    project.has_restricted_projectfiles = True
    project.save()
    for role in ("owner", "admin", "manager", "editor", "reporter"):
        speaker = Speaker(stage.people[role])
        answer = speaker.send(f"files/{project.pk}/survey.qgs/", b"<qgis/>")
        assert answer.status_code == (403 if role in ("editor", "reporter") else 201), role
        if answer.status_code == 403:
            assert answer.json()["code"] == "restricted_project_modification"
        assert speaker.send(f"files/{project.pk}/other.txt/", b"x").status_code == 201
    assert Speaker(stage.people["editor"]).delete(f"files/{project.pk}/survey.qgs/").status_code == 403


#: method, address, weakest of (stranger, member, admin, owner), status when allowed, what is sent
ORGANIZATION_TABLE = [
    ("GET", "users/acme/", "stranger", 200, None),
    ("GET", "users/", "stranger", 200, None),
    ("GET", "members/acme/", "member", 200, None),
    ("GET", "members/acme/victim/", "member", 200, None),
    ("POST", "members/acme/", "admin", 201, {"member": "stranger", "role": "member", "is_public": True}),
    ("PATCH", "members/acme/victim/", "admin", 200, {"role": "admin"}),
    ("PUT", "members/acme/victim/", "admin", 200, {"member": "victim", "role": "admin"}),
    ("DELETE", "members/acme/victim/", "admin", 204, None),
    ("GET", "organizations/acme/teams/", "member", 200, None),
    ("POST", "organizations/acme/teams/", "admin", 201, {"team": "new"}),
    ("GET", "organizations/acme/teams/editors/", "member", 200, None),
    ("PUT", "organizations/acme/teams/editors/", "admin", 200, {"team": "renamed"}),
    ("PATCH", "organizations/acme/teams/editors/", "admin", 200, {"team": "renamed"}),
    ("DELETE", "organizations/acme/teams/editors/", "admin", 204, None),
    ("GET", "organizations/acme/teams/editors/members/", "member", 200, None),
    ("POST", "organizations/acme/teams/editors/members/", "admin", 201, {"member": "victim"}),
    ("DELETE", "organizations/acme/teams/editors/members/team_editor/", "admin", 204, None),
    ("GET", "subscriptions/acme/current/", "admin", 200, None),
    ("POST", "projects/", "admin", 201, {"name": "theirs", "owner": "acme"}),
]
BELONGING = [
    ("organization_owner", "admin"),
    ("organization_admin", "admin"),
    ("organization_member", "member"),
    ("stranger", "stranger"),
    ("nobody", "anonymous"),
]
DEGREES = {"stranger": 0, "member": 1, "admin": 2}


def test_organization_rights(stage: Stage) -> None:
    from api_world import Speaker

    wrong: list[str] = []
    for actor, degree in BELONGING:
        speaker = Speaker(stage.people.get(actor))
        for method, address, weakest, status, body in ORGANIZATION_TABLE:
            allowed = degree != "anonymous" and DEGREES[degree] >= DEGREES[weakest]
            expected = status if allowed else 401 if degree == "anonymous" else 403
            answer = _rolled_back(lambda s=speaker, m=method, a=address, b=body: s.ask(m, a, b))
            if answer.status_code != expected:
                wrong.append(f"{actor}: {method} {address}: {answer.status_code}, not {expected}")
    assert wrong == []


def test_creators_make_projects_of_the_organization(stage: Stage) -> None:
    from api_world import Speaker

    speaker = Speaker(stage.people["organization_creator"])
    assert speaker.post("projects/", {"name": "ours", "owner": "acme"}).status_code == 201


#: method, address, what is sent, status for oneself, for somebody else, for a superuser, for nobody
PERSON_TABLE = [
    ("GET", "users/owner/", None, 200, 200, 200, 401),
    ("PATCH", "users/owner/", {"first_name": "Ada"}, 200, 403, 403, 401),
    ("PUT", "users/owner/", {"username": "owner", "first_name": "Ada"}, 200, 403, 403, 401),
    ("DELETE", "users/owner/avatar/", None, 204, 403, 204, 401),
    ("GET", "users/owner/organizations/", None, 200, 403, 403, 401),
    ("GET", "subscriptions/owner/current/", None, 200, 403, 200, 401),
    ("GET", "members/owner/", None, 403, 403, 403, 401),
    (
        "POST",
        "users/",
        {"username": "zed", "password": "correct-horse", "email": "zed@example.com"},
        403,
        403,
        201,
        401,
    ),
    ("POST", "organizations/", {"username": "newco", "organization_owner": "owner"}, 403, 403, 201, 401),
    ("GET", "organizations/", None, 200, 200, 200, 401),
    ("GET", "projects/", None, 200, 200, 200, 401),
    ("GET", "projects/public/", None, 200, 200, 200, 401),
    ("POST", "projects/", {"name": "mine", "owner": "owner"}, 201, 403, 403, 401),
    ("GET", "auth/user/", None, 200, 200, 200, 401),
    ("POST", "auth/logout/", None, 200, 200, 200, 200),
    ("GET", "auth/providers/", None, 200, 200, 200, 200),
    ("GET", "server/info/", None, 200, 200, 200, 200),
    ("GET", "status/", None, 200, 200, 200, 200),
]


def test_rights_of_people(stage: Stage) -> None:
    from api_world import Speaker

    wrong: list[str] = []
    for column, actor in enumerate(["owner", "stranger", "superuser", "nobody"], start=3):
        speaker = Speaker(stage.people.get(actor))
        for row in PERSON_TABLE:
            answer = _rolled_back(lambda s=speaker, r=row: s.ask(r[0], r[1], r[2]))
            if answer.status_code != row[column]:
                wrong.append(f"{actor}: {row[0]} {row[1]}: {answer.status_code}, not {row[column]}")
    assert wrong == []


def test_the_e_mail_address_is_told_to_its_person_only(stage: Stage) -> None:
    from api_world import Speaker

    assert Speaker(stage.people["owner"]).get("users/owner/").json()["email"] == "owner@example.com"
    assert "email" not in Speaker(stage.people["stranger"]).get("users/owner/").json()
    assert "members" not in Speaker(stage.people["stranger"]).get("users/acme/").json()
    assert "victim" in Speaker(stage.people["organization_member"]).get("users/acme/").json()["members"]


def test_who_leaves_an_organization_loses_teams_and_projects(stage: Stage) -> None:
    from api_world import Speaker

    left = Speaker(stage.people["reporter_in_editors_team"])
    project = stage.names["organization"]["p"]
    assert left.get(f"projects/{project}/").json()["user_role"] == "editor"
    owner = Speaker(stage.people["organization_owner"])
    assert owner.delete("members/acme/reporter_in_editors_team/").status_code == 204
    assert left.get(f"projects/{project}/").status_code == 403


def test_only_members_and_teams_collaborate_in_an_organization(stage: Stage) -> None:
    from api_world import Speaker

    owner = Speaker(stage.people["organization_owner"])
    address = f"collaborators/{stage.names['organization']['p']}/"
    assert owner.post(address, {"collaborator": "stranger", "role": "reader"}).status_code == 400
    assert owner.delete(f"{address}@acme/editors/").status_code == 204
    assert owner.post(address, {"collaborator": "@acme/editors", "role": "reader"}).status_code == 201
    personal = f"collaborators/{stage.names['personal']['p']}/"
    assert Speaker(stage.people["owner"]).post(personal, {"collaborator": "@acme/editors"}).status_code == 400
    assert Speaker(stage.people["owner"]).post(personal, {"collaborator": "owner"}).status_code == 400
