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

from backup_world import digest, facts
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.errors import DamagedError, NotFoundError, PartlyDoneError, QfcError, RefusedError, UsageError
from qfc.operations.down import down
from qfc.operations.guard import Options
from qfc.operations.proof import Broken
from qfc.operations.transfer import checks, copies, export, holding, proof
from qfc.operations.transfer.back import transfer_back
from qfc.operations.transfer.copies import ReadBack
from qfc.operations.transfer.run import Transferred, transfer_run
from qfc.operations.up import up
from qfc.stack import journal
from qfc.stack.backup_set import Located, Manifest, Place, Reference, Stored
from qfc.stack.transfer import moved
from restore_world import ROWS, MemoryRestores, MemoryTarget, restorable, stack_on
from twins import MemoryPorts

PHOTO = b"a photo"
YES = Options(yes=True)


@dataclass
class MemoryServer(MemoryRestores):
    """The backups of a stack whose rows and objects can be looked at."""

    rows: dict[str, int] = field(default_factory=lambda: dict(ROWS))
    bytes: dict[str, bytes] = field(default_factory=lambda: {digest(PHOTO): PHOTO})

    @contextmanager
    def snapshot(self) -> Generator[Any]:
        """Give the rows and what they refer to."""
        found = facts()
        named = [Reference(digest(PHOTO), len(PHOTO))]
        yield SimpleNamespace(facts=found, references=lambda: iter(named))

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
    return Move(old, new, manifest, target, there)


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
