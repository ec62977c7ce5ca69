"""The fault disk-full, on an embedded stack with its own small disk: nothing is lost, after the repair all works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from compose_world import ADMIN
from small_disk import small_disk
from stack import Stack, running_stack_in

pytestmark = pytest.mark.slow
PHOTO, MOST_SWITCHES = bytes(range(256)) * 4096, 200


@pytest.fixture
def stack() -> Iterator[Stack]:
    with small_disk("320m") as home, running_stack_in(home, workers=1) as running:
        yield running


class Person:
    """A user with a project, who uploads photos."""

    def __init__(self, stack: Stack) -> None:
        password = stack.qfc("users", "create", ADMIN, "--superuser", "--generate")["password"]
        self.http = stack.client()
        token = self.http.post("auth/login/", json={"username": ADMIN, "password": password}).json()["token"]
        self.http.headers["Authorization"] = f"Token {token}"
        self.project: str = self.http.post("projects/", json={"name": "survey", "owner": ADMIN}).json()["id"]

    def upload(self, name: str) -> httpx.Response:
        return self.http.post(f"files/{self.project}/{name}/", files={"file": PHOTO})

    def photos(self) -> dict[str, bytes]:
        names = [one["name"] for one in self.http.get(f"files/{self.project}/").json()]
        return {name: self.http.get(f"files/{self.project}/{name}/", follow_redirects=True).content for name in names}


@pytest.fixture
def person(stack: Stack) -> Iterator[Person]:
    somebody = Person(stack)
    yield somebody
    somebody.http.close()


def doctor(stack: Stack, *, proof: bool = False) -> set[str]:
    findings = stack.qfc("doctor", *([] if proof else ["--no-proof"]), check=False)["findings"]
    return {one["id"] for one in findings if one["result"] == "found"}


def free_bytes(stack: Stack) -> int:
    return int(stack.qfc("status", check=False)["disk"]["free_bytes"])


def let_the_database_give_up(stack: Stack) -> None:
    """Write until PostgreSQL has no space for the next file of its log; then it ends and cannot start."""
    with pytest.raises(psycopg.Error), stack.database() as connection:
        for number in range(MOST_SWITCHES):
            connection.execute(f"create table lab_{number} ()".encode())
            connection.execute("select pg_switch_wal()")


def refused(answer: Any) -> str:
    """Return the error message of a change without disk space; it must not be an internal fault."""
    message: str = answer["error"]["message"]
    assert "fault" not in message, message
    return message


def test_a_full_disk_is_found_loses_nothing_and_is_mended(stack: Stack, person: Person) -> None:
    assert person.upload("before.jpg").status_code == 201
    assert doctor(stack) == set()
    stack.qfc("lab", "break", "disk-full")
    assert free_bytes(stack) < 100_000
    assert "A15" in doctor(stack)
    put_off = person.upload("meanwhile.jpg")
    assert (put_off.status_code, put_off.json()["code"]) == (503, "status_not_ok")
    assert "its disk is full" in put_off.json()["message"]
    assert person.photos() == {"before.jpg": PHOTO}
    assert stack.qfc("lab", "mend")["changed"] == ["disk-full"]
    assert doctor(stack, proof=True) == set()
    assert person.upload("meanwhile.jpg").status_code == 201
    assert person.photos() == {"before.jpg": PHOTO, "meanwhile.jpg": PHOTO}


def test_a_database_that_gave_up_on_a_full_disk_runs_again(stack: Stack, person: Person) -> None:
    assert person.upload("before.jpg").status_code == 201
    stack.qfc("lab", "break", "disk-full")
    let_the_database_give_up(stack)
    assert person.upload("meanwhile.jpg").status_code == 503
    assert "A15" in doctor(stack)
    assert [one["id"] for one in stack.qfc("lab", "list")["faults"] if one["broken_since"]] == ["disk-full"]
    assert "disk-full is already active" in refused(stack.qfc("lab", "break", "disk-full", check=False))
    assert refused(stack.qfc("up", check=False))
    assert stack.qfc("lab", "mend")["broken"] == []
    assert stack.qfc("status")["verdict"] == "ok"
    assert doctor(stack, proof=True) == set()
    assert person.upload("meanwhile.jpg").status_code == 201
    assert person.photos() == {"before.jpg": PHOTO, "meanwhile.jpg": PHOTO}
