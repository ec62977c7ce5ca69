"""A server that refuses a synchronisation for now: clients are told when to try again, and no edit is lost."""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

QGS = b"<qgis version='3.40'/>"


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def project(alice: Any) -> Any:
    return new_project(alice, "survey")


@pytest.fixture
def phone(alice: Any) -> Any:
    from api_world import Speaker

    return Speaker(alice, "qfield")


def new_project(owner: Any, name: str) -> Any:
    from qfc_node.core.models import Project

    return Project.objects.create(name=name, owner=owner, project_filename="survey.qgs")


def limit(scope: object, per_minute: int, **until: Any) -> None:
    from qfc_node.core.models import RateLimit

    RateLimit.objects.update_or_create(scope=str(scope), defaults={"per_minute": per_minute, **until})


def minutes_pass(minutes: float) -> None:
    from django.db.models import F

    from qfc_node.core.models import RateBucket

    RateBucket.objects.update(empty_at=F("empty_at") - timedelta(minutes=minutes))


def push(phone: Any, project: Any, *deltas: dict[str, Any]) -> Any:
    from api_world import deltafile

    return phone.push(project, deltafile(project, *deltas))


def statuses(phone: Any, project: Any, times: int) -> list[int]:
    from api_world import delta

    return [push(phone, project, delta()).status_code for _ in range(times)]


def test_a_server_limits_nothing_by_itself(phone: Any, project: Any) -> None:
    from qfc_node.core.models import RateBucket

    assert statuses(phone, project, 12) == [200] * 12
    assert not RateBucket.objects.exists()


def test_a_project_beyond_its_limit_is_told_when_to_try_again(phone: Any, project: Any, alice: Any) -> None:
    from api_world import delta
    from qfc_node.core.models import Delta, RateRefusal

    limit("project", 2)
    assert statuses(phone, project, 2) == [200] * 2
    refused = push(phone, project, delta())

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 30
    answer = refused.json()
    assert answer["code"] == "too_many_requests"
    assert answer["message"] == f"Too many synchronisations: try again in {refused['Retry-After']} s; nothing is lost"
    assert Delta.objects.count() == 2
    assert statuses(phone, new_project(alice, "other"), 1) == [200], "each project has its own limit"
    (noted,) = RateRefusal.objects.all()
    assert (noted.project_id, noted.refused) == (project.pk, 1)


def test_the_limit_of_all_projects_is_shared_and_refusals_take_nothing(phone: Any, alice: Any) -> None:
    limit("all", 3)
    limit("project", 2)
    first, second = new_project(alice, "one"), new_project(alice, "two")
    assert statuses(phone, first, 4) == [200, 200, 429, 429]
    assert statuses(phone, second, 2) == [200, 429], "refused requests of the first have not used the common limit"
    minutes_pass(1)
    assert statuses(phone, second, 3) == [200, 200, 429]


def test_one_project_is_throttled_for_a_while(phone: Any, project: Any, alice: Any) -> None:
    from django.utils import timezone

    limit(project.pk, 1, until=timezone.now() + timedelta(hours=2))
    assert statuses(phone, project, 2) == [200, 429]
    assert statuses(phone, new_project(alice, "other"), 3) == [200] * 3
    limit(project.pk, 1, until=timezone.now() - timedelta(seconds=1))
    assert statuses(phone, project, 2) == [200, 200]


def test_what_counts_and_what_does_not(phone: Any, project: Any) -> None:
    """Each request that creates a job counts; reads and other files never do."""
    from api_world import delta

    limit("project", 1)
    package = {"project_id": str(project.pk), "type": "package"}

    counting: tuple[Callable[[], Any], ...] = (
        lambda: push(phone, project, delta()),
        lambda: phone.post("jobs/", package),
        lambda: phone.post(f"deltas/apply/{project.pk}/"),
        lambda: phone.send(f"files/{project.pk}/survey.qgs/", QGS),
    )
    for number, ask in enumerate(counting):
        minutes_pass(10)
        assert ask().status_code in (200, 201)
        assert counting[number - 1]().status_code == 429, "both count for the same limit"
    for path in (f"deltas/{project.pk}/", f"files/{project.pk}/", f"jobs/?project_id={project.pk}", "projects/"):
        assert phone.get(path).status_code == 200
    assert phone.send(f"files/{project.pk}/DCIM/photo.jpg/", b"photo").status_code == 201
    assert phone.send(f"files/{project.pk}/parcels.geojson/", b"{}").status_code == 201


def test_requests_that_are_refused_for_another_reason_do_not_count(phone: Any, project: Any, alice: Any) -> None:
    from api_world import Speaker, delta, person

    limit("project", 1)
    stranger = Speaker(person("bob"))
    assert push(stranger, project, delta()).status_code == 403
    assert push(phone, project, delta()).status_code == 200


def test_processes_share_the_limit(project: Any) -> None:
    """Sixteen threads with connections of their own get exactly as many places as there are."""
    from django.db import connection

    from qfc_node.core import rate_limits

    limit("all", 7)
    limit("project", 9)
    passed: list[bool] = []

    def ask() -> None:
        try:
            rate_limits.take(project.pk)
            passed.append(True)
        except rate_limits.RateLimitError:
            passed.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(passed) == [False] * 9 + [True] * 7


def test_qfield_keeps_what_was_refused_and_sends_it_again(phone: Any, project: Any) -> None:
    """A phone that edits all the time: its edits wait on it, go in a later deltafile, and arrive once, in order."""
    from api_world import delta
    from qfc_node.core.models import Delta

    limit("project", 2)
    made: list[str] = []
    kept: list[dict[str, Any]] = []
    refusals = 0
    for _ in range(9):
        edit = delta()
        made.append(edit["uuid"])
        kept.append(edit)
        answer = push(phone, project, *kept)
        if answer.status_code == 200:
            kept = []
        else:
            assert answer.status_code == 429
            refusals += 1
        minutes_pass(0.1)
    minutes_pass(1)
    if kept:
        assert push(phone, project, *kept).status_code == 200

    assert refusals > 2
    stored = [str(one) for one in Delta.objects.order_by("created_at", "pk").values_list("pk", flat=True)]
    assert sorted(stored) == sorted(made)


def test_what_an_operator_does_passes(alice: Any, node_database: Endpoint) -> None:
    """The token decides, which qfc writes into the table: no login gets such a one."""
    from django.test import Client

    from api_world import PREFIX, Speaker
    from qfc_node.core.models import AuthToken

    limit("all", 1)
    project, operator = new_project(alice, "probe"), Speaker(alice)
    AuthToken.objects.filter(user=alice).update(user_agent="sdk|qfc")
    assert statuses(operator, project, 3) == [200] * 3

    body = {"username": "alice", "password": "correct-horse-battery"}
    agent = {"HTTP_USER_AGENT": "sdk|qfc", "SERVER_NAME": "localhost"}
    token = Client().post(f"{PREFIX}auth/token/", body, content_type="application/json", **agent).json()["token"]
    pretender = Speaker()
    pretender.headers = {"HTTP_AUTHORIZATION": f"Token {token}", **agent}
    assert statuses(pretender, project, 2) == [200, 429]


def command(*words: str, stdin: str = "") -> Any:
    from django.core.management import call_command

    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdin", io.StringIO(stdin))
        call_command("ratelimit", *words, stdout=out)
    return json.loads(out.getvalue() or "null")


def test_the_command_replaces_and_shows_limits(phone: Any, project: Any) -> None:
    limits = [
        {"scope": "all", "per_minute": 10, "until": None},
        {"scope": str(project.pk), "per_minute": 1, "until": "2100-01-01T00:00:00+00:00"},
    ]
    command("replace", stdin=json.dumps(limits))
    assert statuses(phone, project, 2) == [200, 429]
    shown = command("show")
    assert sorted(shown["limits"], key=str) == sorted(limits, key=str)
    assert [(one["project_id"], one["refused"]) for one in shown["refused"]] == [(str(project.pk), 1)]
    command("replace", stdin="[]")
    assert command("show")["limits"] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}x",
        "3",
        '[{"scope": "everything", "per_minute": 3}]',
        '[{"scope": "all"}]',
        '[{"scope": "all", "per_minute": 0}]',
        '[{"scope": "all", "per_minute": "many"}]',
        '[{"scope": "all", "per_minute": 3, "until": "2100-01-01"}]',
        f'[{{"scope": "{uuid.UUID(int=1)}", "per_minute": 3, "until": 7}}]',
    ],
)
def test_the_command_refuses_what_is_no_limit(node_database: Endpoint, text: str) -> None:
    from django.core.management.base import CommandError

    limit("all", 4)
    with pytest.raises(CommandError, match="not limits"):
        command("replace", stdin=text)
    assert [one["per_minute"] for one in command("show")["limits"]] == [4]
