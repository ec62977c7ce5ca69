"""When backups are good enough, and when an operator has to hear about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from backup_world import NOW, a_set, bad, well
from qfc.stack.backup_health import BackupState, Drill, damaged, keyless, none_counts, shrunk, too_old, undrilled

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def state(*ages: timedelta, size: int = 1000, **more: object) -> BackupState:
    sets = tuple(a_set(number, age, size=size) for number, age in enumerate(ages))
    made = BackupState(sets, well(*sets), recipient="age1x", has_identity=True, place="/backup")
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_fresh_verified_set_is_enough() -> None:
    one = state(HOUR, drill=Drill("x", NOW - DAY, True, 9))
    judges = (none_counts, too_old, shrunk, damaged, undrilled, keyless)
    assert [judge(one, NOW) for judge in judges] == [None] * len(judges)


def test_no_set_and_none_that_counts_are_told_apart() -> None:
    assert none_counts(state(), NOW) == "There is no set in /backup."
    unproven = state(HOUR, verdicts={})
    assert "none that is complete and verified" in str(none_counts(unproven, NOW))
    lacking = replace(state(), manifests=(a_set(1, missing=1),), verdicts=well(a_set(1, missing=1)))
    assert none_counts(lacking, NOW) is not None


def test_a_new_stack_is_not_late_with_its_first_backup() -> None:
    assert none_counts(state(born_at=NOW - 47 * HOUR), NOW) is None
    assert none_counts(state(born_at=NOW - 49 * HOUR), NOW) is not None
    assert none_counts(state(born_at=None), NOW) is not None


def test_a_set_is_old_after_twice_the_period_and_the_time_that_it_takes() -> None:
    """A set of the worlds takes ten minutes."""
    assert too_old(state(48 * HOUR), NOW) is None
    assert too_old(state(48 * HOUR + 10 * timedelta(minutes=1)), NOW) is None
    assert "is 49 h old; one is due every 24 h" in str(too_old(state(49 * HOUR), NOW))
    unproven = state(HOUR, 90 * HOUR)
    newest = unproven.manifests[0]
    assert "is 4 days old" in str(too_old(replace(unproven, verdicts=well(unproven.manifests[1])), NOW)), newest


def test_a_set_of_less_than_half_the_usual_size_is_suspicious() -> None:
    before = [a_set(number, number * DAY, size=1000) for number in range(1, 8)]
    for size, is_told in ((1000, False), (500, False), (499, True), (5000, False)):
        sets = (*before, a_set(0, size=size))
        assert (shrunk(BackupState(sets, well(*sets)), NOW) is not None) == is_told, size


def test_the_first_set_has_nothing_to_be_compared_with() -> None:
    assert shrunk(state(HOUR), NOW) is None


def test_damage_is_told_with_its_first_problem() -> None:
    one = state(HOUR, 2 * HOUR)
    found = damaged(replace(one, verdicts={**one.verdicts, **bad(one.manifests[1], "object x is missing.")}), NOW)
    assert found == f"Damaged: {one.manifests[1].id}. object x is missing."
    assert damaged(replace(one, unreadable=("20260101-000000-0000",)), NOW) == "Damaged: 20260101-000000-0000."


def test_a_drill_is_due_after_a_week() -> None:
    assert undrilled(state(DAY), NOW) is None
    assert undrilled(state(DAY, 8 * DAY), NOW) == "No backup was ever restored on trial."
    assert undrilled(state(DAY, drill=Drill("x", NOW - 8 * DAY, True, 1)), NOW) == "The last drill was 8 days ago."
    assert undrilled(state(DAY, drill=Drill("x", NOW - 6 * DAY, True, 1)), NOW) is None
    failed = Drill("x", NOW, False, 1, ("a person logs in",))
    assert undrilled(state(DAY, drill=failed), NOW) == "The last drill, of x, failed: a person logs in."


def test_sets_without_their_key_are_worth_nothing() -> None:
    assert "key that opens them is not here" in str(keyless(state(DAY, recipient=None), NOW))
    assert "another key" in str(keyless(state(DAY, recipient="age1other"), NOW))
    assert keyless(state(recipient=None), NOW) is None
