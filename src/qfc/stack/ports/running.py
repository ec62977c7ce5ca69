"""The runtime of a stack's services, its disk use, and the history of measurements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ..progress import Progress, no_progress

if TYPE_CHECKING:
    from ..forecast import DiskSample
    from ..metrics import Sample
    from ..model import CommandResult, Disk, DiskPart, LogLine, QueueSnapshot, Service


class Runtime(Protocol):
    """The runtime of a stack's services. `names` of None means every service, an empty sequence means none."""

    def services(self, *, measured: bool = True) -> tuple[Service, ...]:
        """Return every service that the stack should have, running or not.

        Unless `measured`, processor and memory of processes may be left out: who looks every few seconds saves most.
        """
        ...

    def start(self, names: Sequence[str] | None, *, progress: Progress = no_progress) -> None:
        """Start services and wait until each is ready. Starting a running service is harmless."""
        ...

    def stop(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Stop services; workers finish their jobs first unless `now`."""
        ...

    def recreate(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Recreate services from the present configuration and images, and wait until each is ready.

        Workers finish their jobs first unless `now`.
        """
        ...

    def renew(self, name: str) -> None:
        """Restart the running instances of a service one after the other, each after its work; the others go on."""
        ...

    def check_settings(self) -> None:
        """Check the operator's settings before anything is stopped for them. Raises ConfigError with the line."""
        ...

    def disk(self) -> Disk:
        """Return the space for the stack's data; of several file systems, the one with the least free share."""
        ...

    def disks(self) -> tuple[Disk, ...]:
        """Return the file systems of the stack and that of the host itself, each once."""
        ...

    def scale(self, name: str, count: int) -> None:
        """Set the number of a service's instances; surplus instances finish their work first."""
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
        """Run a command in the environment of a service. Raises CommandError when its exit code is not 0.

        For `app` and `worker_wrapper` it is one of the application's management commands, otherwise a program.

        With `attached`, the command uses the operator's terminal, and its output is not captured.
        """
        ...

    def jobs_at_work(self) -> frozenset[str]:
        """Return the ids of jobs that have a running container of their own, whoever started it."""
        ...

    def logs(
        self, names: Sequence[str] | None, *, lines: int, since: datetime | None, follow: bool
    ) -> Iterator[LogLine]:
        """Yield the last `lines` lines (0: all) of services in order of time, then new lines with `follow`."""
        ...


class Footprint(Protocol):
    """The disk space that a stack uses."""

    def parts(self) -> tuple[DiskPart, ...]:
        """Return everything of the stack that uses disk space."""
        ...


class DiskHistory(Protocol):
    """Measurements of the stack's disks. Storing one never raises: it is a side effect that nobody asked for."""

    def add(self, sample: DiskSample) -> None:
        """Store a measurement, unless one of the same disk from about the same time exists."""
        ...

    def samples(self) -> tuple[DiskSample, ...]:
        """Return the stored measurements, the oldest first."""
        ...


class MetricsHistory(Protocol):
    """Measurements of the stack. Storing one never raises: it is a side effect that nobody asked for."""

    def record(self, sample: Sample) -> None:
        """Store a measurement; one of the same second is replaced."""
        ...

    def record_all(self, samples: Iterable[Sample]) -> int:
        """Store measurements; return how many were stored, 0 if that was impossible."""
        ...

    def samples(self, since: datetime) -> tuple[Sample, ...]:
        """Return the stored measurements since a time, the oldest first."""
        ...


class Transitions(Protocol):
    """Earlier snapshots of the queue. Storing one never raises: it is a side effect that nobody asked for."""

    def noted(self, snapshot: QueueSnapshot) -> QueueSnapshot:
        """Store a snapshot of the queue; return it with the known transitions of its jobs."""
        ...
