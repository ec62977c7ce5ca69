"""What runs the services of a stack, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ..forecast import DiskSample
from ..model import CommandResult, Disk, DiskPart, LogLine, QueueSnapshot, Service


class Runtime(Protocol):
    """What runs the services of a stack. `names` of None means every service, an empty sequence means none."""

    def services(self) -> tuple[Service, ...]:
        """Return every service that the stack should have, running or not."""
        ...

    def start(self, names: Sequence[str] | None) -> None:
        """Start services, all for None, and wait until each one is ready. Starting twice is harmless."""
        ...

    def stop(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Stop services, all for None; workers finish their jobs unless `now`."""
        ...

    def recreate(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Recreate services, all for None, from the current configuration and images; wait until each is ready."""
        ...

    def disk(self) -> Disk:
        """Return the space where the stack's data are; of several file systems the one with the least share left."""
        ...

    def disks(self) -> tuple[Disk, ...]:
        """Return the file systems that the stack lies on, and that of the host itself, each once."""
        ...

    def scale(self, name: str, count: int) -> None:
        """Make a service have that many instances; the ones that go finish their work first."""
        ...

    def execute(
        self,
        service: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float | None = None,
        attached: bool = False,
    ) -> CommandResult:
        """Run a command in the surroundings of a service. Raises CommandError when its exit code is not 0.

        For `app` and `worker_wrapper` it is one of the application's management commands, else a program.

        With `attached` the command has the operator's terminal; nothing of its output is kept.
        """
        ...

    def jobs_at_work(self) -> frozenset[str]:
        """Return the ids of jobs for which a container of their own runs, whoever started it."""
        ...

    def logs(
        self, names: Sequence[str] | None, *, lines: int, since: datetime | None, follow: bool
    ) -> Iterator[LogLine]:
        """Yield the last lines (0: every line) of services, all for None, in order of time; new ones with `follow`."""
        ...


class Footprint(Protocol):
    """What a stack takes on the disk."""

    def parts(self) -> tuple[DiskPart, ...]:
        """Return everything of the stack that takes space."""
        ...


class DiskHistory(Protocol):
    """What was measured of the stack's disks. Keeping it never fails: it is not what somebody asked for."""

    def add(self, sample: DiskSample) -> None:
        """Keep a measurement, unless there is one of the same disk of about the same time."""
        ...

    def samples(self) -> tuple[DiskSample, ...]:
        """Return what is known, the oldest first."""
        ...


class Transitions(Protocol):
    """What earlier looks at the queue tell of its jobs. Keeping it never fails: it is not what somebody asked for."""

    def noted(self, snapshot: QueueSnapshot) -> QueueSnapshot:
        """Take note of a look at the queue; return it with what is known of its jobs."""
        ...
