"""Plans: one use, ten minutes, the same arguments, the same state."""

from __future__ import annotations

import pytest

from qfc.mcp.plans import LIFETIME_S, MOST_PLANS, PlanBook, StateMovedError, UnknownPlanError, check, fingerprint

ANSWER = {"steps": ["Stop 2 workers"], "age_s": 3, "at": "x"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(clock: Clock) -> PlanBook:
    return PlanBook(clock)


def test_a_plan_is_applied_once(book: PlanBook) -> None:
    plan = book.add("down", {"now": True}, ANSWER)
    assert book.take(plan.id, "down", {}) == plan
    with pytest.raises(UnknownPlanError):
        book.take(plan.id, "down", {})


def test_a_plan_is_of_one_tool_and_its_arguments(book: PlanBook) -> None:
    plan = book.add("down", {"now": True}, ANSWER)
    for tool, arguments in (("up", {}), ("down", {"now": False}), ("down", {"now": True, "more": 1})):
        with pytest.raises(UnknownPlanError):
            book.take(plan.id, tool, arguments)
    assert book.take(plan.id, "down", {"now": True}) == plan


def test_a_plan_ends(book: PlanBook, clock: Clock) -> None:
    plan, late = book.add("down", {}, ANSWER), book.add("down", {}, ANSWER)
    clock.now = LIFETIME_S - 0.01
    book.take(plan.id, "down", {})
    clock.now = LIFETIME_S
    with pytest.raises(UnknownPlanError):
        book.take(late.id, "down", {})


def test_old_plans_make_room(book: PlanBook) -> None:
    plans = [book.add("down", {}, ANSWER) for _ in range(MOST_PLANS + 1)]
    with pytest.raises(UnknownPlanError):
        book.take(plans[0].id, "down", {})
    book.take(plans[-1].id, "down", {})


def test_a_plan_counts_for_the_state_that_was_seen(book: PlanBook) -> None:
    plan = book.add("down", {}, ANSWER)
    check(plan, {**ANSWER, "age_s": 99})
    with pytest.raises(StateMovedError):
        check(plan, {**ANSWER, "steps": ["Stop 3 workers"]})


def test_what_is_restless_does_not_count() -> None:
    one = {"jobs": [{"id": 1, "wait_s": 1}], "free_bytes": 1, "created_at": "1"}
    two = {"jobs": [{"id": 1, "wait_s": 2}], "free_bytes": 2, "created_at": "2"}
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(one) != fingerprint({**one, "jobs": []})
