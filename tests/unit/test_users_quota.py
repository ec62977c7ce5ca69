"""The storage quota of an account, and whether its plan lets it work at all; on a stack in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qfc.errors import NotFoundError, RefusedError, UsageError
from qfc.operations.guard import Options
from qfc.operations.users_quota import parse_size, plan_problems, users_plans, users_quota, users_set_quota
from qfc.stack.model import Plan, Subscription, User
from twins import MemoryPorts, memory_stack

MB, GB = 10**6, 10**9
SMALL = Plan("community", "person", 100 * MB, True)
LARGE = Plan("pro", "person", 1000 * MB, False)
HERS = Subscription("community", "active_paid", 100 * MB, 0, 1000 * MB, True)


@pytest.fixture
def ports() -> MemoryPorts:
    stack = memory_stack()
    stack.directory.user_rows["alice"] = User("alice", "", "person", False, True, None, 95 * MB, 100 * MB)
    stack.directory.subscriptions["alice"] = HERS
    stack.directory.plan_rows = (SMALL, LARGE)
    return stack


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500MB", 500 * MB),
        (" 20 GB ", 20 * GB),
        ("1.5TB", 1_500 * GB),
        ("5k", 5000),
        ("5KB", 5000),
        ("7B", 7),
        ("1000", 1000),
        ("0", 0),
        ("0.0015MB", 1500),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-5MB", "5 PB", "5MiB", "1,5GB", "1.GB", "five", "5MB5"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text)
    assert "500MB" in caught.value.hint


@pytest.mark.parametrize(
    ("subscription", "used", "ids"),
    [
        (HERS, None, []),
        (HERS, 0.89, []),
        (None, 0.5, []),
        (HERS, 0.9, ["H03"]),
        (HERS, 1.0, ["H03"]),
        (replace(HERS, status="active_past_due"), 0.1, []),
        (replace(HERS, status="inactive_draft"), 0.1, ["H01"]),
        (replace(HERS, has_external_databases=False), 0.1, ["H02"]),
        (replace(HERS, has_external_databases=None), 0.1, []),
        (replace(HERS, status="inactive_cancelled", has_external_databases=False), 2.0, ["H01", "H02", "H03"]),
    ],
)
def test_why_an_account_cannot_work(subscription: Subscription | None, used: float | None, ids: list[str]) -> None:
    assert [problem.partition(":")[0] for problem in plan_problems(subscription, used)] == ids


def test_a_quota_is_told_with_its_plan(ports: MemoryPorts) -> None:
    quota = users_quota(ports, "ALICE")
    assert (quota.username, quota.used, quota.subscription) == ("alice", 0.95, HERS)
    assert quota.problems == ("H03: 95% of the storage is used.",)
    assert users_plans(ports) == (SMALL, LARGE)
    with pytest.raises(NotFoundError):
        users_quota(ports, "nobody")


def test_what_the_plan_has_not_is_added_in_units(ports: MemoryPorts) -> None:
    changed = users_set_quota(ports, "alice", Options(), size="1.5GB")
    assert (changed.before, changed.after, changed.plan) == (100 * MB, 2100 * MB, None)
    assert ports.directory.subscriptions["alice"].added_bytes == 2000 * MB
    assert ports.audit.entries()[0].result == "100000000 → 2100000000 bytes"


def test_another_plan_makes_an_account_work_again(ports: MemoryPorts) -> None:
    ports.directory.subscriptions["alice"] = replace(HERS, status="inactive_draft")
    changed = users_set_quota(ports, "alice", Options(), plan="pro")
    assert (changed.after, changed.plan) == (1000 * MB, "pro")
    assert users_quota(ports, "alice").problems == ()


def test_a_size_is_measured_against_the_plan_that_comes_with_it(ports: MemoryPorts) -> None:
    changed = users_set_quota(ports, "alice", Options(), size="1GB", plan="pro")
    assert (changed.after, len(changed.steps)) == (1000 * MB, 2)
    assert ports.directory.subscriptions["alice"].added_bytes == 0


def test_a_dry_run_says_the_steps_and_changes_nothing(ports: MemoryPorts) -> None:
    changed = users_set_quota(ports, "alice", Options(dry_run=True), size="2GB", plan="pro")
    assert changed.steps == ("Give alice the plan pro", "Set the quota of alice to 2000 MB")
    assert (changed.dry_run, changed.after) == (True, 100 * MB)
    assert ports.directory.subscriptions["alice"] == HERS
    assert ports.audit.entries() == ()


@pytest.mark.parametrize(
    ("given", "error", "told", "hint"),
    [
        ({"size": "99MB"}, RefusedError, "The plan community already includes 100 MB", "none; create one"),
        ({"size": "500MB", "plan": "pro"}, RefusedError, "The plan pro already includes 1000 MB", "community"),
        ({"plan": "gold"}, UsageError, "There is no plan gold", "community, pro"),
        ({"size": "many"}, UsageError, "'many' is not a size", "500MB"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_changed(
    ports: MemoryPorts, given: dict[str, str], error: type[RefusedError | UsageError], told: str, hint: str
) -> None:
    with pytest.raises(error, match=told) as caught:
        users_set_quota(ports, "alice", Options(), **given)
    assert hint in caught.value.hint
    assert ports.directory.subscriptions["alice"] == HERS
    assert ports.audit.entries() == ()


def test_an_account_without_a_subscription_is_refused(ports: MemoryPorts) -> None:
    del ports.directory.subscriptions["alice"]
    with pytest.raises(RefusedError, match="alice has no subscription"):
        users_set_quota(ports, "alice", Options(), size="1GB")
