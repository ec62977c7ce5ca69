"""The host of a deployment: disks, clock, and leftovers of jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .....stack.model import DiskPart, Inodes, TemporaryFolder
from .....stack.ports import Clock
from .....stack.ports.diagnosis import HostInspection
from ....docker.footprint import log_parts
from ....docker.job_folders import JobFolders
from ..lifecycle import WORKER
from ..observer import Observer
from .containers import of_jobs


class ComposeHost(HostInspection):
    """The host of one deployment. `root` returns the folder of the engine's data."""

    def __init__(self, observer: Observer, clock: Clock, root: Callable[[], str]) -> None:
        self._observer, self._clock, self._root = observer, clock, root
        self._engine = observer.engine
        self._folders = JobFolders(self._engine, lambda: observer.containers(WORKER))

    def logs(self) -> tuple[DiskPart, ...]:
        return tuple(log_parts(self._engine, self._observer.snapshot().containers))

    def inodes(self) -> tuple[Inodes, ...]:
        places = (str(self._observer.deployment.folder), self._root(), "/")
        printed = self._engine.query(["df", "-Pi", *places], check=False).stdout
        return tuple(dict.fromkeys(_inodes(printed.splitlines()[1:])))

    def clock_offset_s(self) -> float:
        """Return the seconds by which the host's clock is ahead, accurate to one second and half a round trip."""
        before = self._clock.now().timestamp()
        there = float(self._engine.query(["date", "+%s"]).stdout)
        return there - (before + self._clock.now().timestamp()) / 2

    def temporary_folders(self) -> tuple[TemporaryFolder, ...]:
        return self._folders.all(of_jobs(self._observer))

    def remove_folders(self, paths: Sequence[str]) -> None:
        self._folders.remove(paths, self.temporary_folders())


def _inodes(lines: Iterable[str]) -> list[Inodes]:
    """Read lines of `df -Pi`; file systems without a limit show 0 or a dash."""
    parts = (line.split(maxsplit=5) for line in lines)
    fitting = (one for one in parts if len(one) == 6 and one[1].isdigit() and one[3].isdigit() and int(one[1]))
    return [Inodes(int(one[3]), int(one[1]), one[5]) for one in fitting]
