"""Log lines of every service: parsed, merged in the order of time, read from the end, followed across rotation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from qfc.drivers.log_lines import parse
from qfc.drivers.runtimes.embedded import history
from qfc.drivers.runtimes.embedded.logs import Follower, last_texts, read


def moment(second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 1, 2, 3, 4, second, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "time", "level", "text"),
    [
        ("2026-01-02 03:04:05.678 UTC [42] LOG:  ready", moment(5, 678000), "INFO", "ready"),
        ("2026-01-02 03:04:05.678 UTC [42] FATAL:  no", moment(5, 678000), "FATAL", "no"),
        ("[2026-01-02 04:04:05 +0100] [7] [INFO] Booting", moment(5), "INFO", "Booting"),
        ("2026-01-02 03:04:05,678 INFO spawned: 'app'", moment(5, 678000), "INFO", "spawned: 'app'"),
        ("\tDETAIL of before", None, "", "\tDETAIL of before"),
        ("{not json", None, "", "{not json"),
        ("", None, "", ""),
    ],
)
def test_lines_of_every_kind(line: str, time: datetime | None, level: str, text: str) -> None:
    parsed = parse("app", "app", line)
    assert (parsed.time, parsed.level, parsed.text) == (time, level, text)


def test_a_line_of_the_node_has_its_job() -> None:
    document = {"ts": moment(5).isoformat(), "level": "ERROR", "message": "oh", "job_id": "j1", "exc_info": "Trace"}
    parsed = parse("worker_wrapper", "worker_wrapper-1", json.dumps(document))
    assert (parsed.time, parsed.level, parsed.text, parsed.job_id) == (moment(5), "ERROR", "oh\nTrace", "j1")


def write_log(path: Path, seconds: list[int], name: str) -> None:
    lines = [f"2026-01-02 03:04:{second:02}.000 UTC [1] LOG:  {name}{second}" for second in seconds]
    path.write_text("\n".join(lines) + "\n")


def texts(*files: Path, lines: int = 0, since: datetime | None = None) -> list[str]:
    named = [(path.stem, path) for path in files]
    return [line.text for line in read(named, lines=lines, since=since)]


def test_services_are_merged_in_the_order_of_time(tmp_path: Path) -> None:
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    write_log(a, [1, 4, 5], "a")
    write_log(b, [2, 3, 6], "b")
    assert texts(a, b) == ["a1", "b2", "b3", "a4", "a5", "b6"]
    assert texts(a, b, lines=2) == ["a5", "b6"]
    assert texts(a, b, since=moment(4)) == ["a4", "a5", "b6"]
    assert texts(a, b, lines=1, since=moment(4)) == ["b6"]


def test_a_line_without_time_stays_behind_the_one_before(tmp_path: Path) -> None:
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    write_log(a, [1], "a")
    a.write_text(a.read_text() + "\tits detail\n")
    write_log(b, [2], "b")
    assert texts(a, b) == ["a1", "\tits detail", "b2"]


def test_rotated_parts_are_read_the_oldest_first(tmp_path: Path) -> None:
    write_log(tmp_path / "a.log.2", [1, 2], "a")
    write_log(tmp_path / "a.log.1", [3, 4], "a")
    write_log(tmp_path / "a.log", [5], "a")
    assert texts(tmp_path / "a.log") == ["a1", "a2", "a3", "a4", "a5"]
    assert texts(tmp_path / "a.log", lines=4) == ["a2", "a3", "a4", "a5"]
    assert last_texts(tmp_path / "none.log", 3) == []


def test_the_end_of_a_big_log_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {number} {'x' * 100}\n" for number in range(5000)))
    assert [text.split()[1] for text in last_texts(path, 3)] == ["4997", "4998", "4999"]
    assert len(last_texts(path, 4999)) == 4999
    assert len(last_texts(path, 6000)) == 5000


def test_a_follower_yields_new_lines_across_rotation(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_log(path, [1], "a")
    lines = Follower([("a", path), ("b", tmp_path / "b.log")]).lines()
    with path.open("a") as file:
        file.write("2026-01-02 03:04:02.000 UTC [1] LOG:  half")
    with path.open("a") as file:
        file.write(" and whole\n")
    assert next(lines).text == "half and whole"
    path.rename(tmp_path / "a.log.1")
    write_log(path, [3], "a")
    write_log(tmp_path / "b.log", [4], "b")
    assert [line.text for line in islice(lines, 2)] == ["a3", "b4"]


def event(process: str, kind: str, planned: bool, code: int | None) -> str:
    return json.dumps({"at": 1, "process": process, "event": kind, "pid": 1, "planned": planned, "exit_code": code})


def test_restarts_are_counted_since_the_last_planned_end(tmp_path: Path) -> None:
    lines = [
        event("app", "started", True, None),
        event("app", "ended", False, 1),
        event("app", "started", True, None),
        event("app", "ended", True, 0),
        event("app", "started", True, None),
        event("app", "ended", False, -1),
        '{"broken',
        event("app", "ended", False, 3),
        event("db", "ended", True, 0),
    ]
    path = tmp_path / "history.jsonl"
    path.write_text("\n".join(lines) + "\n")
    pasts = history.read(path)
    assert pasts["app"] == history.Past(restarts=2, exit_code=3)
    assert pasts["db"] == history.Past(restarts=0, exit_code=0)
    assert history.read(tmp_path / "none") == {}
