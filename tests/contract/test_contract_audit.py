"""Every audit log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from qfc.drivers.audit import FileAuditLog, HostAuditLog, LoggedAuditLog
from qfc.drivers.hosts.local import LocalHost
from qfc.errors import QfcError
from qfc.stack.model import BEGUN, AuditEntry
from qfc.stack.ports import AuditLog
from twins import MemoryAuditLog

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(number: int) -> AuditEntry:
    return AuditEntry(BEGAN + timedelta(seconds=number), "anna@host", "up", f"stack-{number}", "done – ✓", 1.5)


@pytest.fixture(params=["file", "host", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> AuditLog:
    match request.param:
        case "file":
            return FileAuditLog(tmp_path / "stack")
        case "host":
            return HostAuditLog(LocalHost(), PurePosixPath(tmp_path / "stack"))
        case _:
            return MemoryAuditLog()


def test_a_new_log_is_empty(log: AuditLog) -> None:
    assert log.entries() == ()


def test_entries_come_back_as_they_were_the_newest_first(log: AuditLog) -> None:
    for number in range(3):
        log.append(entry(number))
    assert log.entries() == (entry(2), entry(1), entry(0))


def test_only_so_many_entries_are_given(log: AuditLog) -> None:
    for number in range(5):
        log.append(entry(number))
    assert log.entries(limit=2) == (entry(4), entry(3))


def test_a_change_is_given_once_and_as_begun_while_it_goes_on(log: AuditLog) -> None:
    began = replace(entry(1), result=BEGUN, change="a1")
    log.append(began)
    log.append(replace(entry(2), result=BEGUN, change="b2"))
    assert log.entries()[1] == began
    log.append(replace(entry(3), change="a1"))
    assert [(one.change, one.result) for one in log.entries()] == [("a1", "done – ✓"), ("b2", BEGUN)]
    assert len(log.entries(limit=1)) == 1


def kept_in(folder: Path) -> list[AuditLog]:
    """Return the logs that are files, in one folder."""
    return [FileAuditLog(folder), HostAuditLog(LocalHost(), PurePosixPath(folder))]


@pytest.mark.parametrize("which", [0, 1])
def test_the_file_is_its_owners_alone(tmp_path: Path, which: int) -> None:
    kept_in(tmp_path)[which].append(entry(1))
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("which", [0, 1])
def test_a_line_that_a_power_cut_broke_hides_no_other(tmp_path: Path, which: int) -> None:
    log = kept_in(tmp_path)[which]
    log.append(entry(1))
    with (tmp_path / "audit.jsonl").open("a") as file:
        file.write('{"time": "2026-01')
    log.append(entry(2))
    assert log.entries() == (entry(2), entry(1))


@pytest.mark.parametrize("which", [0, 1])
def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path, which: int) -> None:
    (tmp_path / "stack").write_text("a file is in the way")
    with pytest.raises(QfcError, match="cannot be written"):
        kept_in(tmp_path / "stack")[which].append(entry(1))


@pytest.mark.parametrize("which", [0, 1])
def test_a_large_log_is_set_aside_and_still_read(tmp_path: Path, which: int) -> None:
    log = kept_in(tmp_path)[which]
    assert not log.rotate(10)
    for number in range(1, 6):
        log.append(entry(number))
        assert log.rotate(10)
    assert sorted(path.name for path in tmp_path.glob("audit*")) == [f"audit.jsonl.{number}" for number in (1, 2, 3)]
    log.append(entry(9))
    assert not log.rotate(10**6)
    assert log.entries() == (entry(9), entry(5))


def test_a_plain_file_gets_every_line(tmp_path: Path) -> None:
    path = tmp_path / "operations.log"
    log = LoggedAuditLog(MemoryAuditLog(), path, "field")
    log.append(replace(entry(1), result=BEGUN, change="a1"))
    log.append(replace(entry(2), result="failed: two\nlines"))
    assert path.read_text().splitlines() == [
        "2026-01-01 12:00:01 UTC [field] anna@host: up stack-1: begins",
        "2026-01-01 12:00:02 UTC [field] anna@host: up stack-2: failed: two lines (1.5 s)",
    ]
    assert len(log.entries()) == 2
    assert not log.rotate(10**6)
    log.rotate(10)
    assert [one.name for one in tmp_path.iterdir()] == ["operations.log.1"]


def test_a_plain_file_that_cannot_be_written_is_reported_before_a_change_and_fails_none(tmp_path: Path) -> None:
    inner = MemoryAuditLog()
    log = LoggedAuditLog(inner, tmp_path / "none" / "file", "field")
    with pytest.raises(QfcError, match="operation log"):
        log.append(replace(entry(1), result=BEGUN, change="a1"))
    log.append(replace(entry(1), change="a1"))
    assert inner.entries() == (replace(entry(1), change="a1"),)
