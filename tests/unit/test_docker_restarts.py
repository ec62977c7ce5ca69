"""The number of automatic restarts of containers, remembered longer than by the engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.restarts import Past, RestartHistory, remembered

BEGAN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
APP = Container(
    "a1", "qfc-app-1", "app", "sha256:1", "running", 7, BEGAN, BEGAN, None, 0, False, 0, "always", None, False, None, ""
)


def run(container: Container, number: int, **values: object) -> Container:
    """Return a container in one of its runs."""
    began = BEGAN + timedelta(hours=number)
    return replace(container, started_at=began, **values)


def totals(*looks: tuple[Container, int | None]) -> tuple[int, int]:
    """Return the known restarts and kills after some snapshots."""
    past = Past()
    for container, kills in looks:
        past = remembered(past, container, kills)
    return past.restarts, past.oom_kills


@pytest.mark.parametrize(
    ("counts", "restarts"),
    [
        ([0], 0),
        ([3], 3),
        ([0, 1, 1, 4], 4),
        ([3, 0], 3),
        ([3, 0, 1], 4),
        ([3, 1], 4),
        ([2, 0, 2, 0, 1], 5),
    ],
)
def test_restarts_by_hand_make_the_engine_forget_and_us_not(counts: list[int], restarts: int) -> None:
    looks = [(run(APP, number, restart_count=count), 0) for number, count in enumerate(counts)]
    assert totals(*looks) == (restarts, 0)


def test_a_new_container_of_the_same_name_begins_anew() -> None:
    first = run(APP, 0, restart_count=5)
    assert totals((first, 2), (replace(first, id="b2", restart_count=1), 0)) == (1, 0)


def test_kills_are_counted_once_in_every_run() -> None:
    assert totals((APP, 0), (APP, 1), (APP, 1), (APP, 3)) == (0, 3)
    assert totals((APP, 2), (run(APP, 1, restart_count=1), 0), (run(APP, 1, restart_count=1), 1)) == (1, 3)


def test_a_container_that_was_killed_as_a_whole_counts_as_one() -> None:
    ended = replace(APP, status="exited", oom_killed=True)
    assert totals((APP, 0), (ended, None), (ended, None)) == (0, 1)


@pytest.mark.parametrize("between", [(replace(APP, status="exited", oom_killed=True), None), (APP, None)])
def test_kills_of_a_run_are_not_counted_again_when_the_kernel_no_longer_tells(
    between: tuple[Container, int | None],
) -> None:
    assert totals((APP, 2), between) == (0, 2)
    assert totals((APP, 2), between, (APP, 2)) == (0, 2)
    assert totals((APP, 2), between, (run(APP, 1), 1)) == (0, 3)


def test_a_container_that_never_ran_has_no_past_to_speak_of() -> None:
    made = replace(APP, status="created", started_at=None, pid=None)
    assert totals((made, None)) == (0, 0)


def test_what_was_seen_is_kept_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "restarts.json"
    first = RestartHistory(path).update([(replace(APP, restart_count=3), 1)])
    again = RestartHistory(path).update([(run(APP, 1), 0)])
    assert (first["qfc-app-1"].restarts, again["qfc-app-1"].restarts, again["qfc-app-1"].oom_kills) == (3, 3, 1)
    assert path.stat().st_mode & 0o077 == 0


def test_containers_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    history = RestartHistory(tmp_path / "restarts.json")
    history.update([(replace(APP, restart_count=3), 0)])
    assert history.update([]) == {}
    assert history.update([(run(APP, 1, restart_count=1), 0)])["qfc-app-1"].restarts == 1


def test_what_is_seen_again_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "restarts.json"
    RestartHistory(path).update([(APP, 0)])
    before = path.stat().st_ino
    RestartHistory(path).update([(APP, 0)])
    assert path.stat().st_ino == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"qfc-app-1": 1}', '{"qfc-app-1": {"colour": "red"}}'])
def test_garbage_is_no_past(tmp_path: Path, content: str) -> None:
    path = tmp_path / "restarts.json"
    path.write_text(content)
    assert RestartHistory(path).update([(replace(APP, restart_count=2), 0)])["qfc-app-1"].restarts == 2


def test_what_cannot_be_kept_does_not_stop_anybody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert RestartHistory(tmp_path / "file" / "restarts.json").update([(APP, 1)])["qfc-app-1"].oom_kills == 1
