"""The suite and the node on a full disk: they report it, lose nothing, and let the operator work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import httpx
import pytest

from node import Node
from qfc.drivers.audit import FileAuditLog
from qfc.drivers.clock import SystemClock
from qfc.drivers.host_lock import HostLock
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.lock import FileLock
from qfc.drivers.postgres_server import Endpoint
from qfc.drivers.runtimes.embedded import state
from qfc.errors import LockHeldError, QfcError
from qfc.stack.model import AuditEntry
from qfc.stack.ports import Lock
from small_disk import fill, small_disk

PASSWORD = "correct-horse-battery"
LOCKS: dict[str, Callable[[Path], Lock]] = {
    "file": lambda folder: FileLock(folder, SystemClock()),
    "host": lambda folder: HostLock(LocalHost(), PurePosixPath(folder), SystemClock()),
}
#: Takes the lock, and ends without releasing it.
TAKE = (
    "import os, sys; from pathlib import Path; from qfc.drivers.clock import SystemClock;"
    "from qfc.drivers.lock import FileLock; FileLock(Path(sys.argv[1]), SystemClock()).take('up'); os._exit(0)"
)


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk("1m") as folder:
        yield folder


@pytest.mark.parametrize("kind", LOCKS)
def test_a_lock_is_taken_and_held_though_nobody_can_write_down_by_whom(disk: Path, kind: str) -> None:
    first, second = LOCKS[kind](disk), LOCKS[kind](disk)
    first.take("up")
    first.release()
    room = fill(disk)
    first.take("lab mend")
    with pytest.raises(LockHeldError, match="Another operator is changing"):
        second.take("down")
    room.unlink()
    with pytest.raises(LockHeldError):
        second.take("down")
    first.release()
    assert second.take("down").reason == "down"
    assert first.holder() is not None
    second.release()


def test_a_lock_without_a_word_ends_with_its_holder(disk: Path) -> None:
    lock = FileLock(disk, SystemClock())
    lock.take("up")
    lock.release()
    fill(disk)
    subprocess.run([sys.executable, "-c", TAKE, str(disk)], check=True, timeout=60)
    assert lock.take("lab mend").reason == "lab mend"
    lock.release()


def test_a_line_that_the_audit_log_took_in_part_is_told_and_spoils_no_other(disk: Path) -> None:
    log = FileAuditLog(disk)
    long, short = (AuditEntry(datetime.now(UTC), "anna@host", "up", "local", "x" * size, 1.0) for size in (3900, 2000))
    log.append(long)
    room = fill(disk)
    with pytest.raises(QfcError, match="cannot be written"):
        log.append(short)
    room.unlink()
    log.append(short)
    assert log.entries() == (short, long)


def test_what_a_stack_cannot_remember_is_told_and_leaves_what_it_knew(disk: Path) -> None:
    before = state.EmbeddedState(port=8011)
    state.write(disk / "state.json", before)
    fill(disk)
    with pytest.raises(QfcError, match="No space left on device") as caught:
        state.write(disk / "state.json", state.EmbeddedState(port=8012))
    assert "free space" in caught.value.hint
    assert state.read(disk / "state.json") == before
    assert sorted(path.name for path in disk.iterdir()) == ["all-the-rest", "state.json"]


def test_an_upload_that_finds_no_room_is_put_off_and_takes_none(database: Endpoint) -> None:
    with small_disk("72m") as folder, Node(database, folder) as node:
        node.start_app()
        node.create_user("alice")
        with httpx.Client(base_url=node.url, timeout=60) as http:
            token = http.post("auth/login/", json={"username": "alice", "password": PASSWORD}).json()["token"]
            http.headers["Authorization"] = f"Token {token}"
            project = http.post("projects/", json={"name": "survey", "owner": "alice"}).json()["id"]
            answer = http.post(f"files/{project}/large.tif/", files={"file": bytes(20 * 1024**2)})
            assert (answer.status_code, answer.json()["code"]) == (503, "status_not_ok")
            assert "Retry-After" in answer.headers
            assert list((folder / "staging").iterdir()) == []
            assert http.post(f"files/{project}/small.tif/", files={"file": bytes(2 * 1024**2)}).status_code == 201
            assert [one["name"] for one in http.get(f"files/{project}/").json()] == ["small.tif"]
