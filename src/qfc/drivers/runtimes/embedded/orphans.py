"""Processes of a stack whose supervisord, or whose operator, died.

A mark in their environment identifies them; PostgreSQL's processes, which overwrite theirs, are found by folder.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from .layout import MARK, Layout
from .programs import OPERATION_MARK

log = logging.getLogger("qfc.supervisor")
#: Seconds that an orphan gets to end by itself. Another worker repeats the uncommitted work of a job.
PATIENCE_S = 10


def find(layout: Layout) -> list[psutil.Process]:
    """Return the processes that belong to the stack, supervisord included, but not this one and its parents."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _belongs(process, layout)]


def sweep(layout: Layout) -> list[int]:
    """End all remaining processes of the stack and remove its stale sockets and pid files; return the ended pids.

    Only for use under the stack's lock, when supervisord does not answer or has been shut down.
    """
    found = find(layout)
    pids = {process.pid for process in found}
    for process in (one for one in found if _parent(one) not in pids):
        _signal(process, signal.SIGINT if _is_database(process, layout.database) else signal.SIGTERM)
    _, alive = psutil.wait_procs(found, timeout=PATIENCE_S)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=PATIENCE_S)
    late = find(layout)
    for process in late:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(late, timeout=PATIENCE_S)
    _remove_stale(layout)
    return [process.pid for process in found]


def sweep_operations(layout: Layout) -> None:
    """Kill the remaining commands of a killed operation: initdb or a migration must not run twice at a time."""
    left = [process for process in psutil.process_iter() if _is_left_over(process, layout)]
    for process in left:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(left, timeout=PATIENCE_S)


def end_servers(data: Path) -> None:
    """End servers of PostgreSQL on a folder that is not the stack's own, and wait."""
    found = [process for process in psutil.process_iter() if _is_database(process, data)]
    for process in found:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(found, timeout=PATIENCE_S)


def _belongs(process: psutil.Process, layout: Layout) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(MARK) == str(layout.folder) or _is_database(process, layout.database)
    return False


def _is_left_over(process: psutil.Process, layout: Layout) -> bool:
    """Return whether an operation on this stack started the process and has ended since."""
    with contextlib.suppress(psutil.Error, OSError, ValueError):
        pid, started, folder = process.environ().get(OPERATION_MARK, "").split(" ", 2)
        return folder == str(layout.folder) and not _lives(int(pid), float(started))
    return False


def _lives(pid: int, started: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False


def _is_database(process: psutil.Process, data: Path) -> bool:
    """Return whether it is a server on this data; its children overwrite their environment, but keep their folder."""
    with contextlib.suppress(psutil.Error, OSError):
        return process.name().startswith("postgres") and Path(process.cwd()) == data.resolve()
    return False


def _signal(process: psutil.Process, number: int) -> None:
    log.info("+ kill -%d %d", number, process.pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _parent(process: psutil.Process) -> int | None:
    """Return the parent; parents come first, since they know how to end their children."""
    with contextlib.suppress(psutil.Error):
        return process.ppid()
    return None


def _remove_stale(layout: Layout) -> None:
    """Remove the files of a running stack: PostgreSQL would trust the pid in its file, now maybe another process."""
    sockets: Iterable[Path] = layout.database_sockets.glob(".s.PGSQL.*") if layout.database_sockets.exists() else ()
    for path in (layout.supervisor_socket, layout.supervisor_pid, layout.database / "postmaster.pid", *sockets):
        path.unlink(missing_ok=True)


def remove_short_folder(layout: Layout) -> None:
    """Remove the folder elsewhere with the sockets of a stack with a long path; only when nothing runs."""
    if layout.run.parent != layout.folder:
        shutil.rmtree(layout.run, ignore_errors=True)
