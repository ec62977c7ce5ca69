"""The operator's key leaves its file only when somebody asks for that, and never in a dry run or a message."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qfc.drivers.backups.keys import FileBackupKeys
from qfc.errors import RefusedError
from qfc.operations.backup.keys import db_keys
from qfc.operations.backup.verify import NOT_READ, db_verify
from qfc.operations.guard import Options
from qfc.stack.backup_key import KEY_BEGINS
from qfc.stack.redaction import HIDDEN, without_secrets
from restore_world import restorable
from twins import MemoryPorts

DRY = Options(dry_run=True)


@pytest.fixture
def ports(tmp_path: Path) -> MemoryPorts:
    return restorable(tmp_path)[0]


def test_a_dry_run_prints_no_sheet(ports: MemoryPorts) -> None:
    result = db_keys(ports, DRY, show=True)
    assert (result.sheet, result.dry_run, result.steps) == (None, True, ("Print the recovery sheet",))


def test_a_dry_run_writes_no_sheet(ports: MemoryPorts, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    result = db_keys(ports, DRY, sheet=sheet)
    assert (result.sheet_file, result.dry_run, sheet.exists()) == (None, True, False)


def test_the_sheet_is_printed_or_written_and_the_audit_log_says_so(ports: MemoryPorts, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    assert KEY_BEGINS in (db_keys(ports, Options(), show=True).sheet or "")
    assert db_keys(ports, Options(), sheet=sheet).sheet is None
    assert KEY_BEGINS in sheet.read_text()
    assert [one.command for one in ports.audit.entries(limit=10)] == ["db keys", "db keys"]


def test_whoever_looks_at_the_public_part_changes_nothing(ports: MemoryPorts) -> None:
    result = db_keys(ports, Options())
    assert result.recipient.startswith("age1")
    assert not ports.audit.entries(limit=10)


def test_no_key_is_created_where_there_are_backups_of_another_one(ports: MemoryPorts, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "own")
    for options in (Options(), DRY):
        with pytest.raises(RefusedError, match="their key is not on this machine") as refused:
            db_keys(ports, options)
        assert "qfc db keys --import FILE" in refused.value.hint
    assert ports.backups.keys.recipient() is None


def test_a_set_whose_content_nobody_can_read_is_not_verified(ports: MemoryPorts, tmp_path: Path) -> None:
    (tmp_path / "own" / "identity.txt").unlink()
    result = db_verify(ports, None)
    assert not result.ok
    assert result.problems[-1] == NOT_READ


def test_the_key_is_a_secret_in_every_text(tmp_path: Path) -> None:
    keys = FileBackupKeys(tmp_path)
    keys.create()
    identity = keys.identity() or ""
    for text in (f"key {identity}.", f'"{identity.lower()}"', identity[:40]):
        assert "AGE-SECRET-KEY-1" not in without_secrets(text).upper()
        assert HIDDEN in without_secrets(text)
    assert without_secrets("It begins with AGE-SECRET-KEY-") == "It begins with AGE-SECRET-KEY-"
