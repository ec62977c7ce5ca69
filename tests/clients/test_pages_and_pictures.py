"""Pages of long lists, single files and pictures of projects, as clients of 2026 ask for them."""

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

    return Speaker(alice, "qfield")


@pytest.fixture
def project(alice: Any) -> Any:
    from qfc_node.core.models import Project

    return Project.objects.create(name="survey", owner=alice)


def test_pages_of_files_hold_all_versions_of_a_file(speaker: Any, project: Any) -> None:
    address = f"files/{project.pk}"
    for name, count in (("a.txt", 3), ("b.txt", 1), ("c.txt", 2)):
        for number in range(count):
            speaker.send(f"{address}/{name}/", str(number).encode())

    def page(query: str) -> tuple[list[tuple[str, int]], str | None, str | None]:
        answer = speaker.get(f"{address}/?{query}")
        rows = [(file["name"], len(file["versions"])) for file in answer.json()]
        return rows, answer.get("X-Total-Count"), answer.get("X-Next-Page")

    everything = [("a.txt", 3), ("b.txt", 1), ("c.txt", 2)]
    assert page("") == (everything, None, None)
    rows, total, following = page("limit=2")
    assert (rows, total) == (everything[:2], "3")
    assert following is not None
    assert "offset=2" in following
    assert page("limit=2&offset=2") == (everything[2:], "3", None)
    assert page("limit=2&offset=9") == ([], "3", None)
    assert page("offset=1")[0] == everything[1:]
    assert [file["name"] for file in speaker.get(address).json()] == ["a.txt", "b.txt", "c.txt"], "without a slash"


def test_pages_of_users(speaker: Any) -> None:
    from api_world import person

    for name in ("bob", "carol"):
        person(name)
    first = speaker.get("users/?limit=2")
    assert ([user["username"] for user in first.json()], first["X-Total-Count"]) == (["alice", "bob"], "3")
    assert "offset=2" in first["X-Next-Page"]
    last = speaker.get("users/?limit=2&offset=2")
    assert [user["username"] for user in last.json()] == ["carol"]
    assert "X-Next-Page" not in last
    assert "X-Previous-Page" in last
    assert "X-Total-Count" not in speaker.get("users/")


def test_a_single_file_is_described_as_in_the_list(speaker: Any, project: Any) -> None:
    for name in ("DCIM/photo one.jpg", "notes.txt"):
        speaker.send(f"files/{project.pk}/{name}/", b"content")
    listed = {file["name"]: file for file in speaker.get(f"files/{project.pk}/").json()}

    assert speaker.get(f"files/metadata/{project.pk}/notes.txt/").json() == listed["notes.txt"]
    photo = speaker.get(f"files/metadata/{project.pk}/DCIM/photo%20one.jpg").json()
    assert photo == listed["DCIM/photo one.jpg"]
    assert photo["is_attachment"] is True
    assert photo["uploaded_at"] == photo["versions"][0]["uploaded_at"]
    missing = speaker.get(f"files/metadata/{project.pk}/nothing.txt/")
    assert (missing.status_code, missing.json()["code"]) == (404, "object_not_found")


def test_the_picture_of_a_project(speaker: Any, project: Any) -> None:
    from api_world import picture
    from qfc_node.core import thumbnails

    address = f"files/thumbnails/{project.pk}/"
    assert speaker.get(address).status_code == 404
    thumbnails.replace(project, picture())

    answer = speaker.get(address)

    assert (answer.status_code, answer["Content-Type"], answer.body[:4]) == (200, "image/png", b"\x89PNG")
    assert speaker.get(address, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304


def test_the_picture_of_an_account(speaker: Any, alice: Any) -> None:
    """QFieldSync and QField fetch `avatar_url`, a whole URL that ends like a picture's name, without a token."""
    from api_world import Speaker, person, picture

    assert speaker.get("auth/user/").json()["avatar_url"] is None
    assert speaker.send("users/alice/avatar/", picture(), "avatar", "PUT").status_code == 204
    told = speaker.get("auth/user/").json()["avatar_url"]
    assert told.startswith("http://localhost/api/v1/files/avatars/")
    assert told.endswith(".png")
    name = told.rpartition("/")[2]
    assert {user["avatar_url"] for user in speaker.get("users/").json()} == {told}
    logged_in = Speaker().post("auth/login/", {"username": "alice", "password": "correct-horse-battery"})
    assert logged_in.status_code != 200 or logged_in.json()["avatar_url"] == told

    address = told.partition("/api/v1/")[2]
    for each in (address, address.removesuffix(name), address.replace(name, "x.jpg")):
        sent = Speaker().get(each)
        assert (sent.status_code, sent["Content-Type"]) == (200, "image/png")
        assert sent.content.startswith(b"\x89PNG")
    assert Speaker().get("files/avatars/x:y/avatar.png").status_code == 404

    bob = Speaker(person("bob"), "qfield")
    assert bob.send("users/alice/avatar/", picture(), "avatar", "PUT").status_code == 403
    assert bob.ask("DELETE", "users/alice/avatar/").status_code == 403
    assert speaker.send("users/alice/avatar/", b"no picture", "avatar", "PUT").status_code == 400
    assert speaker.ask("DELETE", "users/alice/avatar/").status_code == 204
    assert speaker.get("auth/user/").json()["avatar_url"] is None
    assert Speaker().get(address).status_code == 404


def test_the_picture_of_an_organization_is_its_admins_matter(speaker: Any, alice: Any) -> None:
    from api_world import Speaker, person, picture
    from qfc_node.core.models import Organization

    Organization.objects.create(username="office", type=2, organization_owner=alice, created_by=alice)
    stranger = Speaker(person("bob"), "qfield")
    assert stranger.send("users/office/avatar/", picture(), "avatar", "PUT").status_code == 403
    assert speaker.send("users/office/avatar/", picture(), "avatar", "PUT").status_code == 204
    told = [each["avatar_url"] for each in speaker.get("users/alice/organizations/").json()]
    assert told == [speaker.get("users/office/").json()["avatar_url"]]
    assert told[0].endswith(".png")


def test_a_picture_of_another_server_is_told_as_it_is(speaker: Any, alice: Any) -> None:
    from qfc_node.core.models import UserAccount

    UserAccount.objects.update(avatar_uri="https://example.org/alice.png")
    assert speaker.get("auth/user/").json()["avatar_url"] == "https://example.org/alice.png"
