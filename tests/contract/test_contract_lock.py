"""Every lock: one operator at a time; the lock of a dead operator can be taken over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import psutil
import pytest

from qfc.drivers.clock import SystemClock
from qfc.drivers.host_lock import MARK, HostLock, mark_of
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.lock import FileLock
from qfc.errors import LockHeldError, QfcError
from qfc.stack.ports import Lock
from qfc.stack.waiting import wait_until
from twins import LockTable, MemoryClock, MemoryLock

#: Creates the lock of another operator of the same stack; in the same process if the driver distinguishes processes.
Another = Callable[[], Lock]


@pytest.fixture(params=["file", "host", "memory"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Another]:
    clock, table = MemoryClock(), LockTable()
    makers: dict[str, Another] = {
        "file": lambda: FileLock(tmp_path / "stack", SystemClock()),
        "host": lambda: HostLock(LocalHost(), PurePosixPath(tmp_path), SystemClock()),
        "memory": lambda: MemoryLock(clock, table),
    }
    made: list[Lock] = []

    def make() -> Lock:
        made.append(makers[request.param]())
        return made[-1]

    yield make
    for lock in made:
        lock.release()


def test_nobody_holds_a_new_lock(another: Another) -> None:
    assert another().holder() is None


def test_the_holder_is_known_to_all(another: Another) -> None:
    taken = another().take("up local")
    seen = another().holder()
    assert seen == taken
    assert seen is not None
    assert seen.reason == "up local"
    assert seen.since.tzinfo is not None


def test_a_held_lock_is_refused_with_who_and_what(another: Another) -> None:
    holder = another().take("up local")
    with pytest.raises(LockHeldError) as caught:
        another().take("down local")
    assert f"{holder.user}@{holder.host} (pid {holder.pid})" in caught.value.message
    assert "up local" in caught.value.message
    assert str(holder.since.year) in caught.value.message


def test_a_released_lock_can_be_taken(another: Another) -> None:
    lock = another()
    lock.take("up")
    lock.release()
    assert another().holder() is None
    assert another().take("down").reason == "down"


def test_a_lock_is_ours_from_taking_to_releasing(another: Another) -> None:
    lock = another()
    assert not lock.is_ours()
    lock.take("up")
    assert lock.is_ours()
    lock.release()
    assert not lock.is_ours()


def test_releasing_twice_is_harmless(another: Another) -> None:
    lock = another()
    lock.release()
    lock.take("up")
    lock.release()
    lock.release()


def _hold_elsewhere(folder: Path, ending: str) -> None:
    """Take the lock in another process, which then ends in the given way."""
    code = (
        "import os, signal, sys; from pathlib import Path; from qfc.drivers.clock import SystemClock;"
        f"from qfc.drivers.lock import FileLock; FileLock(Path({str(folder)!r}), SystemClock()).take('up'); {ending}"
    )
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    _hold_elsewhere(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert (tmp_path / "lock.json").exists()
    lock = FileLock(tmp_path, SystemClock())
    assert lock.holder() is None
    assert lock.take("down").pid == os.getpid()


def test_a_reused_pid_is_not_taken_for_the_holder(tmp_path: Path) -> None:
    lock = FileLock(tmp_path, SystemClock())
    lock.take("up")
    path = tmp_path / "lock.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "process_started": document["process_started"] - 3600}))
    assert lock.holder() is None


def test_a_holder_on_another_host_is_believed_and_the_way_out_is_told(tmp_path: Path) -> None:
    lock = FileLock(tmp_path, SystemClock())
    lock.take("up")
    path = tmp_path / "lock.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "host": "elsewhere", "pid": 999999}))
    with pytest.raises(LockHeldError) as caught:
        lock.take("down")
    assert str(path) in caught.value.hint
    lock.release()
    assert path.exists()


def test_a_lock_file_that_is_garbage_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_text("{")
    with pytest.raises(LockHeldError) as caught:
        FileLock(tmp_path, SystemClock()).take("up")
    assert "remove" in caught.value.hint


def test_of_many_processes_exactly_one_gets_the_lock(tmp_path: Path) -> None:
    """All find the same dead holder; one of them takes over."""
    _hold_elsewhere(tmp_path, "os._exit(1)")
    code = (
        "import sys, time; from pathlib import Path; from qfc.drivers.clock import SystemClock;"
        f"from qfc.drivers.lock import FileLock; lock = FileLock(Path({str(tmp_path)!r}), SystemClock())\n"
        "try:\n    lock.take('up'); print('mine', flush=True); sys.stdin.read()\n"
        "except Exception: print('refused', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    processes = [subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    said = [process.stdout.readline().strip() for process in processes if process.stdout]
    for process in processes:
        process.communicate("")
    assert sorted(said) == ["mine", "refused", "refused", "refused"]


HOLD_ON_HOST = """
import os, signal, subprocess, sys
from pathlib import PurePosixPath
from qfc.drivers.clock import SystemClock
from qfc.drivers.host_lock import HostLock, mark_of
from qfc.drivers.hosts.local import LocalHost
folder = PurePosixPath(sys.argv[1])
lock = HostLock(LocalHost(), folder, SystemClock())
lock.take("deploy v2")
left = subprocess.Popen(["sleep", "600"], env={**os.environ, **mark_of(folder)}, stdout=-3, stderr=-3)
beside = mark_of(PurePosixPath(f"{folder}2"))
other = subprocess.Popen(["sleep", "600"], env={**os.environ, **beside}, stdout=-3, stderr=-3)
print(left.pid, other.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_commands_that_a_killed_operation_left_on_the_host_are_ended(tmp_path: Path) -> None:
    """Locks of another deployment whose folder has the same prefix do not count."""
    folder = tmp_path / "field"
    argv = [sys.executable, "-c", HOLD_ON_HOST, str(folder)]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stdout
    left, other = (psutil.Process(int(pid)) for pid in said.split())
    lock = HostLock(LocalHost(), PurePosixPath(folder), SystemClock())
    try:
        # The shell that holds the lock ends a moment after the operator's process.
        assert wait_until(SystemClock(), lambda: lock.holder() is None, limit_s=30, poll_s=0.05)
        lock.take("status")
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
        assert other.is_running()
    finally:
        lock.release()
        other.kill()
    assert not (folder / ".qfc/lock.json").exists()
    assert MARK in mark_of(PurePosixPath(folder))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".qfc").write_text("a file is in the way")
    with pytest.raises(QfcError, match="cannot be written"):
        HostLock(LocalHost(), PurePosixPath(tmp_path), SystemClock()).take("up")


def _shell_of(lock: HostLock) -> psutil.Process:
    """Return the shell that holds a lock on the host."""
    return next(one for one in psutil.Process().children() if one.is_running() and "watch" in one.cmdline()[-1:])


def test_a_claim_whose_shell_has_died_is_lost_and_can_be_taken_again(tmp_path: Path) -> None:
    lock = HostLock(LocalHost(), PurePosixPath(tmp_path), SystemClock(), name="watch")
    lock.take("monitor")
    os.killpg(_shell_of(lock).pid, signal.SIGKILL)
    assert wait_until(SystemClock(), lambda: not lock.is_ours(), limit_s=10, poll_s=0.02)
    lock.take("monitor")
    assert lock.is_ours()
    lock.release()


def test_a_claim_of_ours_that_the_host_still_holds_keeps_nobody_from_watching(tmp_path: Path) -> None:
    lock = HostLock(LocalHost(), PurePosixPath(tmp_path), SystemClock(), name="watch")
    lock.take("monitor")
    lost, lock._held, lock._process = lock._held, ExitStack(), None
    assert lock.take("monitor").pid == os.getpid()
    assert not lock.is_ours()  # until the host has noticed that the connection is lost
    lost.close()
    lock.take("monitor")
    assert lock.is_ours()
    lock.release()


def test_a_claim_by_another_name_of_the_same_stack_in_the_same_monitor_is_refused(tmp_path: Path) -> None:
    first, second = (HostLock(LocalHost(), PurePosixPath(tmp_path), SystemClock(), name="watch") for _ in range(2))
    first.take("monitor")
    with pytest.raises(LockHeldError):
        second.take("monitor")
    first.release()
