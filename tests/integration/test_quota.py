"""Limits of accounts at their borders: the last byte that fits, packages and subscriptions that have just ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

MEGABYTE = 10**6
A_MOMENT, AN_HOUR, A_DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    del node_database
    return person("alice")


@pytest.fixture
def project(alice: Any) -> Any:
    from qfc_node.core.models import Project

    return Project.objects.create(name="survey", owner=alice)


def allow(megabytes: int, used_bytes: int) -> None:
    from qfc_node.core.models import Plan, Project

    Plan.objects.update(storage_mb=megabytes)
    Project.objects.update(file_storage_bytes=used_bytes)


def subscription_of(user: Any) -> Any:
    from qfc_node.core.models import Subscription

    return Subscription.objects.get(account_id=user.pk)


def add_package(user: Any, kind: str = "storage", since: timedelta = -A_DAY, until: timedelta | None = None) -> None:
    """Add one unit of 500 to the plan, from and to so far from now."""
    from django.utils import timezone

    from qfc_node.core.models import Package, PackageType

    now = timezone.now()
    unit = {"display_name": kind, "type": kind, "unit_amount": 500}
    Package.objects.create(
        type=PackageType.objects.get_or_create(code=kind, defaults=unit)[0],
        subscription=subscription_of(user),
        quantity=1,
        active_since=now + since,
        active_until=None if until is None else now + until,
    )


def allowed(user: Any) -> int:
    from qfc_node.core.quota import allowed_bytes

    return allowed_bytes(subscription_of(user)) // MEGABYTE


# --- bytes


@pytest.mark.parametrize(("size", "is_refused"), [(0, False), (10, False), (11, True)])
def test_an_upload_may_be_as_large_as_what_is_free(alice: Any, project: Any, size: int, is_refused: bool) -> None:
    from qfc_node.core.quota import Refusal, upload_allowance

    allow(1, used_bytes=MEGABYTE - 10)
    refusal = upload_allowance(alice, "sdk").refuses(size)
    assert refusal is (Refusal.OVER_QUOTA if is_refused else None)


def test_the_last_byte_fits_and_one_more_is_refused_when_it_has_come(alice: Any, project: Any) -> None:
    """The client does not announce the file's size, or announces a wrong one: the received bytes count."""
    from api_world import Speaker

    allow(1, used_bytes=MEGABYTE - 2000)
    speaker, address = Speaker(alice), f"files/{project.pk}/photo.jpg/"
    assert speaker.send(address, b"x" * 2001).json()["code"] == "over_quota"
    assert speaker.send(address, b"x" * 2000).status_code == 201


def test_a_file_that_cannot_fit_is_refused_before_it_has_come(alice: Any, project: Any) -> None:
    from api_world import Speaker

    allow(1, used_bytes=MEGABYTE - 10)
    answer = Speaker(alice).ask(
        "POST",
        f"files/{project.pk}/film.mp4/",
        b"",
        CONTENT_LENGTH="5000",
        CONTENT_TYPE="multipart/form-data; boundary=x",
    )
    assert (answer.status_code, answer.json()["code"]) == (402, "over_quota")


@pytest.mark.parametrize(("used", "code"), [(MEGABYTE, 201), (MEGABYTE + 1, 402)])
def test_jobs_are_started_until_more_is_used_than_allowed(alice: Any, project: Any, used: int, code: int) -> None:
    from api_world import Speaker
    from qfc_node.core.models import Project

    Project.objects.update(project_filename="survey.qgs")
    allow(1, used_bytes=used)
    assert Speaker(alice).post("jobs/", {"project_id": str(project.pk), "type": "package"}).status_code == code


# --- packages of storage


@pytest.mark.parametrize(
    ("since", "until", "counts"),
    [
        (-A_DAY, None, True),
        (-A_DAY, AN_HOUR, True),
        (-A_DAY, -A_MOMENT, False),
        (-A_MOMENT, None, True),
        (AN_HOUR, None, False),
    ],
)
def test_a_package_counts_from_its_beginning_to_its_end(
    alice: Any, since: timedelta, until: timedelta | None, counts: bool
) -> None:
    before = allowed(alice)
    add_package(alice, since=since, until=until)
    assert allowed(alice) - before == (500 if counts else 0)


def test_what_others_have_added_and_what_is_not_storage_is_not_counted(alice: Any) -> None:
    from api_world import person

    before = allowed(alice)
    add_package(person("bob"))
    add_package(alice, kind="job_minutes")
    assert allowed(alice) == before


# --- subscriptions


@pytest.mark.parametrize(
    ("since", "until", "is_current"),
    [
        (None, None, True),
        (-A_MOMENT, AN_HOUR, True),
        (-A_DAY, -A_MOMENT, False),
        (AN_HOUR, None, False),
    ],
)
def test_a_subscription_is_current_from_its_beginning_to_its_end(
    alice: Any, since: timedelta | None, until: timedelta | None, is_current: bool
) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Subscription
    from qfc_node.core.quota import Refusal, current_subscription, upload_allowance

    now = timezone.now()
    Subscription.objects.update(
        active_since=None if since is None else now + since, active_until=None if until is None else now + until
    )
    assert (current_subscription(alice.pk) is not None) == is_current
    assert upload_allowance(alice, "sdk").refusal is (None if is_current else Refusal.INACTIVE)


def test_of_two_current_subscriptions_the_one_that_began_last_counts(alice: Any) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Subscription
    from qfc_node.core.quota import current_subscription

    first = subscription_of(alice)
    Subscription.objects.update(active_since=timezone.now() - AN_HOUR)
    older = Subscription.objects.create(
        account_id=alice.pk, plan=first.plan, created_by=alice, active_since=timezone.now() - A_DAY
    )
    assert current_subscription(alice.pk) == first
    Subscription.objects.filter(pk=older.pk).update(active_since=timezone.now() - A_MOMENT)
    assert current_subscription(alice.pk) == older


# --- collaborators


@pytest.mark.parametrize(
    ("limit", "is_public", "refuses_one_more", "refuses_job"),
    [
        (-1, False, False, False),
        (3, False, False, False),
        (2, False, True, False),
        (1, False, True, True),
        (0, False, True, True),
        (1, True, False, False),
    ],
)
def test_a_project_has_as_many_collaborators_as_the_plan_says(
    alice: Any, project: Any, limit: int, is_public: bool, refuses_one_more: bool, refuses_job: bool
) -> None:
    """The project has two collaborators; public projects have no limit."""
    from api_world import person
    from qfc_node.core import quota
    from qfc_node.core.models import Plan, ProjectCollaborator

    for name in ("bob", "carol"):
        ProjectCollaborator.objects.create(project=project, collaborator=person(name))
    Plan.objects.update(max_premium_collaborators_per_private_project=limit)
    project.is_public = is_public
    assert (quota.refuses_collaborator(project) is quota.Refusal.PLAN) == refuses_one_more
    assert (quota.refuses_job(project, "package") is quota.Refusal.PLAN) == refuses_job
