"""Which sets are kept: counted by time, only those that are complete and verified, never too few."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_world import NOW, a_set, bad, well
from qfc.stack.backup_rules import FULL_READ_DAYS, Retention, plan_prune, slice_of, slices_due
from qfc.stack.backup_set import Manifest, as_json, choose, from_json

DAY = timedelta(days=1)
NOTHING = Retention(last=1, daily=0, weekly=0, monthly=0, minimum=1)


def removed(manifests: list[Manifest], rules: Retention) -> list[str]:
    return [one.id for one in plan_prune(manifests, well(*manifests), rules, NOW).remove]


def test_the_newest_and_one_of_each_day_week_and_month_are_kept() -> None:
    sets = [a_set(number, number * DAY / 2) for number in range(200)]
    plan = plan_prune(sets, well(*sets), Retention(last=3, daily=4, weekly=3, monthly=3), NOW)
    kept = [f"{one.taken_at:%m-%d %H}" for one in plan.keep]
    # Monday 30 November at noon; then the last three, noons of days, Sundays, ends of months.
    assert kept == ["11-30 12", "11-30 00", "11-29 12", "11-28 12", "11-27 12", "11-22 12", "10-31 12", "09-30 12"]
    assert len(plan.keep) + len(plan.remove) == 200


def test_sets_are_ordered_by_their_time_and_not_by_their_names() -> None:
    """A name says nothing: whoever renames things, or upgrades, must not lose the newest sets."""
    old, new = a_set(0xFFFF, 5 * DAY), a_set(0, DAY)
    renamed = Manifest(**{**vars(old), "id": "29991231-000000-ffff"})
    assert removed([renamed, new], NOTHING) == ["29991231-000000-ffff"]


def test_sets_that_do_not_count_take_no_place_and_go() -> None:
    good, damaged, unverified = (a_set(number, number * DAY) for number in (9, 10, 12))
    partial = a_set(11, 11 * DAY, missing=1)
    plan = plan_prune([good, damaged, partial, unverified], {**well(good, partial), **bad(damaged)}, NOTHING, NOW)
    assert {one.id for one in plan.remove} == {damaged.id, partial.id, unverified.id}


def test_a_set_that_is_newer_than_every_good_one_stays() -> None:
    good, fresh = a_set(1, DAY), a_set(2)
    assert not plan_prune([good, fresh], well(good), NOTHING, NOW).remove


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=30), st.integers(1, 5), st.integers(1, 9))
def test_never_fewer_than_the_minimum_of_verified_sets(made: list[tuple[int, bool]], minimum: int, last: int) -> None:
    sets = [a_set(number, age * DAY) for number, (age, _) in enumerate(made)]
    good = [one for one, (_, is_good) in zip(sets, made, strict=True) if is_good]
    rules = Retention(last=last, daily=0, weekly=0, monthly=0, minimum=minimum)
    plan = plan_prune(sets, well(*good), rules, NOW)
    left = {one.id for one in plan.keep}
    assert len([one for one in good if one.id in left]) >= min(minimum, len(good))
    if len(good) < minimum:
        assert not plan.remove


def test_every_slice_is_read_within_thirty_days_whatever_the_pace() -> None:
    for every in (1, 3, 7, 29):
        read_at: dict[int, datetime] = {}
        now = NOW
        for _ in range(400 // every):
            for one in slices_due(read_at, now):
                read_at[one] = now
            now += timedelta(days=every)
            assert all(now - moment <= timedelta(days=FULL_READ_DAYS) for moment in read_at.values()), every
    assert len(read_at) == FULL_READ_DAYS


def test_a_daily_verification_reads_a_part_and_not_everything() -> None:
    read_at = dict.fromkeys(range(FULL_READ_DAYS), NOW)
    assert len(slices_due(read_at, NOW + DAY)) == 1
    assert len(slices_due(read_at, NOW + 7 * DAY)) == 7
    assert {slice_of(f"{number:08x}") for number in range(100)} == set(range(FULL_READ_DAYS))


def test_a_set_is_chosen_by_id_or_by_time() -> None:
    sets = [a_set(number, number * DAY) for number in range(3)]
    assert choose(sets, None) == sets[0]
    assert choose(sets, sets[2].id) == sets[2]
    assert choose(sets, (NOW - 1.5 * DAY).isoformat()) == sets[2]
    assert choose(sets, (NOW - 9 * DAY).isoformat()) is None
    assert choose([], None) is None
    assert choose(sets, sets[2].id[:-1]) == sets[2]
    for nothing in ("nope", "../second", "2026", "", sets[2].id + "0"):
        assert choose(sets, nothing) is None


def test_a_date_means_its_end() -> None:
    old, new = a_set(1, 3 * DAY), a_set(0, DAY)
    day = f"{(NOW - DAY).astimezone():%Y-%m-%d}"
    assert choose([old, new], day) == new
    assert choose([old, new], f"{(NOW - 2 * DAY).astimezone():%Y-%m-%d}") == old


def test_a_manifest_survives_its_json() -> None:
    one = a_set(1, missing=2)
    assert from_json(as_json(one)) == one


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"format": 1}'])
def test_what_is_no_manifest_is_damage(content: bytes) -> None:
    from qfc.errors import DamagedError

    with pytest.raises(DamagedError):
        from_json(content)


def test_a_newer_format_is_refused_with_what_to_do() -> None:
    from qfc.errors import QfcError

    with pytest.raises(QfcError, match="newer than this release"):
        from_json(b'{"format": 99}')
