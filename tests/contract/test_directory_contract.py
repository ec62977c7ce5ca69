"""The contract of every directory: the memory twin, our node's database, and those of official releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


def test_a_database_at_rest_needs_no_vacuum(world: World) -> None:
    world.directory.vacuum()  # of what other tests have left
    assert world.directory.vacuum() == ()


def test_the_database_itself(world: World) -> None:
    status = world.directory.database()
    assert status.version
    assert status.max_connections >= 1
    assert status.unapplied_migrations is None


def test_a_plan_and_what_is_added_to_it(world: World) -> None:
    world.subscribe("alice")
    before = world.directory.subscription("alice")
    assert before is not None
    assert (before.plan, before.status, before.added_bytes) == ("community", "active_paid", 0)
    assert before.is_active
    assert "community" in {plan.code for plan in world.directory.plans()}
    for wanted in (5 * 10**9, 7 * 10**9, 0):
        added = world.directory.set_added_storage("alice", wanted)
        assert wanted <= added < wanted + (before.unit_bytes or 10**6)
        after = world.directory.subscription("alice")
        assert after is not None
        assert after.added_bytes == added
        assert world.directory.users()[0].storage_quota_bytes == before.plan_bytes + added


def test_a_plan_is_given_and_makes_active(world: World) -> None:
    world.subscribe("alice")
    world.directory.set_plan("alice", "community")
    found = world.directory.subscription("alice")
    assert found is not None
    assert (found.plan, found.status) == ("community", "active_paid")
    with pytest.raises(NotFoundError):
        world.directory.set_plan("alice", "no-such-plan")
    with pytest.raises(NotFoundError):
        world.directory.set_plan("nobody", "community")


def test_who_has_no_subscription(world: World) -> None:
    world.person("bob")
    assert world.directory.subscription("bob") is None
    with pytest.raises(NotFoundError):
        world.directory.set_added_storage("bob", 10**9)


def test_a_session_is_opened_and_closed(world: World) -> None:
    token = world.directory.open_session("alice", seconds=600)
    assert token
    assert world.directory.open_session("alice", seconds=600) != token
    world.directory.close_session(token)
    world.directory.close_session(token)
    with pytest.raises(NotFoundError):
        world.directory.open_session("nobody", seconds=600)
    world.directory.set_active("alice", False)
    with pytest.raises(NotFoundError):
        world.directory.open_session("alice", seconds=600)


def test_who_may_do_anything_with_a_project(world: World) -> None:
    project = world.project("survey")
    assert world.directory.responsible(project) == "alice"
    assert world.directory.responsible_for_account("alice") == "alice"
    with pytest.raises(NotFoundError):
        world.directory.responsible_for_account("nobody")


def test_settings_tables_and_what_came_since(world: World) -> None:
    assert world.directory.setting("NO_SUCH_SETTING") is None
    assert world.directory.rows_of("no_such_table") is None
    assert world.directory.stored_bytes() == 0
    moment = datetime.now(UTC) - timedelta(days=1000)
    world.project("survey")
    assert world.directory.stored_bytes() == 1000
    assert world.directory.changes_since(moment)["projects"] in (0, 1)
    assert isinstance(world.directory.applied_migrations(), tuple)
