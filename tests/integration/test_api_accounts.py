"""Logins, tokens, users and organizations, as a real server answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

PASSWORD = "correct-horse-battery"
LOGIN_KEYS = [
    "token",
    "expires_at",
    "username",
    "type",
    "email",
    "avatar_url",
    "first_name",
    "last_name",
    "full_name",
]


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    del node_database
    return person("alice")


@pytest.fixture
def nobody(alice: Any) -> Any:
    from api_world import Speaker

    del alice
    return Speaker()


def test_one_logs_in_by_name_or_address_in_a_form_or_in_json(nobody: Any) -> None:
    for fields in (
        {"username": "alice"},
        {"username": "ALICE"},
        {"username": "alice@example.com"},
        {"email": "Alice@Example.com"},
    ):
        for answer in (
            nobody.form("auth/login/", password=PASSWORD, **fields),
            nobody.post("auth/login", {**fields, "password": PASSWORD}),
            nobody.post("auth/token/", {**fields, "password": PASSWORD}),
        ):
            assert answer.status_code == 200, answer.content
            assert list(answer.json()) == LOGIN_KEYS
            assert answer.json()["type"] == "1"
            assert len(answer.json()["token"]) == 100


def test_the_token_opens_the_api_until_it_ends(alice: Any, nobody: Any) -> None:
    from django.utils import timezone

    from qfc_node.core.models import AuthToken

    token = nobody.form("auth/login/", username="alice", password=PASSWORD).json()["token"]
    for keyword in ("Token", "token"):
        answer = nobody.get("auth/user/", HTTP_AUTHORIZATION=f"{keyword} {token}")
        assert list(answer.json()) == [
            "username",
            "type",
            "full_name",
            "email",
            "avatar_url",
            "first_name",
            "last_name",
        ]
        assert answer.json()["type"] == 1
    AuthToken.objects.update(expires_at=timezone.now())
    answer = nobody.get("auth/user/", HTTP_AUTHORIZATION=f"Token {token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_authentication_failed")
    del alice


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "not_authenticated"),
        ({"HTTP_AUTHORIZATION": "Basic YTpi"}, "not_authenticated"),
        ({"HTTP_AUTHORIZATION": "Token"}, "token_authentication_failed"),
        ({"HTTP_AUTHORIZATION": "Token nope"}, "token_authentication_failed"),
    ],
)
def test_without_a_good_token_nobody_gets_in(nobody: Any, headers: dict[str, str], code: str) -> None:
    answer = nobody.get("projects", **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer["WWW-Authenticate"] == "Token"
    assert set(answer.json()) == {"code", "message"}


def test_who_is_locked_out_gets_in_neither_with_the_password_nor_with_a_token(alice: Any, nobody: Any) -> None:
    from api_world import Speaker
    from qfc_node.core.models import AuthToken, Person

    speaker = Speaker(alice)
    Person.objects.update(is_active=False)
    for name in ("alice", "alice@example.com"):
        assert nobody.form("auth/login/", username=name, password=PASSWORD).status_code == 401
    assert AuthToken.objects.count() == 1
    assert speaker.get("auth/user/").status_code == 401


def test_logging_out_ends_this_token_and_no_other(alice: Any) -> None:
    from api_world import Speaker

    phone, desktop = Speaker(alice, "qfield"), Speaker(alice, "qfield")
    assert phone.post("auth/logout/").json() == {"detail": "Successfully logged out."}
    assert phone.get("auth/user/").json()["code"] == "token_authentication_failed"
    assert desktop.get("auth/user/").status_code == 200


def test_logging_in_elsewhere_ends_no_token(alice: Any, nobody: Any) -> None:
    from api_world import Speaker

    first = Speaker(alice, "unknown")
    assert nobody.form("auth/login/", username="alice", password=PASSWORD).status_code == 200
    assert first.get("auth/user/").status_code == 200


def test_five_wrong_passwords_lock_the_account_for_a_while(nobody: Any) -> None:
    for _ in range(4):
        answer = nobody.form("auth/login/", username="alice", password="wrong")
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
    nobody.form("auth/login/", email="alice@example.com", password="wrong")
    for fields in ({"username": "alice"}, {"email": "alice@example.com"}):
        answer = nobody.form("auth/login/", password=PASSWORD, **fields)
        assert (answer.status_code, answer.json()["code"]) == (401, "too_many_failed_login_attempts")


@pytest.mark.parametrize("body", [{"username": "alice"}, {"password": "x"}, {}, [], {"username": 7, "password": True}])
def test_a_login_without_name_or_password_is_a_mistake(nobody: Any, body: Any) -> None:
    answer = nobody.post("auth/login/", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "api_error")


def test_organizations_cannot_log_in(alice: Any, nobody: Any) -> None:
    from api_world import organization

    acme = organization("acme", alice)
    acme.set_password(PASSWORD)
    acme.save()
    assert nobody.form("auth/login/", username="acme", password=PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("agent", "client_type"),
    [
        ("sdk|py|0.18.0 python-requests|2.32", "sdk"),
        ("cli|py|0.18.0", "cli"),
        ("qfield|3.4|Android", "qfield"),
        ("Mozilla/5.0 QGIS/34006/Linux", "qfieldsync"),
        ("Mozilla/5.0 (X11)", "browser"),
        ("python-requests/2.32", "unknown"),
        ("worker|1", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_client_is_guessed_from_its_agent(nobody: Any, agent: str, client_type: str) -> None:
    from qfc_node.core.models import AuthToken

    nobody.post("auth/login/", {"username": "alice", "password": PASSWORD}, HTTP_USER_AGENT=agent)
    assert AuthToken.objects.get().client_type == client_type


def test_use_is_noted_once_a_minute(alice: Any) -> None:
    from django.utils import timezone

    from api_world import Speaker
    from qfc_node.core.models import AuthToken

    speaker = Speaker(alice)
    speaker.get("auth/user/")
    first = AuthToken.objects.get().last_used_at
    speaker.get("auth/user/")
    assert AuthToken.objects.get().last_used_at == first
    AuthToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    speaker.get("auth/user/")
    assert AuthToken.objects.get().last_used_at > first


def test_providers_are_told_without_a_token(nobody: Any) -> None:
    answer = nobody.get("auth/providers/")
    assert {"type": "credentials", "id": "credentials", "name": "Username / Password"} in answer.json()


def test_users_are_listed_by_name(alice: Any) -> None:
    from api_world import Speaker, organization, person

    person("bob")
    organization("acme", alice)
    speaker = Speaker(alice)
    rows = speaker.get("users/").json()
    assert [row["username"] for row in rows] == ["acme", "alice", "bob"]
    assert list(rows[0]) == ["username", "type", "full_name", "avatar_url", "username_display"]
    assert [row["username"] for row in speaker.get("users/?exclude-organizations=1").json()] == ["alice", "bob"]
    assert [row["username"] for row in speaker.get("users/?q=LIC").json()] == ["alice"]


def test_a_superuser_makes_people_once(alice: Any) -> None:
    from api_world import Speaker, person
    from qfc_node.core.models import Subscription

    root = Speaker(person("root", is_superuser=True))
    fields = {"username": "field_mapper_42", "password": PASSWORD, "email": "m@example.com"}
    assert root.post("users/", fields).status_code == 201
    assert Subscription.objects.filter(account__user__username="field_mapper_42").count() == 1
    assert root.post("users/", {**fields, "username": "FIELD_mapper_42"}).status_code == 409
    assert root.post("users/", {**fields, "username": "another"}).status_code == 409
    assert root.post("users/", {**fields, "username": "no way"}).status_code == 400
    assert (
        root.post("users/", {**fields, "username": "b_b", "email": "b@b.ch", "password": "password"}).status_code == 400
    )
    assert Speaker(alice).post("users/", fields).json()["code"] == "permission_denied"


def test_people_change_what_is_theirs(alice: Any) -> None:
    from api_world import Speaker, person

    person("bob")
    speaker = Speaker(alice)
    changed = speaker.patch("users/alice/", {"first_name": "Ada", "last_name": "L", "email": "ada@example.com"}).json()
    assert (changed["full_name"], changed["email"]) == ("Ada L", "ada@example.com")
    assert speaker.patch("users/alice/", {"email": "BOB@example.com"}).status_code == 409
    assert speaker.patch("users/alice/", {"email": "no address"}).status_code == 400
    assert speaker.patch("users/alice/", {"is_superuser": True}).status_code == 200
    alice.refresh_from_db()
    assert not alice.is_superuser


def test_the_subscription_tells_plan_and_use(alice: Any) -> None:
    from django.utils import timezone

    from api_world import Speaker
    from qfc_node.core.models import Package, PackageType, Project, Subscription

    Project.objects.create(name="survey", owner=alice, file_storage_bytes=1234)
    kind = PackageType.objects.create(code="storage", display_name="storage", type="storage", unit_amount=500)
    subscription = Subscription.objects.get(account_id=alice.pk)
    for since in (-1, 1):
        moment = timezone.now() + timedelta(days=since)
        Package.objects.create(type=kind, subscription=subscription, quantity=2, active_since=moment)
    told = Speaker(alice).get("subscriptions/alice/current/").json()
    assert told["plan_code"] == "community"
    assert told["status"] == "active_paid"
    assert told["storage_used_bytes"] == 1234
    assert told["active_storage_total_bytes"] == (10_000 + 2 * 500) * 10**6
    assert told["plan_storage_threshold_warning_bytes"] == 10**9
    assert told["plan_storage_threshold_critical_bytes"] == 10**8
    assert {"uuid", "plan_display_name", "plan_is_premium", "active_since", "active_until"} < set(told)


def test_an_organization_takes_no_more_members_than_its_plan(alice: Any) -> None:
    from api_world import Speaker, organization, person
    from qfc_node.core.models import Plan

    organization("acme", alice)
    Plan.objects.filter(user_type=2).update(max_organization_members=1)
    speaker = Speaker(alice)
    for name, status in (("bob", 201), ("bob", 409), ("carol", 400), ("alice", 409), ("nemo", 404)):
        if name in ("bob", "carol") and status != 409:
            person(name)
        answer = speaker.post("members/acme/", {"member": name})
        assert answer.status_code == status, (name, answer.content)
    assert speaker.post("members/acme/", {"member": "carol"}).json()["code"] == (
        "organization_has_max_number_of_members"
    )


def test_teams_are_made_renamed_filled_and_deleted(alice: Any) -> None:
    from api_world import Speaker, organization, person
    from qfc_node.core.models import OrganizationMember, User

    acme = organization("acme", alice)
    OrganizationMember.objects.create(organization=acme, member=person("bob"))
    person("stranger")
    speaker = Speaker(alice)
    assert speaker.post("organizations/acme/teams/", {"team": "surveyors"}).json() == {
        "team": "surveyors",
        "organization": "acme",
        "members": [],
    }
    assert speaker.post("organizations/acme/teams/", {"team": "Surveyors"}).status_code == 409
    assert speaker.post("organizations/acme/teams/surveyors/members/", {"member": "bob"}).json() == {"member": "bob"}
    assert speaker.post("organizations/acme/teams/surveyors/members/", {"member": "bob"}).status_code == 409
    assert speaker.post("organizations/acme/teams/surveyors/members/", {"member": "stranger"}).status_code == 400
    assert speaker.ask("PUT", "organizations/acme/teams/surveyors/", {"team": "crew"}).json()["members"] == ["bob"]
    assert User.objects.filter(username="@acme/crew").exists()
    assert speaker.get("organizations/acme/teams/surveyors/").status_code == 404
    assert speaker.delete("organizations/acme/teams/crew/members/bob/").status_code == 204
    assert speaker.delete("organizations/acme/teams/crew/members/bob/").status_code == 404
    assert speaker.delete("organizations/acme/teams/crew/").status_code == 204
    assert speaker.get("organizations/acme/teams/").json() == []


SPELLINGS = ("alice", "ALICE", " alice ", "ａｌｉｃｅ", "alice@example.com", "Alice@Example.COM")


def sign_in(speaker: Any, name: str, password: str, at: str = "api", **headers: str) -> int:
    """Log in; return 200 if that worked."""
    fields = {"username": name, "password": password}
    if at == "admin":
        return 200 if speaker.client.post("/admin/login/", fields, **headers).status_code == 302 else 401
    return speaker.client.post("/api/v1/auth/login/", fields, content_type="application/json", **headers).status_code


@pytest.mark.parametrize("at", ["api", "admin"])
def test_all_spellings_of_a_name_are_one_login_and_one_lockout(alice: Any, nobody: Any, at: str) -> None:
    type(alice).objects.filter(pk=alice.pk).update(is_staff=True)
    for name in SPELLINGS:
        assert sign_in(nobody, name, PASSWORD, at) == 200
    for name in SPELLINGS[:5]:
        assert sign_in(nobody, name, "wrong", at) == 401
    for elsewhere in ("api", "admin"):
        for name in SPELLINGS:
            assert sign_in(nobody, name, PASSWORD, elsewhere) == 401


def test_a_lockout_holds_for_the_address_that_guessed(alice: Any, nobody: Any) -> None:
    del alice
    for _ in range(5):
        sign_in(nobody, "alice", "wrong", REMOTE_ADDR="198.51.100.7")
    assert sign_in(nobody, "alice", PASSWORD, REMOTE_ADDR="198.51.100.7") == 401
    assert sign_in(nobody, "alice", PASSWORD, REMOTE_ADDR="198.51.100.8") == 200


def test_a_new_password_ends_a_lockout(alice: Any, nobody: Any) -> None:
    for _ in range(5):
        sign_in(nobody, "alice@example.com", "wrong")
    assert sign_in(nobody, "alice", PASSWORD) == 401
    alice.set_password("another-horse-battery")
    alice.save(update_fields=["password"])
    assert sign_in(nobody, "alice", "another-horse-battery") == 200


def test_a_name_that_nobody_has_is_answered_and_locked_like_any_other(alice: Any, nobody: Any) -> None:
    del alice
    answers = {
        name: [nobody.form("auth/login/", username=name, password="wrong").content for _ in range(7)]
        for name in ("alice", "nobody-has-it")
    }
    assert answers["alice"] == answers["nobody-has-it"]
