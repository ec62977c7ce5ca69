"""The resources of processes: memory of a process with its children, and their processor time over a moment."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass

import psutil

#: Seconds over which processor time is measured.
MOMENT_S = 0.1


@dataclass(frozen=True)
class Usage:
    """Percent of one core, and bytes. Memory that processes share is counted once."""

    cpu_percent: float | None
    memory_bytes: int | None


class Measurement:
    """Begins at its creation; `usages` ends it. Other work in between costs no extra time."""

    def __init__(self, pids: list[int]) -> None:
        self._began = time.monotonic()
        self._trees = _trees(pids)
        self._before = {pid: _seconds(tree) for pid, tree in self._trees.items()}

    def usages(self) -> dict[int, Usage]:
        """Return the usage of each requested process."""
        time.sleep(max(0.0, MOMENT_S - (time.monotonic() - self._began)))
        elapsed = time.monotonic() - self._began
        return {pid: self._usage(pid, tree, elapsed) for pid, tree in self._trees.items()}

    def _usage(self, pid: int, tree: list[psutil.Process], elapsed: float) -> Usage:
        if not tree:
            return Usage(None, None)
        spent = max(0.0, _seconds(tree) - self._before[pid])
        return Usage(round(100 * spent / elapsed, 1), sum(_memory(process) for process in tree))


def _trees(pids: list[int]) -> dict[int, list[psutil.Process]]:
    """Return each process with all its descendants, from one snapshot of the process table."""
    processes = {process.pid: process for process in psutil.process_iter()}
    children: dict[int, list[int]] = defaultdict(list)
    for pid, process in processes.items():
        with contextlib.suppress(psutil.Error):
            children[process.ppid()].append(pid)

    def family(pid: int) -> list[psutil.Process]:
        if pid not in processes:
            return []
        return [processes[pid], *(one for child in children[pid] for one in family(child))]

    return {pid: family(pid) for pid in pids}


def _seconds(tree: list[psutil.Process]) -> float:
    total = 0.0
    for process in tree:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _memory(process: psutil.Process) -> int:
    """Return the proportional set size, or the resident set size if that is forbidden."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss
    except psutil.Error:
        pass
    return 0
