"""Projects as clients of late 2026 read and write them: their fields, shared datasets, attachments on demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

#: The fields of the official server of 2026 (v26.24).
FIELDS = [
    "id",
    "name",
    "project_type",
    "owner",
    "description",
    "private",
    "is_public",
    "created_at",
    "updated_at",
    "data_last_packaged_at",
    "data_last_updated_at",
    "restricted_data_last_updated_at",
    "can_repackage",
    "needs_repackaging",
    "status",
    "user_role",
    "user_role_origin",
    "shared_datasets_project_id",
    "is_shared_datasets_project",
    "is_featured",
    "is_attachment_download_on_demand",
    "has_restricted_projectfiles",
    "overwrite_conflicts",
    "file_storage_bytes",
    "the_qgis_file_name",
]


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def speaker(alice: Any) -> Any:
    from api_world import Speaker

    return Speaker(alice)


def made(speaker: Any, **fields: Any) -> dict[str, Any]:
    answer = speaker.post("projects/", fields)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_every_field_is_told_with_its_type(speaker: Any) -> None:
    """QField drops a project if one of the types is wrong."""
    project = made(speaker, name="survey", owner="alice", description="", private=True)

    (listed,) = speaker.get("projects/?limit=250&offset=0").json()

    assert set(FIELDS) <= set(project)
    assert set(listed) == set(project)
    texts = {"id", "name", "owner", "description", "user_role", "user_role_origin", "status", "project_type"}
    flags = {name for name in FIELDS if name.startswith(("is_", "can_", "needs_", "has_"))} | {"overwrite_conflicts"}
    assert all(isinstance(listed[name], str) for name in texts)
    assert all(isinstance(listed[name], bool) for name in flags)
    empty = {"restricted_data_last_updated_at", "shared_datasets_project_id", "the_qgis_file_name"}
    assert all(listed[name] is None for name in empty)


def test_the_qgis_file_and_its_last_change_are_told(speaker: Any) -> None:
    project = made(speaker, name="survey")["id"]

    def told(*names: str) -> list[Any]:
        found = speaker.get(f"projects/{project}/").json()
        return [found[name] for name in names]

    speaker.send(f"files/{project}/notes.txt/", b"x")
    assert told("the_qgis_file_name", "restricted_data_last_updated_at") == [None, None]
    speaker.send(f"files/{project}/survey.qgs/", b"<qgis/>")
    name, first = told("the_qgis_file_name", "restricted_data_last_updated_at")
    assert (name, bool(first)) == ("survey.qgs", True)
    speaker.send(f"files/{project}/notes.txt/", b"y")
    assert told("restricted_data_last_updated_at") == [first]
    speaker.send(f"files/{project}/survey_attachments.zip/", b"z")
    (second,) = told("restricted_data_last_updated_at")
    assert second > first
    speaker.delete(f"files/{project}/survey.qgs/")
    (third,) = told("restricted_data_last_updated_at")
    assert third > second


def test_attachments_on_demand_are_remembered(speaker: Any) -> None:
    project = made(speaker, name="survey", is_attachment_download_on_demand=True)
    assert project["is_attachment_download_on_demand"] is True
    address = f"projects/{project['id']}/"
    assert speaker.patch(address, {"description": "x"}).json()["is_attachment_download_on_demand"] is True
    assert speaker.patch(address, {"is_attachment_download_on_demand": False}).json()[
        "is_attachment_download_on_demand"
    ] is (False)
    copy = made(speaker, name="copy", clone_from_project=project["id"])
    assert copy["is_attachment_download_on_demand"] is False


def test_only_superusers_feature_a_project(speaker: Any) -> None:
    """It comes before all others in everybody's list."""
    from api_world import Speaker, person
    from qfc_node.core.models import ProjectCollaborator

    project = made(speaker, name="survey")["id"]
    address = f"projects/{project}/"
    assert refusal(speaker.patch(address, {"is_featured": True})) == (403, "permission_denied")
    assert refusal(speaker.post("projects/", {"name": "x", "is_featured": True})) == (403, "permission_denied")
    assert speaker.ask("PUT", address, {"name": "survey", "is_featured": False}).status_code == 200
    root = person("root", is_superuser=True)
    ProjectCollaborator.objects.create(project_id=project, collaborator=root, role="manager")
    assert Speaker(root).patch(address, {"is_featured": True}).json()["is_featured"] is True
    assert speaker.ask("PUT", address, {"name": "survey", "is_featured": True}).status_code == 200


class TestSharedDatasets:
    """A project by the name of `shared_datasets`: its files are those that localized layers refer to."""

    def test_the_name_makes_the_type(self, speaker: Any) -> None:
        survey = made(speaker, name="survey")
        assert survey["shared_datasets_project_id"] is None
        shared = made(speaker, name="shared_datasets", project_type="shared_datasets")

        told = {project["name"]: project for project in speaker.get("projects/").json()}

        assert shared["project_type"] == "shared_datasets"
        assert told["survey"]["shared_datasets_project_id"] == shared["id"]
        assert told["survey"]["is_shared_datasets_project"] is False
        assert told["shared_datasets"]["is_shared_datasets_project"] is True
        assert (told["shared_datasets"]["status"], told["shared_datasets"]["can_repackage"]) == ("ok", False)
        assert made(speaker, name="other")["shared_datasets_project_id"] == shared["id"]

    def test_it_belongs_to_its_owner(self, speaker: Any) -> None:
        from api_world import Speaker, person

        made(speaker, name="shared_datasets")
        assert made(Speaker(person("bob")), name="survey")["shared_datasets_project_id"] is None

    def test_there_is_one_and_only_by_that_name(self, speaker: Any) -> None:
        body = {"name": "survey", "project_type": "shared_datasets"}
        assert refusal(speaker.post("projects/", body)) == (400, "api_error")
        made(speaker, name="Shared_Datasets")
        assert refusal(speaker.post("projects/", {"name": "shared_datasets"})) == (400, "project_already_exists")

    def test_a_renamed_project_changes_its_type(self, speaker: Any) -> None:
        project = made(speaker, name="survey")["id"]
        address = f"projects/{project}/"
        assert speaker.patch(address, {"name": "shared_datasets"}).json()["project_type"] == "shared_datasets"
        assert speaker.patch(address, {"name": "survey"}).json()["project_type"] == "regular"
        speaker.send(f"files/{project}/survey.qgs/", b"<qgis/>")
        refused = speaker.patch(address, {"name": "shared_datasets"})
        assert refusal(refused) == (400, "qgis_project_file_not_allowed")

    def test_an_old_project_of_that_name_with_a_qgis_file_stays_usable(self, speaker: Any, alice: Any) -> None:
        from qfc_node.core.models import Project

        old = Project.objects.create(name="shared_datasets", owner=alice, project_filename="survey.qgs")
        changed = speaker.patch(f"projects/{old.pk}/", {"description": "changed"})
        assert (changed.status_code, changed.json()["project_type"]) == (200, "regular")

    def test_it_holds_data_and_no_project(self, speaker: Any) -> None:
        """Phones fetch its files one by one, as far as their user may read the project."""
        from api_world import Speaker, person
        from qfc_node.core.models import Job, ProjectCollaborator

        shared = made(speaker, name="shared_datasets")["id"]
        for name in ("survey.qgs", "survey.qgz"):
            refused = speaker.send(f"files/{shared}/{name}/", b"<qgis/>")
            assert refused.json()["code"] in ("qgis_project_file_not_allowed", "invalid_qgis_project_file")
        assert speaker.send(f"files/{shared}/base/roads.gpkg/", b"roads").status_code == 201
        assert Job.objects.count() == 0
        bob = person("bob")
        assert refusal(Speaker(bob, "qfield").get(f"files/{shared}/")) == (403, "permission_denied")
        ProjectCollaborator.objects.create(project_id=shared, collaborator=bob, role="reader")
        phone = Speaker(bob, "qfield")
        assert [file["name"] for file in phone.get(f"files/{shared}/").json()] == ["base/roads.gpkg"]
        assert phone.get(f"files/{shared}/base/roads.gpkg/").body == b"roads"
        body = {"project_id": shared, "type": "package"}
        assert refusal(speaker.post("jobs/", body)) == (400, "no_qgis_project")

    def test_its_files_count(self, speaker: Any) -> None:
        from qfc_node.core.models import Plan

        shared = made(speaker, name="shared_datasets")["id"]
        Plan.objects.update(storage_mb=0)
        assert refusal(speaker.send(f"files/{shared}/a.gpkg/", b"x")) == (402, "over_quota")

    def test_it_is_not_copied(self, speaker: Any) -> None:
        shared = made(speaker, name="shared_datasets")["id"]
        refused = speaker.post("projects/", {"name": "copy", "clone_from_project": shared})
        assert refusal(refused) == (400, "not_cloneable_project")


def test_a_copy_has_the_settings_and_stays_private(speaker: Any) -> None:
    fields = {"description": "words", "has_restricted_projectfiles": True, "overwrite_conflicts": False}
    source = made(speaker, name="survey", is_public=True, is_attachment_download_on_demand=True, **fields)
    copy = made(speaker, name="copy", clone_from_project=source["id"])
    kept = {**fields, "is_attachment_download_on_demand": True, "is_public": False}
    assert {name: copy[name] for name in kept} == kept


SEED = {"basemap_provider": "osm", "basemap_style": "grayscale_dark", "extent": "7, 46,8,47"}


@pytest.mark.parametrize("form", [SEED, json.dumps(SEED)])
def test_a_seed_makes_a_project_with_a_base_map(speaker: Any, form: Any) -> None:
    project = made(speaker, name="seeded", description="words", seed=form)
    assert (project["the_qgis_file_name"], project["status"], project["description"]) == (
        "project.qgz",
        "busy",
        "words",
    )
    assert not project.keys() & {"seed", "xlsform_file"}
    (file,) = speaker.get(f"files/{project['id']}/").json()
    assert (file["name"], file["size"]) == ("project.qgz", project["file_storage_bytes"])
    seed = speaker.get(f"projects/{project['id']}/seed/").json()
    assert (seed["crs"], seed["extent"], seed["clone_from_project"]) == ("EPSG:3857", [7, 46, 8, 47], None)
    (basemap,) = seed["settings"]["basemaps"]
    assert (basemap["name"], basemap["style"]) == ("OpenStreetMap (Grayscale Dark)", "grayscale_dark")
    (job,) = speaker.get(f"jobs/?project_id={project['id']}").json()
    assert job["type"] == "process_projectfile"


def test_a_seed_without_anything_is_an_empty_project(speaker: Any) -> None:
    project = made(speaker, name="seeded", seed={})
    seed = speaker.get(f"projects/{project['id']}/seed/").json()
    assert (seed["extent"], seed["settings"]["basemaps"]) == ([-180, -90, 180, 90], [])


@pytest.mark.parametrize(
    "seed",
    [
        "{not valid json",
        pytest.param("[" * 100_000, id="deep"),
        [1],
        {"basemap_provider": "custom"},
        {"basemap_provider": "custom", "basemap_url": "file:///etc/passwd"},
        {"basemap_provider": "nobody"},
        {"basemap_style": "pink"},
        {"extent": "not,valid,extent,data"},
        {"extent": "7,46,8"},
        {"extent": "8,46,7,47"},
        {"extent": "7,46,8,91"},
        {"extent": "nan,nan,nan,nan"},
        {"extent": [7, 46, 8, 47]},
    ],
)
def test_a_seed_that_is_wrong_makes_nothing(speaker: Any, seed: Any) -> None:
    refused = speaker.post("projects/", {"name": "seeded", "seed": seed})
    assert refusal(refused) == (400, "api_error")
    assert speaker.get("projects/").json() == []


def test_what_only_qgis_makes_is_refused_with_a_reason(speaker: Any) -> None:
    source = made(speaker, name="source")["id"]
    for part in ({"seed": {}, "xlsform_file": "x"}, {"seed": {"extent": "7,46,8,47"}, "clone_from_project": source}):
        assert refusal(speaker.post("projects/", {"name": "seeded", **part})) == (400, "not_supported")
    assert refusal(speaker.post("projects/", {"name": "x", "xlsform_file": "x"})) == (400, "api_error")
    shared = {"name": "shared_datasets", "seed": {}}
    assert refusal(speaker.post("projects/", shared)) == (400, "qgis_project_file_not_allowed")
    assert [each["name"] for each in speaker.get("projects/").json()] == ["source"]
    assert speaker.get(f"jobs/?project_id={source}&type=create_project").json() == []
    asked = speaker.post("jobs/", {"project_id": source, "type": "create_project"})
    assert refusal(asked) == (400, "not_supported")


def test_the_project_of_a_seed_is_one_of_qgis(tmp_path: Path) -> None:
    """The node reads and packages it; QGIS itself: `test_qgis_opens_the_project_of_a_seed`."""
    from qfc_node.core.seed_projects import BaseMap, base_maps, project_file
    from qfc_node.gis.native import NativeEngine

    maps = [BaseMap("Own & more", "https://tiles.example.org/{z}/{x}/{y}.png?a=1&b=2", "grayscale_light")]
    content = project_file("A & B", [*maps, *base_maps("osm", "standard", "")], (7, 46, 8, 47))
    assert content == project_file("A & B", [*maps, *base_maps("osm", "standard", "")], (7, 46, 8, 47))
    (tmp_path / "project.qgz").write_bytes(content)
    details = NativeEngine().report(tmp_path / "project.qgz", lambda _line: None).details
    assert (details["project_name"], details["crs"]) == ("A & B", "EPSG:3857")
    layers = details["layers_by_id"].values()
    assert [(each["name"], each["is_valid"]) for each in layers] == [
        ("Own & more", True),
        ("OpenStreetMap (Standard)", True),
    ]
    (tmp_path / "export").mkdir()
    made = NativeEngine().package(tmp_path / "project.qgz", tmp_path / "export", lambda _line: None)
    assert "project_qfield.qgs" in [file.name for file in made.files]


def test_the_server_introduces_itself(node_database: Endpoint) -> None:
    from api_world import Speaker

    told = Speaker().get("server/info/").json()
    assert told["auth_providers"] == [{"type": "credentials", "id": "credentials", "name": "Username / Password"}]
    assert told["whitelabel"]["site_title"]
    assert set(told["whitelabel"]) == {"site_title", "logo_navbar", "logo_main", "favicon"}
    assert told["signup_url"] is None


def test_an_organization_is_told_with_its_teams(speaker: Any, alice: Any) -> None:
    from api_world import Speaker, organization, person
    from qfc_node.core.models import OrganizationMember, Team

    bob, acme = person("bob"), organization("acme", alice)
    OrganizationMember.objects.create(organization=acme, member=bob, role="creator", is_public=True)
    Team.objects.create(username="@acme/surveyors", team_organization=acme)

    (owners,) = speaker.get("users/alice/organizations/").json()
    (members,) = Speaker(bob).get("users/bob/organizations/").json()

    keys = ("membership_role", "membership_role_origin", "membership_is_public", "teams")
    assert [owners[key] for key in keys] == ["admin", "organization_owner", True, ["surveyors"]]
    assert [members[key] for key in keys] == ["creator", "organization_member", True, ["surveyors"]]
