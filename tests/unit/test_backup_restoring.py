"""In which order a restore does things, so that whatever fails or is killed, nothing is lost."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from backup_world import keep_set
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.errors import DamagedError, QfcError, RefusedError, UnreachableError
from qfc.operations.backup import restore
from qfc.operations.backup.release import require_release
from qfc.operations.backup.restore import db_restore
from qfc.operations.backup.verify import db_verify
from qfc.operations.guard import Options
from qfc.operations.recovery import recover
from qfc.stack import drains, journal
from restore_world import MemoryRestores, MemoryTarget, restorable, stack_on
from twins import MemoryPorts

YES = Options(yes=True)
DAMAGE = QfcError("The database is damaged: invalid page in block 3.")


def restored(ports: MemoryPorts, **more: Any) -> restore.Restored:
    return db_restore(ports, None, YES, safety=False, **more)


def test_another_stack_keeps_its_settings_and_its_store(tmp_path: Path) -> None:
    """With the settings of the set it would share a bucket, and each would remove the files of the other."""
    ports, _, _ = restorable(tmp_path)
    there = MemoryTarget([])
    other = stack_on(MemoryRestores(None, FileBackupKeys(tmp_path / "other"), there))
    restored(ports, into=other)
    assert "follow" not in there.log
    assert "configure key" in there.log
    assert there.objects


def test_the_same_stack_takes_the_settings_of_the_set(tmp_path: Path) -> None:
    ports, target, _ = restorable(tmp_path)
    restored(ports)
    assert target.log.index("follow") < target.log.index("configure all") < target.log.index("swap")


def test_nobody_works_before_the_record_says_that_the_restore_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports, target, _ = restorable(tmp_path)
    write = journal.write

    def failing(records: Any, entry: journal.Entry) -> None:
        if entry.record["state"] == restore.FINISHING:
            assert "swap" in target.log
            assert not running(ports)
            raise QfcError("The disk is full.")
        write(records, entry)

    monkeypatch.setattr(journal, "write", failing)
    with pytest.raises(QfcError, match=r"Nothing was restored: The disk is full\."):
        restored(ports)
    assert "swap_back" in target.log
    assert running(ports)


def test_a_restore_that_is_complete_is_never_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, target, _ = restorable(tmp_path)
    start = ports.runtime.start

    def failing(*_: object) -> None:
        raise QfcError("Port 8011 is in use.")

    monkeypatch.setattr(ports.runtime, "start", failing)
    with pytest.raises(QfcError, match="The set is restored, but the server does not start: Port 8011"):
        restored(ports)
    monkeypatch.setattr(ports.runtime, "start", start)
    target.log.clear()
    recover(ports, lambda _: None)
    assert running(ports)
    assert target.log == ["serve_database", "settle_configuration", "settle_objects", "forget"]
    assert journal.read(ports.records) is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_restore_starts_workers_that_were_drained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    ports, target, _ = restorable(tmp_path)
    drains.write(ports.records, drains.Drain("anna@memory", ports.clock.now()))
    if fails:
        monkeypatch.setattr(target, "swap", lambda *_: (_ for _ in ()).throw(QfcError("No.")))
        with pytest.raises(QfcError, match="Nothing was restored"):
            restored(ports)
    else:
        restored(ports)
    assert running(ports)
    assert drains.read(ports.records) is None


def test_a_store_that_is_away_holds_up_neither_the_database_nor_a_later_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But nobody works before its files are back."""
    ports, target, _ = restorable(tmp_path)

    def failing(*_: object) -> None:
        raise UnreachableError("The bucket cannot be used.")

    monkeypatch.setattr(ports.runtime, "check_settings", failing)
    monkeypatch.setattr(target, "put_back", failing, raising=False)
    with pytest.raises(UnreachableError):
        restored(ports)
    assert target.log[-2:] == ["swap_back", "discard"]
    assert not running(ports)
    monkeypatch.setattr(target, "put_back", lambda: target.log.append("put_back"))
    recover(ports, lambda _: None)
    assert target.log[-3:] == ["swap_back", "discard", "put_back"]
    assert running(ports)
    assert journal.read(ports.records) is None


def running(ports: MemoryPorts) -> bool:
    return any(one.instances for one in ports.runtime.services() if one.name == "app")


def test_a_damaged_database_is_not_replaced_without_a_word(tmp_path: Path) -> None:
    ports, target, _ = restorable(tmp_path)
    target.damage = DAMAGE
    with pytest.raises(RefusedError, match="can neither be backed up nor exported: The database is damaged") as caught:
        db_restore(ports, None, YES)
    assert "--no-safety-set" in caught.value.hint
    assert "swap" not in target.log


def test_a_damaged_database_that_is_replaced_on_request_is_kept(tmp_path: Path) -> None:
    ports, target, _ = restorable(tmp_path)
    target.damage = DAMAGE
    result = restored(ports)
    assert result.kept == target.previous
    assert "forget" not in target.log[target.log.index("swap") :]


def test_files_that_went_while_people_worked_are_added_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, target, _ = restorable(tmp_path)
    stop = ports.runtime.stop

    def stopping(names: Any, *, now: bool = False) -> None:
        target.objects.clear()
        stop(names, now=now)

    monkeypatch.setattr(ports.runtime, "stop", stopping)
    assert restored(ports).objects_added == 2
    assert target.objects


def test_the_key_that_a_safety_set_needed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _, manifest = restorable(tmp_path)
    other = stack_on(MemoryRestores(None, FileBackupKeys(tmp_path / "other"), MemoryTarget([])))
    monkeypatch.setattr(restore, "make", lambda *_: (manifest, ()))
    said: list[str] = []
    result = db_restore(ports, None, Options(yes=True, report=said.append), into=other)
    assert (result.key_created, result.safety) == (True, manifest.id)
    assert "Create the key that backups are encrypted to" in said


def test_a_stack_that_has_a_key_needs_no_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _, manifest = restorable(tmp_path)
    monkeypatch.setattr(restore, "make", lambda *_: (manifest, ()))
    assert not db_restore(ports, None, YES).key_created


def test_a_set_of_another_release_names_the_one_to_deploy(tmp_path: Path) -> None:
    ports, _, manifest = restorable(tmp_path)
    manifest = dataclasses.replace(manifest, release="v26.21")
    assert_refused(manifest, ports, "v26.21", "qfc deploy --tag v26.21")
    assert_refused(dataclasses.replace(manifest, release=""), ports, "qfc 1.0", "qfieldcloud-suite==1.0")


def test_rows_that_a_squashed_migration_replaces_are_of_the_same_release(tmp_path: Path) -> None:
    """Since v26.4 the database has five rows of django_cron, the plan of the application one."""
    ports, _, manifest = restorable(tmp_path)
    squashed, replaced = "django_cron.0001_squashed_0002_more", ("django_cron.0001_initial", "django_cron.0002_more")
    rows = (*manifest.database.migrations, squashed, *replaced)
    ports.directory.migrations = (*manifest.database.migrations, squashed)
    require_release(
        dataclasses.replace(manifest, database=dataclasses.replace(manifest.database, migrations=rows)), ports
    )


def test_a_set_without_the_key_of_its_rows_is_damaged(tmp_path: Path) -> None:
    """Its dump can be restored, and then nobody can read what the application has encrypted."""
    ports, _, _ = restorable(tmp_path)
    files = {"secrets/SALT_KEY": b"salt", "deployment/.env": b"SALT_KEY=salt"}
    keep_set(cast(Any, ports.backups.store), {"photo": b"a photo"}, age=timedelta(seconds=-1), secrets=files)
    verified = db_verify(cast(Any, ports), None)
    assert (verified.ok, verified.problems) == (False, ("The set has no SECRET_KEY: nobody could read its rows.",))
    with pytest.raises(DamagedError, match="no SECRET_KEY"):
        restored(ports)


def assert_refused(manifest: Any, ports: MemoryPorts, named: str, hint: str) -> None:
    ports.directory.migrations = ("core.0001_initial", "core.0002_newer")
    with pytest.raises(RefusedError, match=named) as caught:
        require_release(manifest, ports)
    assert "core.0002_newer" in caught.value.message
    assert hint in caught.value.hint
