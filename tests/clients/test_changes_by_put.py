"""Clients that replace an object with PUT, as the official server lets them: an R client and older scripts."""

from __future__ import annotations

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


def test_a_project_is_changed(speaker: Any) -> None:
    project = speaker.post("projects/", {"name": "survey", "owner": "alice", "description": "first"}).json()
    address = f"projects/{project['id']}/"

    changed = speaker.ask("PUT", address, {"name": "renamed", "owner": "alice", "private": False})

    assert changed.status_code == 200
    told = {key: changed.json()[key] for key in ("name", "is_public", "description", "owner")}
    assert told == {"name": "renamed", "is_public": True, "description": "first", "owner": "alice"}
    assert speaker.ask("PUT", address, {"description": "no name"}).status_code == 400


def test_roles_are_changed(speaker: Any, alice: Any) -> None:
    from api_world import organization, person

    person("bob")
    project = speaker.post("projects/", {"name": "survey", "owner": "alice"}).json()["id"]
    organization("acme", alice)
    speaker.post(f"collaborators/{project}/", {"collaborator": "bob", "role": "reader"})
    speaker.post("members/acme/", {"member": "bob", "role": "member"})

    collaborator = speaker.ask("PUT", f"collaborators/{project}/bob/", {"collaborator": "bob", "role": "manager"})
    member = speaker.ask("PUT", "members/acme/bob/", {"role": "admin", "is_public": True})

    assert (collaborator.status_code, collaborator.json()["role"]) == (200, "manager")
    assert (member.status_code, member.json()["role"], member.json()["is_public"]) == (200, "admin", True)


def test_an_account_is_changed(speaker: Any) -> None:
    changed = speaker.ask("PUT", "users/alice/", {"username": "alice", "first_name": "Alice", "email": "a@example.org"})

    assert (changed.status_code, changed.json()["full_name"], changed.json()["email"]) == (
        200,
        "Alice",
        "a@example.org",
    )
