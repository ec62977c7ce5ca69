"""The logs of containers: merged in the order of time, with the engine's own timestamps, and followed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO

import pytest

from qfc.drivers.docker.containers import Container
from qfc.drivers.runtimes.compose.logs import LOOKED_THROUGH, follow, merged, reading, stamped
from qfc.stack.model import LogLine


def moment(second: int) -> datetime:
    return datetime(2026, 5, 4, 12, 0, second, tzinfo=UTC)


def container(id: str, service: str) -> Container:
    blank = Container(
        id, f"qfc-{service}-1", "", "", "running", 1, moment(0), None, None, 0, False, 0, "", None, False, None, ""
    )
    return replace(blank, labels={"com.docker.compose.service": service})


APP, DB = container("a1", "app"), container("b2", "db")
PRINTED = """@log a1
2026-05-04T12:00:01.000000000Z a1
2026-05-04T12:00:04.100000000Z a4
@log b2
2026-05-04T12:00:02.000000000Z b2
2026-05-04T12:00:04.000000000Z b4
@log gone
2026-05-04T12:00:03.000000000Z nobody's
""".splitlines()


def texts(printed: Iterable[str], lines: int = 0, since: datetime | None = None) -> list[str]:
    return [line.text for line in merged(printed, [APP, DB], lines=lines, since=since)]


def test_containers_are_merged_in_the_order_of_time() -> None:
    assert texts(PRINTED) == ["a1", "b2", "b4", "a4"]
    assert texts(PRINTED, lines=2) == ["b4", "a4"]
    assert texts(PRINTED, since=moment(2)) == ["b2", "b4", "a4"]
    assert texts(PRINTED, lines=1, since=moment(2)) == ["a4"]
    assert texts([]) == []


def test_lines_of_one_moment_stay_in_their_order() -> None:
    same = [f"2026-05-04T12:00:01Z {number}" for number in range(9)]
    assert texts(["@log a1", *same]) == [str(number) for number in range(9)]


def test_a_line_says_whose_it_is() -> None:
    (line,) = merged(["@log b2", "2026-05-04T12:00:01Z hello"], [APP, DB], lines=0, since=None)
    assert line == LogLine("db", "qfc-db-1", moment(1), "", "hello")


def test_a_line_without_a_moment_stays_behind_the_one_before() -> None:
    printed = ["@log a1", "2026-05-04T12:00:03Z 10%", "20%", "@log b2", "2026-05-04T12:00:01Z b1"]
    assert texts(printed) == ["b1", "10%", "20%"]
    assert texts(printed, since=moment(2)) == ["10%", "20%"]
    assert texts(["@log a1", "Error response from daemon", "2026-05-04T12:00:03Z x"]) == [
        "Error response from daemon",
        "x",
    ]


@pytest.mark.parametrize(
    ("text", "time", "level", "said"),
    [
        ("2026-05-04T12:00:01.123456789Z plain", moment(1).replace(microsecond=123456), "", "plain"),
        ("2026-05-04T14:00:01+02:00 plain", moment(1), "", "plain"),
        ("2026-05-04T12:00:01Z ", moment(1), "", ""),
        ("2026-05-04T12:00:01Z", moment(1), "", ""),
        ("2026-05-04T12:00:01Z   indented", moment(1), "", "  indented"),
        ('2026-05-04T12:00:01Z {"ts":"2026-05-04T14:00:00","level":"INFO","message":"m"}', moment(1), "INFO", "m"),
        ("2026-05-04T12:00:01Z 2026-05-04 11:59:59.000 UTC [9] LOG:  ready", moment(1), "INFO", "ready"),
        ("[2026-05-04 12:00:02 +0000] [7] [INFO] Booting", moment(2), "INFO", "Booting"),
        ("no moment at all", None, "", "no moment at all"),
    ],
)
def test_the_moment_of_the_engine_counts(text: str, time: datetime | None, level: str, said: str) -> None:
    line = stamped("app", "qfc-app-1", text)
    assert (line.time, line.level, line.text) == (time, level, said)


@pytest.mark.parametrize(
    ("lines", "since", "words"),
    [
        (5, None, ["", "5"]),
        (0, None, ["", str(LOOKED_THROUGH)]),
        (0, moment(1), ["2026-05-04T12:00:01+00:00", "all"]),
        (5, moment(1), ["2026-05-04T12:00:01+00:00", "5"]),
    ],
)
def test_so_much_is_asked_of_the_engine(lines: int, since: datetime | None, words: list[str]) -> None:
    assert reading([APP, DB], lines=lines, since=since)[3:] == ["sh", *words, "a1", "b2"]


@dataclass
class Talking:
    """A machine on which every command has the same output. The other end is closed when the reader stops."""

    said: bytes
    closed: bool = False

    @contextmanager
    def start(self, argv: Sequence[str]) -> Generator[Talking]:
        del argv
        self.stdout = BytesIO(self.said)
        yield self
        self.closed = True


V2 = "app-1  | 2026-05-04T12:00:01.5Z one\nworker_wrapper-12  | 2026-05-04T12:00:02Z | two\r\n"
V1 = (
    "Attaching to app_1, worker_wrapper_12\n"
    "\x1b[36mapp_1               |\x1b[0m 2026-05-04T12:00:01.5Z one\n"
    "worker_wrapper_12   | 2026-05-04T12:00:02Z | two\n"
    "app_1 exited with code 0\n"
)
NAMED = "qfc-app-1  | 2026-05-04T12:00:01.5Z one\nspecial | 2026-05-04T12:00:02Z | two\n"


@pytest.mark.parametrize(
    ("said", "instances"),
    [
        (V2, ["app-1", "worker_wrapper-12"]),
        (V1, ["app_1", "worker_wrapper_12"]),
        (NAMED, ["qfc-app-1", "special"]),
    ],
)
def test_lines_are_followed_as_either_compose_writes_them(said: str, instances: list[str]) -> None:
    names = {"qfc-app-1": "app", "special": "worker_wrapper"}
    lines = list(follow(Talking(said.encode()), ["docker"], names))  # pyright: ignore[reportArgumentType]
    assert [line.instance for line in lines] == instances
    assert [line.service for line in lines] == ["app", "worker_wrapper"]
    assert [(line.time, line.text) for line in lines] == [
        (moment(1).replace(microsecond=500000), "one"),
        (moment(2), "| two"),
    ]


def test_following_ends_when_the_reader_stops() -> None:
    machine = Talking(V2.encode() + b"app-1  | \xff\n")
    lines = follow(machine, ["docker"], {})  # pyright: ignore[reportArgumentType]
    assert next(lines).text == "one"
    assert not machine.closed
    assert [line.text for line in lines] == ["| two", "\ufffd"]
    assert machine.closed
