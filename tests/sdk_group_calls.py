"""One function for every public method of the SDK about collaborators, organizations and teams."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qfieldcloud_sdk.interfaces import QfcRequestException
from qfieldcloud_sdk.sdk import Client, OrganizationMemberRole, ProjectCollaboratorRole

from client_world import ClientWorld


def get_project_collaborators(world: ClientWorld) -> None:
    project_id = world.empty_project()
    assert world.alice.get_project_collaborators(project_id) == []
    world.alice.add_project_collaborator(project_id, "bob", ProjectCollaboratorRole.READER)
    (row,) = world.alice.get_project_collaborators(project_id)
    assert (row["collaborator"], row["role"]) == ("bob", "reader")


def add_project_collaborator(world: ClientWorld) -> None:
    project_id = world.empty_project()
    row = world.alice.add_project_collaborator(project_id, "bob", ProjectCollaboratorRole.EDITOR)
    assert (row["collaborator"], row["role"], row["project_id"]) == ("bob", "editor", project_id)
    assert world.bob.get_project(project_id)["user_role"] == "editor"


def patch_project_collaborators(world: ClientWorld) -> None:
    project_id = world.empty_project()
    world.alice.add_project_collaborator(project_id, "bob", ProjectCollaboratorRole.READER)
    row = world.alice.patch_project_collaborators(project_id, "bob", ProjectCollaboratorRole.MANAGER)
    assert row["role"] == "manager"


def remove_project_collaborator(world: ClientWorld) -> None:
    project_id = world.empty_project()
    world.alice.add_project_collaborator(project_id, "bob", ProjectCollaboratorRole.READER)
    world.alice.remove_project_collaborator(project_id, "bob")
    with pytest.raises(QfcRequestException, match=r"403|404"):
        world.bob.get_project(project_id)


def add_organization_member(world: ClientWorld) -> None:
    organization = world.organization()
    row = world.alice.add_organization_member(organization, "bob", OrganizationMemberRole.MEMBER, is_public=True)
    assert (row["member"], row["role"], row["organization"]) == ("bob", "member", organization)


def get_organization_members(world: ClientWorld) -> None:
    organization = world.organization()
    world.alice.add_organization_member(organization, "bob", OrganizationMemberRole.ADMIN, is_public=False)
    rows = world.alice.get_organization_members(organization)
    assert ("bob", "admin") in [(row["member"], row["role"]) for row in rows]


def patch_organization_members(world: ClientWorld) -> None:
    organization = world.organization()
    world.alice.add_organization_member(organization, "bob", OrganizationMemberRole.MEMBER, is_public=False)
    row = world.alice.patch_organization_members(organization, "bob", OrganizationMemberRole.CREATOR)
    assert row["role"] == "creator"


def remove_organization_members(world: ClientWorld) -> None:
    organization = world.organization()
    world.alice.add_organization_member(organization, "bob", OrganizationMemberRole.MEMBER, is_public=False)
    world.alice.remove_organization_members(organization, "bob")
    assert "bob" not in [row["member"] for row in world.alice.get_organization_members(organization)]


def create_organization_team(world: ClientWorld) -> None:
    organization, name = world.organization(), world.name("team")
    row = world.alice.create_organization_team(organization, name)
    assert (row["team"], row["organization"], row["members"]) == (name, organization, [])


def get_organization_teams(world: ClientWorld) -> None:
    organization = world.organization()
    team = world.team(organization)
    assert [row["team"] for row in world.alice.get_organization_teams(organization)] == [team]


def get_organization_team(world: ClientWorld) -> None:
    organization = world.organization()
    team = world.team(organization)
    assert world.alice.get_organization_team(organization, team)["team"] == team


def patch_organization_team(world: ClientWorld) -> None:
    organization, renamed = world.organization(), world.name("renamed")
    assert world.alice.patch_organization_team(organization, world.team(organization), renamed)["team"] == renamed


def delete_organization_team(world: ClientWorld) -> None:
    organization = world.organization()
    world.alice.delete_organization_team(organization, world.team(organization))
    assert world.alice.get_organization_teams(organization) == []


def add_organization_team_member(world: ClientWorld) -> None:
    organization, team = _team_with_bob(world)
    assert world.alice.get_organization_team(organization, team)["members"] == ["bob"]


def get_organization_team_members(world: ClientWorld) -> None:
    organization, team = _team_with_bob(world)
    assert [row["member"] for row in world.alice.get_organization_team_members(organization, team)] == ["bob"]


def remove_organization_team_member(world: ClientWorld) -> None:
    organization, team = _team_with_bob(world)
    world.alice.remove_organization_team_member(organization, team, "bob")
    assert world.alice.get_organization_team_members(organization, team) == []


def current_subscription(world: ClientWorld) -> None:
    subscription = world.alice.current_subscription("alice")
    assert subscription["status"] == "active_paid"
    assert subscription["active_storage_total_bytes"] > 0
    with pytest.raises(QfcRequestException, match="403"):
        world.bob.current_subscription("alice")


def _team_with_bob(world: ClientWorld) -> tuple[str, str]:
    organization = world.organization()
    team = world.team(organization)
    world.alice.add_organization_member(organization, "bob", OrganizationMemberRole.MEMBER, is_public=False)
    row = world.alice.add_organization_team_member(organization, team, "bob")
    assert row["member"] == "bob"
    return organization, team


GROUP_CALLS: dict[str, Callable[[ClientWorld], None]] = {
    name: value for name, value in list(globals().items()) if not name.startswith("_") and hasattr(Client, name)
}
