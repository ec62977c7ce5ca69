"""The twin of a runtime: services are only counted, and tests can make workers busy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from qfc.errors import CommandError, NotFoundError, NotRunningError, UsageError
from qfc.stack.model import CommandResult, Disk, Health, Instance, LogLine, Service, ServiceState
from qfc.stack.ports import Clock, Runtime
from qfc.stack.progress import Progress, counted, no_progress

WORKER = "worker_wrapper"
#: The behaviour of a command in a service: from service, arguments and input to output. Raises CommandError.
Execute = Callable[[str, Sequence[str], bytes], str]


def _refuse(service: str, argv: Sequence[str], stdin: bytes) -> str:
    del stdin
    raise CommandError(f"{argv[0]} ended with exit code 127: {service} knows no such command")


class MemoryRuntime(Runtime):
    """Services, workers among them. `lines` are their logs, `execute_with` answers commands."""

    def __init__(self, clock: Clock, *, workers: int = 2, services: Sequence[str] = ("db", "app")) -> None:
        self._clock = clock
        self._wanted = {**dict.fromkeys(services, 1), WORKER: workers}
        self._running: dict[str, dict[str, int]] = {name: {} for name in self._wanted}
        self._next_pid = 100
        self.left: str | None = None
        self.at_work: frozenset[str] = frozenset()
        self.lines: list[LogLine] = []
        self.space = Disk(free_bytes=40 * 1000**3, total_bytes=100 * 1000**3)
        self.execute_with: Execute = _refuse

    def services(self, *, measured: bool = True) -> tuple[Service, ...]:
        del measured
        return tuple(self._service(name) for name in self._wanted)

    def start(self, names: Sequence[str] | None, *, progress: Progress = no_progress) -> None:
        """Start services, all for None. Starting twice is harmless."""
        for name in counted(self._chosen(names), "Starting services", progress):
            for number in range(1, self._wanted[name] + 1):
                self._start(name, name if name != WORKER else f"{WORKER}-{number}")

    def stop(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Stop services, all for None."""
        del now
        for name in self._chosen(names):
            for instance in self._running[name]:
                self._log(name, instance, "stopped")
            self._running[name] = {}

    def renew(self, name: str) -> None:
        """Restart the running instances of a service, one after the other."""
        self._chosen([name])
        for instance in sorted(self._running[name]):
            del self._running[name][instance]
            self._log(name, instance, "stopped")
            self._start(name, instance)

    def check_settings(self) -> None:
        """Accept them."""

    def recreate(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Recreate services, all for None."""
        self.stop(names, now=now)
        self.start(names)

    def disk(self) -> Disk:
        """Return the disk space that was given."""
        return self.space

    def disks(self) -> tuple[Disk, ...]:
        """Return the same disk space, under the root."""
        return (replace(self.space, name="/"),)

    def scale(self, name: str, count: int) -> None:
        """Set the number of workers; a stopped stack remembers it."""
        if name != WORKER:
            raise UsageError(f"{name} always has one instance.", hint=f"Only {WORKER} can be scaled.")
        was_running = bool(self._running["app"])
        self._wanted[name] = count
        self._running[name] = dict(list(self._running[name].items())[:count])
        if was_running:
            self.start([name])

    def execute(
        self,
        service: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float | None = None,
        attached: bool = False,
    ) -> CommandResult:
        """Run a command in a service. Raises CommandError, NotRunningError."""
        del timeout_s
        (name,) = self._chosen([service])
        if not self._running["db"]:
            raise NotRunningError("The stack is not running.", hint="Type: qfc up")
        output = self.execute_with(name, argv, stdin or b"")
        return CommandResult(tuple(argv), 0, "" if attached else output, "")

    def jobs_at_work(self) -> frozenset[str]:
        """Return what was given."""
        return self.at_work

    def logs(
        self, names: Sequence[str] | None, *, lines: int, since: datetime | None, follow: bool
    ) -> Iterator[LogLine]:
        """Yield the last lines of services (0: all of them); following ends where the lines end."""
        del follow
        chosen = self._chosen(names)
        found = [one for one in self.lines if one.service in chosen]
        fitting = [one for one in found if since is None or (one.time is not None and one.time >= since)]
        yield from fitting[-lines:] if lines else fitting

    def fail(self, name: str) -> None:
        """Let a service end by itself, as a crash would."""
        self._running[name] = {}

    def _chosen(self, names: Sequence[str] | None) -> tuple[str, ...]:
        if names is None:
            return tuple(self._wanted)
        for name in names:
            if name not in self._wanted:
                raise NotFoundError(f"There is no service {name}.", hint=f"Services: {', '.join(self._wanted)}")
        return tuple(names)

    def _start(self, service: str, instance: str) -> None:
        if instance not in self._running[service]:
            self._next_pid += 1
            self._running[service][instance] = self._next_pid
            self._log(service, instance, "started")

    def _log(self, service: str, instance: str, text: str) -> None:
        self.lines.append(LogLine(service, instance, self._clock.now(), "INFO", text))

    def _service(self, name: str) -> Service:
        running, wanted = self._running[name], self._wanted[name]
        if not running:
            return Service(name, ServiceState.STOPPED, Health.UNKNOWN, wanted)
        health = Health.NONE if name == WORKER else Health.HEALTHY
        blank = Instance("", ServiceState.RUNNING, uptime_s=0, cpu_percent=0, memory_bytes=0, restarts=0)
        instances = tuple(replace(blank, id=instance, pid=pid) for instance, pid in running.items())
        return Service(name, ServiceState.RUNNING, health, wanted, instances)
