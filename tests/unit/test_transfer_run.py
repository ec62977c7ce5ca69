"""In which order a move does things, so that whatever fails, the old server goes on."""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, cast

import pytest

from backup_world import digest, facts, keep_set, store_in
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.drivers.objects.choice import FolderOf
from qfc.errors import DamagedError, NotFoundError, PartlyDoneError, QfcError, RefusedError, UsageError
from qfc.operations.down import down
from qfc.operations.guard import Options
from qfc.operations.proof import Broken
from qfc.operations.transfer import checks, copies, export, holding, proof, run
from qfc.operations.transfer.back import transfer_back
from qfc.operations.transfer.bring import transfer_import
from qfc.operations.transfer.copies import ReadBack
from qfc.operations.transfer.facts import contents_of, contents_of_set
from qfc.operations.transfer.last import is_last, note_last
from qfc.operations.transfer.run import Transferred, transfer_run
from qfc.operations.transfer.verify import transfer_verify
from qfc.operations.up import up
from qfc.stack import journal
from qfc.stack.backup_set import SALT_KEY, Located, Manifest, Missing, NewerFile, Place, Reference, Stored
from qfc.stack.transfer import moved
from qfc.stack.transfer.contents import differences
from restore_world import ROWS, SECRET_FILES, MemoryRestores, MemoryTarget, restorable, stack_on
from twins import MemoryObjectStore, MemoryPorts

PHOTO = b"a photo"
YES = Options(yes=True)


@dataclass
class MemoryServer(MemoryRestores):
    """The backups of a stack whose rows and objects can be looked at."""

    rows: dict[str, int] = field(default_factory=lambda: dict(ROWS))
    bytes: dict[str, bytes] = field(default_factory=lambda: {digest(PHOTO): PHOTO})
    named: list[Reference] = field(default_factory=lambda: [Reference(digest(PHOTO), len(PHOTO))])

    @contextmanager
    def snapshot(self) -> Generator[Any]:
        """Give the rows and what they refer to."""
        found = facts()
        yield SimpleNamespace(facts=found, references=lambda: iter(self.named))

    def open(self, reference: Reference) -> BinaryIO:
        """Open an object by its name."""
        if reference.name not in self.bytes:
            raise NotFoundError(reference.name)
        return io.BytesIO(self.bytes[reference.name])

    def secrets(self) -> dict[str, bytes]:
        """Return the settings."""
        return {"node.env": b"EMAIL_HOST=mail.example.org\n"}


@dataclass
class Move:
    """Two stacks: one with a set and people, one that is empty."""

    old: MemoryPorts
    new: MemoryPorts
    manifest: Manifest
    target: MemoryTarget
    there: MemoryServer
    here: MemoryServer

    def run(self, options: Options = YES, **more: Any) -> Transferred:
        """Move."""
        return transfer_run(self.old, self.new, options, **more)

    @property
    def old_runs(self) -> bool:
        """Whether people can work on the old server."""
        return all(one.running for one in self.old.runtime.services())


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Move:
    ports, _, manifest = restorable(tmp_path)
    store = ports.backups.store
    here = MemoryServer(store, FileBackupKeys(tmp_path / "own"), MemoryTarget([]))
    target = MemoryTarget([], rows=dict(ROWS))
    there = MemoryServer(store, FileBackupKeys(tmp_path / "own"), target)
    old, new = stack_on(here), replace(stack_on(there), name="new", folder=tmp_path / "new")
    monkeypatch.setattr(copies, "make", lambda *_: (manifest, ()))
    monkeypatch.setattr(checks, "some_superuser", lambda _: "anna")
    monkeypatch.setattr(proof, "prove", lambda _: None)
    return Move(old, new, manifest, target, there, here)


def test_the_new_server_counts_after_the_proof_and_the_old_one_rests(move: Move) -> None:
    result = move.run()
    assert (result.moved, [one.what for one in result.checks]) == (True, ["rows", "objects", "synchronisation"])
    assert result.report is not None
    assert "mail.example.org" not in result.report.read_text()
    assert not move.old_runs
    away = moved.read(move.old.records)
    assert away is not None
    assert (away.to, away.backup) == ("new", move.manifest.id)
    assert [journal.read(one.records) for one in (move.old, move.new)] == [None, None]
    assert move.old.audit.entries()[0].command == "transfer run"


def test_the_old_server_is_held_before_the_last_set_is_made(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    def make(*_: object) -> tuple[Manifest, tuple[str, ...]]:
        held.append(not move.old_runs)
        return move.manifest, ()

    monkeypatch.setattr(copies, "make", make)
    move.run(safety=False)
    assert held == [False, True]


def test_nobody_writes_to_the_new_server_once_it_is_backed_up(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[bool] = []

    def make(ports: MemoryPorts, _: object) -> tuple[Manifest, tuple[str, ...]]:
        at_work.append(any(one.running for one in ports.runtime.services() if one.name != "db"))
        return move.manifest, ()

    monkeypatch.setattr(copies, "make", make)
    result = move.run()
    assert (at_work, result.safety) == ([True, False, False], move.manifest.id)


def test_the_new_server_runs_again_if_the_old_one_cannot_be_held(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "hold", refuse)
    with pytest.raises(QfcError, match="Nothing was moved: No"):
        move.run()
    assert all(one.running for one in move.new.runtime.services())


def refuse(*_: object) -> float:
    raise QfcError("No.")


def test_what_was_newer_on_the_new_server_is_in_the_answer_and_the_report(move: Move) -> None:
    newer = NewerFile("1", "anna/trees", "a.gpkg", "0" * 64, 1, "anna", move.old.clock.now(), by_job=False)
    move.target.files_since = lambda _: (newer,)
    result = move.run(safety=False)
    assert (result.edits_file is not None, result.kept) == (True, None)
    assert result.report is not None
    assert f"were newer than the set are in {result.edits_file}" in result.report.read_text()


@pytest.mark.parametrize("fault", ["synchronisation", "rows", "objects", "killed"])
def test_a_proof_that_fails_brings_both_back(move: Move, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "synchronisation":
        monkeypatch.setattr(proof, "prove", lambda _: Broken("edit applied", QfcError("No worker.")))
    elif fault == "killed":
        monkeypatch.setattr(proof, "prove", interrupted)
    elif fault == "objects":
        monkeypatch.setattr(ReadBack, "ahead", lambda *_: None)
        move.there.bytes[digest(PHOTO)] = b"other bytes"
    else:
        monkeypatch.setattr(proof, "differences", lambda *_: ("core_job has 3 rows in old and 2 in new.",))
    with pytest.raises(KeyboardInterrupt if fault == "killed" else QfcError) as caught:
        move.run(safety=False)
    if fault != "killed":
        assert str(caught.value).startswith("Nothing was moved: ")
    assert "swap_back" in move.target.log
    assert move.old_runs
    assert (moved.read(move.old.records), journal.read(move.old.records)) == (None, None)
    assert journal.read(move.new.records) is None


def interrupted(_: object) -> None:
    raise KeyboardInterrupt


def kill_at(move: Move, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the start of the new server fail after it has counted, which is the last thing that happens there."""
    start = move.new.runtime.start

    def fails(names: object = None, **more: Any) -> None:
        entry = journal.read(move.new.records)
        if entry is not None and entry.record.get("state") == "finishing":
            raise error
        start(cast(Any, names), **more)

    monkeypatch.setattr(move.new.runtime, "start", fails)


def test_a_failure_after_the_new_server_counts_leaves_the_old_one_at_rest(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        kill_at(move, broken, QfcError("No room."))
        with pytest.raises(
            PartlyDoneError, match=r"memory was moved to new, but new is not finished: .*No room"
        ) as caught:
            move.run(safety=False)
    assert caught.value.hint == "Solve this, then type: qfc --stack new up"
    assert "swap_back" not in move.target.log
    assert not move.old_runs
    assert moved.read(move.old.records) is not None
    up(move.new, YES)
    assert journal.read(move.new.records) is None
    with pytest.raises(RefusedError, match="moved this server to new"):
        up(move.old, YES)


def test_an_interruption_after_the_new_server_counts_leaves_the_old_one_at_rest(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at(move, monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        move.run(safety=False)
    assert not move.old_runs
    assert moved.read(move.old.records) is not None


def test_a_server_that_cannot_be_marked_as_moved_stays_at_rest(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(moved, "write", no_room)
        with pytest.raises(PartlyDoneError, match="new has everything, but memory cannot be marked") as caught:
            move.run(safety=False)
        assert caught.value.hint == "Make sure that nobody uses memory: qfc --stack memory down"
        started = started_by(move.old, full)
        down(move.old, YES)
    assert started == []
    assert not move.old_runs
    with pytest.raises(RefusedError, match="moved this server to new"):
        up(move.old, YES)
    assert (started, journal.read(move.old.records)) == ([], None)


def test_a_server_that_cannot_be_marked_as_exported_stays_at_rest(
    move: Move, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "sound_set", lambda *_: move.manifest)
    with monkeypatch.context() as full:
        full.setattr(moved, "write", no_room)
        with pytest.raises(PartlyDoneError, match="has everything, but memory cannot be marked as moved"):
            export.transfer_export(move.old, tmp_path, YES, final=True)
    with pytest.raises(RefusedError, match="moved this server to"):
        up(move.old, YES)
    assert not move.old_runs


def no_room(*_: object) -> None:
    raise QfcError("No room.")


def started_by(ports: MemoryPorts, patch: pytest.MonkeyPatch) -> list[object]:
    """Return the list to which every start of a stack is added from now on."""
    started: list[object] = []
    patch.setattr(ports.runtime, "start", lambda *names, **_: started.append(names))
    return started


def test_a_server_whose_move_was_killed_at_its_end_stays_at_rest_until_it_is_taken_back(move: Move) -> None:
    holding.hold(move.old, "new", lambda _: None)
    holding.intend(move.old, moved.Moved("new", "anna", move.old.clock.now(), move.manifest.id))
    told: list[str] = []
    with pytest.raises(RefusedError, match="moved this server to new"):
        up(move.old, replace(YES, report=told.append))
    assert told == ["Finish the move to new that was interrupted at its end; if new lacks the data: qfc transfer back"]
    assert not move.old_runs
    transfer_back(move.old, YES)
    assert move.old_runs


def test_taking_back_needs_no_other_command_before(move: Move) -> None:
    holding.hold(move.old, "new", lambda _: None)
    holding.intend(move.old, moved.Moved("new", "anna", move.old.clock.now(), move.manifest.id))
    assert transfer_back(move.old, YES).was_moved_to == "new"
    assert move.old_runs


def test_giving_back_is_not_forgotten_when_the_start_fails(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof has succeeded, but the new server cannot note that it counts; then the old one does not start."""
    holding.hold(move.old, "new", lambda _: None)
    holding.intend(move.old, moved.Moved("new", "anna", move.old.clock.now(), move.manifest.id))
    with monkeypatch.context() as broken:
        broken.setattr(move.old.runtime, "start", no_room)
        with pytest.raises(QfcError, match="No room"):
            holding.give_back(move.old)
    up(move.old, YES)
    assert move.old_runs


def test_stopping_a_server_whose_move_was_interrupted_does_not_start_it_first(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    holding.hold(move.old, "new", lambda _: None)
    with monkeypatch.context() as watched:
        started = started_by(move.old, watched)
        down(move.old, YES)
    assert started == []
    up(move.old, YES)
    assert move.old_runs


def test_damaged_bytes_are_found_before_anybody_is_held(move: Move) -> None:
    move.there.bytes.clear()
    with pytest.raises(DamagedError, match="has other bytes on the new server, or is missing there"):
        move.run()
    assert move.old_runs
    assert move.target.log.count("swap") == 0


def test_servers_that_share_a_file_store_are_refused(move: Move) -> None:
    move.new = replace(move.new, objects=move.old.objects)
    with pytest.raises(RefusedError, match="memory and new use the same file store"):
        move.run()
    assert move.old_runs
    assert list(move.old.objects.keys()) == []


@pytest.mark.parametrize(("of_old", "of_new"), [("", "blobs/"), ("blobs/", ""), ("blobs/", "blobs/"), ("", "")])
def test_a_bucket_is_shared_also_if_the_two_name_objects_otherwise(move: Move, of_old: str, of_new: str) -> None:
    bucket = MemoryObjectStore()
    move.old = replace(move.old, objects=FolderOf(bucket, of_old))
    move.new = replace(move.new, objects=FolderOf(bucket, of_new))
    with pytest.raises(RefusedError, match="memory and new use the same file store"):
        move.run()
    assert list(bucket.keys()) == []


S3 = {"STORAGE_BUCKET_NAME": "field", "STORAGE_ENDPOINT_URL": "https://s3.example.org"}


def test_a_store_that_the_settings_of_both_name_is_refused(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "settings_of", lambda _: S3)
    with pytest.raises(RefusedError, match=r"memory and new both have their files in field at s3\.example\.org"):
        move.run(Options(dry_run=True))


@pytest.fixture
def carried(tmp_path: Path, move: Move, monkeypatch: pytest.MonkeyPatch) -> Move:
    """The new server as one that a set is imported into from a folder."""
    content = {**SECRET_FILES, "node.env": "".join(f"{name}={value}\n" for name, value in S3.items()).encode()}
    store = store_in(tmp_path / "usb", own=tmp_path / "usb-own")
    move.manifest = keep_set(store, {"photo": PHOTO}, secrets=content)
    move.old = stack_on(MemoryServer(store, FileBackupKeys(tmp_path / "usb-own"), move.target))
    monkeypatch.setattr(MemoryTarget, "configure", lambda *_, **__: None)
    return move


def test_an_import_into_the_bucket_of_the_old_server_is_refused(carried: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    assert transfer_import(carried.new, carried.old, YES, safety=False).report
    monkeypatch.setattr(checks, "settings_of", lambda _: S3)
    with pytest.raises(RefusedError, match=r"and new both have their files in field at s3\.example\.org"):
        transfer_import(carried.new, carried.old, YES)


def test_an_import_says_if_people_may_still_work_on_the_old_server(carried: Move) -> None:
    words = r"People may still work on .*: this set is of 2026-11-30 12:00 UTC"
    with pytest.raises(RefusedError, match=words):
        transfer_import(carried.new, carried.old, Options())
    result = transfer_import(carried.new, carried.old, YES, safety=False)
    assert result.report is not None
    assert result.caution in result.report.read_text()
    note_last(Path(carried.old.backups.store.place), carried.manifest)
    last = transfer_import(carried.new, carried.old, YES, safety=False)
    assert last.report is not None
    assert (last.caution, "still work on" in last.report.read_text()) == ("", False)


def test_the_last_export_is_recorded_and_a_full_disk_lets_people_go_on(
    carried: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(carried.old.backups.store.place)
    monkeypatch.setattr(copies, "make", lambda *_: (carried.manifest, ()))
    monkeypatch.setattr(export, "keep_file", full)
    with pytest.raises(QfcError, match=r"Nothing was exported: .* cannot be written: No space"):
        export.transfer_export(carried.old, place.parent, YES, final=True)
    assert carried.old_runs
    assert moved.read(carried.old.records) is None
    monkeypatch.undo()
    monkeypatch.setattr(copies, "make", lambda *_: (carried.manifest, ()))
    export.transfer_export(carried.old, place.parent, YES)
    assert not is_last(place, carried.manifest)
    export.transfer_export(carried.old, place.parent, YES, final=True)
    assert is_last(place, carried.manifest)


def full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_the_old_server_lacks_is_counted_and_not_compared(carried: Move) -> None:
    move, lost = carried, Missing("b" * 64, "lost")
    assert lost.sha256 not in {one.sha256 for one in move.old.backups.store.references(move.manifest)}
    move.target.objects[digest(PHOTO)] = len(PHOTO)
    move.there.named = [Reference(digest(PHOTO), len(PHOTO)), Reference(lost.sha256, 5)]
    manifest = replace(move.manifest, missing=(lost,))
    before = contents_of_set(move.old.backups.store, manifest)
    after = contents_of(move.new)
    assert differences(before, after) == ()
    assert differences(replace(before, missing=frozenset()), after) != ()
    source = MemoryServer(move.there.store, move.there.keys, MemoryTarget([], {digest(PHOTO): 7}))
    source.named = move.there.named
    result = transfer_verify(stack_on(source), move.new, full=True)
    assert (result.ok, result.missing, result.unread, result.exit_code) == (True, 1, 0, 5)


def test_objects_without_a_checksum_are_counted_as_not_read(move: Move) -> None:
    move.here.target.objects[""] = move.target.objects[""] = 0
    move.here.named = move.there.named = [Reference("", 4, Place("default", "photos/1"))]
    assert transfer_verify(move.old, move.new).exit_code == 0
    result = transfer_verify(move.old, move.new, full=True)
    assert (result.ok, result.unread, result.bytes_read, result.exit_code) == (True, 1, 0, 5)


def test_a_server_whose_last_set_is_in_a_folder_says_where_to_compare(move: Move) -> None:
    moved.write(move.old.records, moved.Moved("/media/usb", "anna", move.old.clock.now(), "20270101-000000-abcd"))
    with pytest.raises(NotFoundError, match="its last set 20270101-000000-abcd is not in") as caught:
        transfer_verify(move.old, move.new)
    assert "qfc --stack new transfer verify /media/usb --key FILE" in (caught.value.hint or "")


def test_bytes_of_older_versions_are_not_claimed(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    move.there.bytes["photos/1"] = PHOTO
    versions = [
        Located(Stored(name, size, "", "", 0), Place("default", "photos/1", f"v{size}"))
        for name, size in (("c" * 64, 100), (digest(PHOTO), len(PHOTO)))
    ]
    monkeypatch.setattr(proof, "objects_of", lambda *_: versions)
    found = {one.what: one.found for one in move.run(safety=False).checks}["objects"]
    assert found.startswith(f"1 with {len(PHOTO)} bytes")
    assert found.endswith("; 1 older versions of them were not read")


def test_an_empty_salt_of_the_old_server_is_refused_where_the_new_one_has_one(
    carried: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "settings_of", lambda _: {"SALT_KEY": "x"})
    with pytest.raises(RefusedError, match="has an empty SALT_KEY and new has one"):
        transfer_import(carried.new, carried.old, YES)
    monkeypatch.setattr(checks, "secrets_of", lambda *_: {SALT_KEY: b"y"})
    assert transfer_import(carried.new, carried.old, YES, safety=False).report


def test_a_move_looks_at_the_salt_before_anybody_is_held(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "settings_of", lambda _: {"SALT_KEY": "x"})
    with pytest.raises(RefusedError, match="has an empty SALT_KEY and new has one"):
        move.run()
    assert move.old_runs
    assert "swap" not in move.target.log


def test_copying_ahead_holds_nobody_and_asks_nothing(move: Move) -> None:
    result = move.run(Options(), cut=False)
    assert (result.moved, result.report, result.down_s) == (False, None, None)
    assert move.old_runs
    assert move.target.objects


def test_a_dry_run_changes_nothing(move: Move) -> None:
    result = move.run(Options(dry_run=True))
    assert result.steps[0].startswith("Copy ahead while people work: sets into ")
    assert result.steps[-1] == "Keep memory as it is, without writes, able to take over again"
    assert move.old_runs
    assert move.target.log == []


def test_what_cannot_work_is_refused_first(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match=r"Move memory .* Nobody can write"):
        move.run(Options())
    with pytest.raises(UsageError, match="cannot be moved to itself"):
        transfer_run(move.old, move.old, YES)
    moved.write(move.old.records, moved.Moved("x", "anna", move.old.clock.now(), "y"))
    with pytest.raises(RefusedError, match="moved this server to x"):
        move.run()


def test_a_server_that_was_moved_away_takes_data_only_after_it_was_taken_back(move: Move) -> None:
    moved.write(move.new.records, moved.Moved("memory", "anna", move.new.clock.now(), "y"))
    with pytest.raises(RefusedError, match=r"new was moved to memory at .* takes no data of memory yet") as caught:
        move.run()
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Let it be used again: qfc --stack new transfer back; then move memory to it.")
    assert move.old_runs
    transfer_back(move.new, YES)
    assert move.run(safety=False).moved


def test_what_was_read_once_is_not_read_again_and_versions_of_the_old_store_do_not_matter(tmp_path: Path) -> None:
    server = MemoryServer(None, FileBackupKeys(tmp_path), MemoryTarget([]))
    server.bytes["photos/1"] = PHOTO
    one = Located(Stored(digest(PHOTO), len(PHOTO), "", "", 0), Place("default", "photos/1", "v1-of-the-old-store"))
    read = ReadBack(stack_on(server))
    read.ahead([one])
    assert read.everything([one]) == 1
    assert read.bytes == len(PHOTO)
    server.bytes["photos/2"] = b"other"
    other = Located(one.stored, Place("default", "photos/2"))
    read.ahead([other])  # a key that has other content until the cut
    with pytest.raises(DamagedError, match="photos/2 has other bytes"):
        read.everything([other])
