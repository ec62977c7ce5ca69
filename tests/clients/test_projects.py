"""Projects as clients of late 2026 read and write them: their fields, shared datasets, attachments on demand."""

from __future__ import annotations

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


@pytest.mark.parametrize("part", [{"seed": {"extent": "7,46,8,47"}}, {"seed": {}, "xlsform_file": "x"}])
def test_a_seed_is_refused_with_a_reason(speaker: Any, part: dict[str, Any]) -> None:
    refused = speaker.post("projects/", {"name": "seeded", **part})
    assert refusal(refused) == (400, "not_supported")
    assert "QGIS" in refused.json()["message"]
    assert speaker.get("projects/").json() == []


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
