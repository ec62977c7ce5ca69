"""The forecast of a full disk, and the file of measurements behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.drivers.disk_history import APART, MOST, FileDiskHistory
from qfc.stack.forecast import DiskSample, Forecast, forecast

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GB = 1000**3


def sample(hours_ago: float, free: int, total: int = 100 * GB) -> DiskSample:
    return DiskSample(NOW - timedelta(hours=hours_ago), free, total)


def test_a_disk_that_fills_evenly_is_full_when_the_line_says() -> None:
    found = forecast([sample(48, 30 * GB), sample(24, 20 * GB), sample(0, 10 * GB)])
    assert found == Forecast(10.0 * GB, NOW + timedelta(days=1), 3, 2.0)


def test_measurements_that_jump_are_levelled() -> None:
    found = forecast([sample(30, 30 * GB), sample(20, 31 * GB), sample(10, 19 * GB), sample(0, 20 * GB)])
    assert found.bytes_per_day == pytest.approx(10.08 * GB)
    assert found.full_at == NOW + timedelta(days=20 / 10.08)


def test_the_order_of_measurements_does_not_matter() -> None:
    samples = [sample(48, 30 * GB), sample(24, 25 * GB), sample(0, 10 * GB)]
    assert forecast(samples[::-1]) == forecast(samples)


@pytest.mark.parametrize(
    ("samples", "counted", "days"),
    [
        ([], 0, 0.0),
        ([sample(0, GB)], 1, 0.0),
        ([sample(24, 2 * GB), sample(0, GB)], 2, 1.0),
        ([sample(5, 3 * GB), sample(3, 2 * GB), sample(0, GB)], 3, 0.208),
        ([sample(24 * 15, 9 * GB), sample(24, 2 * GB), sample(0, GB)], 2, 1.0),
        ([sample(48, 9 * GB, 200 * GB), sample(24, 2 * GB), sample(0, GB)], 2, 1.0),
    ],
)
def test_too_few_or_too_close_measurements_say_nothing(samples: list[DiskSample], counted: int, days: float) -> None:
    assert forecast(samples) == Forecast(None, None, counted, days)


@pytest.mark.parametrize("free", [[10, 10, 10], [10, 20, 30], [20, 30, 25]])
def test_a_disk_that_does_not_fill_is_never_full(free: list[int]) -> None:
    found = forecast([sample(24 * (2 - day), one * GB) for day, one in enumerate(free)])
    assert found.full_at is None
    assert (found.bytes_per_day or 0) <= 0


def test_what_takes_more_than_ten_years_is_none() -> None:
    found = forecast([sample(48, 50 * GB + 2000), sample(24, 50 * GB + 1000), sample(0, 50 * GB)])
    assert (found.bytes_per_day, found.full_at) == (1000.0, None)


def test_a_full_disk_is_full_now() -> None:
    assert forecast([sample(48, 2 * GB), sample(24, GB), sample(0, 0)]).full_at == NOW


@given(st.lists(st.tuples(st.floats(0, 400), st.integers(0, 100 * GB)), max_size=20))
def test_a_forecast_is_never_in_the_past(measured: list[tuple[float, int]]) -> None:
    samples = [sample(hours, free) for hours, free in measured]
    found = forecast(samples)
    assert found.full_at is None or found.full_at >= max(one.at for one in samples)
    assert (found.full_at is None) or (found.bytes_per_day or 0) >= 0


def test_measurements_are_kept_in_a_file_that_only_the_owner_reads(tmp_path: Path) -> None:
    history, samples = FileDiskHistory(tmp_path / "new"), (sample(2, 3 * GB), sample(1, 2 * GB))
    assert history.samples() == ()
    for one in samples:
        history.add(one)
    assert FileDiskHistory(tmp_path / "new").samples() == samples
    assert (tmp_path / "new" / "disk.jsonl").stat().st_mode & 0o077 == 0


def test_one_measurement_of_about_the_same_time_is_enough(tmp_path: Path) -> None:
    history, first = FileDiskHistory(tmp_path), sample(2, GB)
    history.add(first)
    history.add(replace(first, at=first.at + APART - timedelta(seconds=1)))
    assert history.samples() == (first,)
    later = replace(first, at=first.at + APART)
    history.add(later)
    assert history.samples() == (first, later)


def test_disks_are_measured_side_by_side(tmp_path: Path) -> None:
    history, root = FileDiskHistory(tmp_path), replace(sample(2, GB), disk="/")
    data = replace(root, disk="/var/lib/docker")
    for one in (root, data, root):
        history.add(one)
    assert history.samples() == (root, data)


@pytest.mark.parametrize("line", ['{"at": "2026-05-04T11:00', "", "7", '{"at": "2026-05-04T11:00:00+00:00"}', "\0\0"])
def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path, line: str) -> None:
    history, first, second = FileDiskHistory(tmp_path), sample(2, GB), sample(1, GB)
    history.add(first)
    with (tmp_path / "disk.jsonl").open("a", encoding="utf-8") as file:
        file.write(line)
    assert history.samples() == (first,)
    history.add(second)
    assert history.samples() == (first, second)


def test_older_measurements_go_when_there_are_very_many(tmp_path: Path) -> None:
    path, history = tmp_path / "disk.jsonl", FileDiskHistory(tmp_path)
    times = [NOW - APART * (MOST + 1 - number) for number in range(MOST + 1)]
    path.write_text("".join(json.dumps({"at": at.isoformat(), "free": 1, "total": 2}) + "\n" for at in times))
    history.add(DiskSample(NOW, 1, 2))
    kept = [one.at for one in history.samples()]
    assert kept == [*times[(MOST + 1) // 2 :], NOW]
    assert path.stat().st_mode & 0o077 == 0


def test_what_cannot_be_kept_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    history = FileDiskHistory(tmp_path / "file")
    history.add(sample(0, GB))
    assert history.samples() == ()
