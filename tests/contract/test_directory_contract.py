"""What every directory promises: the memory twin, our node's database, and those of official releases."""

from __future__ import annotations

import pytest

from qfc.errors import NotFoundError
from queue_world import World

UNKNOWN = "5f1c1e0a-0000-4000-8000-000000000000"


def test_people_come_in_the_order_of_names(world: World) -> None:
    world.person("carol")
    world.person("bob")
    assert [user.username for user in world.directory.users()] == ["alice", "bob", "carol"]
    assert [user.username for user in world.directory.users(limit=1)] == ["alice"]
    alice = world.directory.users()[0]
    assert (alice.email, alice.type, alice.is_superuser, alice.is_active) == (
        "alice@example.com",
        "person",
        False,
        True,
    )


def test_projects(world: World) -> None:
    world.person("bob")
    project = world.project("survey", owner="bob")
    (found,) = world.directory.projects()
    assert (found.id, found.name, found.owner, found.status) == (project, "survey", "bob", "ok")
    assert found.size_bytes == 1000
    assert world.directory.projects(limit=0) == ()


def test_a_project_by_its_id_or_its_names(world: World) -> None:
    project = world.project("my survey")
    assert world.directory.project(project).id == project
    assert world.directory.project("alice/my survey").id == project
    assert world.directory.project("ALICE/my survey").id == project


@pytest.mark.parametrize("name", ["alice/other", "bob/survey", "survey", "", UNKNOWN, "alice/%"])
def test_a_project_that_is_not_there(world: World, name: str) -> None:
    world.project("survey")
    with pytest.raises(NotFoundError):
        world.directory.project(name)


def test_a_person_may_not_log_in_and_may_again(world: World) -> None:
    world.person("bob")
    world.directory.set_active("BOB", False)
    active = {user.username: user.is_active for user in world.directory.users()}
    assert active == {"alice": True, "bob": False}
    world.directory.set_active("bob", True)
    assert all(user.is_active for user in world.directory.users())


def test_nobody_of_that_name(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.directory.set_active("nobody", False)


def test_the_database_itself(world: World) -> None:
    status = world.directory.database()
    assert status.version
    assert status.max_connections >= 1
    assert status.unapplied_migrations is None
