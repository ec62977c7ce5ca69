"""Faults in the rows of users and plans: found by the checks, and repaired."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from checks_world import answering, expect
from conditions_world import count_bytes, store, wrong_password
from qfc.stack.model.conditions import PlacesTaken
from queue_world import DatabaseWorld, before, moment
from twins import MemoryPorts


def no_superuser(world: DatabaseWorld) -> None:
    world.tables.change("user", {}, is_superuser=False)


def inactive_by_default(world: DatabaseWorld) -> None:
    world.tables.change("plan", {"user_type": 1}, initial_subscription_status="inactive_draft")


def plan_insufficient(world: DatabaseWorld) -> None:
    source = "service='fieldwork' key='fid' table=\"public\".\"trees\" (geom)"
    world.project("online", details=json.dumps({"layers_by_id": {"trees": {"datasource": source}}}))
    world.tables.change("plan", {"code": "community"}, is_external_db_supported=False)


def quota_soon(world: DatabaseWorld) -> None:
    world.tables.change("plan", {"code": "community"}, storage_mb=100)
    project = world.project("big")
    store(world, project, "a.gpkg", 52 * 10**6, 40 * 10**6)
    count_bytes(world, project, 92 * 10**6)


def club(world: DatabaseWorld) -> None:
    """Create an organization of alice's with one member, the most that its plan allows."""
    world.lab.account("bob")
    world.lab.organization("club", owner="alice", members=["bob"])
    world.tables.change("plan", {}, max_organization_members=1)


FAULTS: dict[str, tuple[Callable[[DatabaseWorld], None], str]] = {
    "A13-superuser": (no_superuser, "no active superuser"),
    "H01-plan": (inactive_by_default, "community (inactive_draft)"),
    "H02": (plan_insufficient, "alice/online"),
    "H03-soon": (quota_soon, "alice 92%, old versions 52 MB"),
    "H05": (club, "club (1 of 1 members)"),
}


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_in_accounts_is_found_and_repaired_where_that_is_promised(
    ports: MemoryPorts, world: DatabaseWorld, id: str
) -> None:
    make, evidence = FAULTS[id]
    make(world)
    expect(ports, id, evidence)


def test_who_typed_wrong_passwords_is_let_in_again(
    ports: MemoryPorts, world: DatabaseWorld, manage: Callable[..., str]
) -> None:
    answering(ports, "axes_reset_username", manage)
    assert wrong_password(world, "alice", 5, ago=moment() - before(5))
    assert wrong_password(world, "stranger", 50, ago=moment() - before(5))
    expect(ports, "G09", "alice.")


def test_who_takes_a_place_in_a_private_project(world: DatabaseWorld) -> None:
    club(world)
    world.tables.change("plan", {}, max_organization_members=-1, max_premium_collaborators_per_private_project=1)
    project = world.project("closed", owner="club")
    world.person("carol")

    def add(name: str, *, incognito: bool = False) -> None:
        world.insert("collaborator", collaborator_id=world.user_id(name), project_id=project, role="editor",
                     created_at=moment(), updated_at=moment(), is_incognito=incognito)  # fmt: skip

    places = world.conditions.accounts.places_taken
    add("alice")
    add("carol", incognito=True)
    assert places() == ()
    add("bob")
    (taken,) = places() or ()
    assert taken == PlacesTaken("club/closed", "collaborators", 1, 1, taken.plan)
    world.tables.change("project", {"id": project}, is_public=True)
    assert places() == ()
