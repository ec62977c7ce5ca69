"""Notices to users, on a stack in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from qfc.errors import UsageError
from qfc.operations.guard import Options
from qfc.operations.notices import Notice, notice_clear, notice_set, notices_shown, parse_time
from twins import MemoryPorts, memory_stack

ZURICH = timezone(timedelta(hours=1))


@pytest.fixture
def ports() -> MemoryPorts:
    made = memory_stack()
    made.runtime.start(None)
    return made


@pytest.fixture
def asked(ports: MemoryPorts) -> list[tuple[str, ...]]:
    """What the application was asked to do."""
    found: list[tuple[str, ...]] = []

    def execute(service: str, argv: Sequence[str], stdin: bytes) -> str:
        assert (service, stdin) == ("app", b"")
        found.append(tuple(argv))
        return ""

    ports.runtime.execute_with = execute
    return found


def test_an_incident_counts_from_now_on(ports: MemoryPorts, asked: list[tuple[str, ...]]) -> None:
    now = ports.clock.now()
    done = notice_set(ports, Notice("The store is slow."), status_page="https://s.example.org", options=Options())
    assert asked == [
        ("constance", "set", "STATUS_PAGE_URL", "https://s.example.org"),
        ("constance", "set", "INCIDENT_MESSAGE", "The store is slow."),
        ("constance", "set", "INCIDENT_TIMESTAMP_UTC", f"{now:%Y-%m-%d}", f"{now:%H:%M:%S}"),
        ("constance", "set", "INCIDENT_IS_ACTIVE", "True"),
    ]
    assert done.steps == ("Tell all users of an incident: The store is slow.",)
    (entry,) = ports.audit.entries()
    assert entry.command == "notice set"


def test_a_maintenance_has_times_in_utc(ports: MemoryPorts, asked: list[tuple[str, ...]]) -> None:
    begins = datetime(2999, 1, 1, 0, 30, tzinfo=ZURICH)
    notice = Notice("A new release", begins, begins + timedelta(hours=2))
    notice_set(ports, notice, status_page=None, options=Options())
    assert [words[2:] for words in asked] == [
        ("MAINTENANCE_MESSAGE", "A new release"),
        ("MAINTENANCE_START_TIMESTAMP_UTC", "2998-12-31", "23:30:00"),
        ("MAINTENANCE_END_TIMESTAMP_UTC", "2999-01-01", "01:30:00"),
        ("MAINTENANCE_IS_PLANNED", "True"),
    ]


def test_notices_are_taken_back(ports: MemoryPorts, asked: list[tuple[str, ...]]) -> None:
    notice_clear(ports, Options())
    assert [words[2:] for words in asked] == [("INCIDENT_IS_ACTIVE", "False"), ("MAINTENANCE_IS_PLANNED", "False")]


def test_a_dry_run_tells_nobody(ports: MemoryPorts, asked: list[tuple[str, ...]]) -> None:
    assert notice_set(ports, Notice("x"), status_page=None, options=Options(dry_run=True)).dry_run
    assert asked == []


@pytest.mark.parametrize(
    "notice",
    [
        Notice(" "),
        Notice("-x"),
        Notice("x", datetime(2999, 1, 1, tzinfo=UTC), None),
        Notice("x", None, datetime(2999, 1, 1, tzinfo=UTC)),
        Notice("x", datetime(2999, 1, 2, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)),
        Notice("x", datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC)),
    ],
)
def test_nonsense_is_refused(ports: MemoryPorts, asked: list[tuple[str, ...]], notice: Notice) -> None:
    with pytest.raises(UsageError):
        notice_set(ports, notice, status_page=None, options=Options())
    assert asked == []


def test_times_are_the_operators() -> None:
    now = datetime(2026, 12, 1, 9, 0, tzinfo=ZURICH)
    assert parse_time("2026-12-31 18:00", now) == datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    assert parse_time("18:00", now) == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    assert parse_time("2026-12-31T18:00+00:00", now) == datetime(2026, 12, 31, 18, 0, tzinfo=UTC)
    with pytest.raises(UsageError, match="soon"):
        parse_time("soon", now)


def test_what_users_see_is_shown(ports: MemoryPorts) -> None:
    told = {"database": "ok", "incident_message": "Slow", "incident_timestamp_utc": "2026-11-30T08:00:00Z"}
    ports.api.answers["/api/v1/status/"] = (200, json.dumps(told).encode())
    shown = notices_shown(ports)
    assert (shown.incident_message, shown.maintenance_message) == ("Slow", None)
