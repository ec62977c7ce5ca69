"""Brings the processes of an embedded stack into the intended state: steps of `start`, `stop` and `scale`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence

import psutil

from ....errors import QfcError, UnreachableError
from ....files import keep_file
from ....stack.ports import Clock
from ....stack.waiting import wait_until
from . import history, orphans
from .layout import MARK, Layout
from .logs import last_texts
from .programs import WORKER, WORKER_STOP_S, Program, base_environment, service_of, supervisor_conf
from .supervisor import Supervisor, launch, wait_gone

POLL_S = 0.1
#: Seconds within which a started process must be ready; a database replays its log after a power failure.
READY_S = 120
#: A process that ended this often during the wait will never become ready.
HOPELESS = 3
SHUTDOWN_S = 60


class Lifecycle:
    """Changes the running processes, under the stack's lock."""

    def __init__(self, layout: Layout, supervisor: Supervisor, clock: Clock) -> None:
        self._layout, self._supervisor, self._clock = layout, supervisor, clock

    def apply(self, programs: Sequence[Program]) -> frozenset[str]:
        """Make supervisord manage exactly these programs; changed and removed ones are stopped, none is started.

        Returns the services of the changed ones that were running: they have to be started again.
        """
        user = "root" if os.geteuid() == 0 else None
        conf = supervisor_conf(self._layout, programs, user=user)
        keep_file(self._layout.supervisor_conf, conf.encode(), mode=0o600)
        if self._supervisor.pid() is None:
            environment = {**base_environment(os.environ), MARK: str(self._layout.folder)}
            launch(self._layout.supervisor_conf, self._supervisor, environment=environment)
            return frozenset()
        running = {name for name, info in self._supervisor.processes().items() if info.pid}
        added, changed, removed = self._supervisor.reload()
        self.halt([*changed, *removed])
        for name in (*changed, *removed):
            self._supervisor.remove(name)
        for name in (*added, *changed):
            self._supervisor.add(name)
        return frozenset(service_of(name) for name in running.intersection(changed))

    def running(self, names: Iterable[str]) -> bool:
        """Return whether all these processes run or are starting."""
        processes = self._supervisor.processes()
        return all(name in processes and processes[name].state in {"RUNNING", "STARTING"} for name in names)

    def start(self, names: Sequence[str], ready: Callable[[], bool] | None = None) -> None:
        """Start processes and wait until `ready` returns true; without it, until they have run for a second.

        Raises UnreachableError with the last log line of a process that does not become ready.
        """
        before = history.read(self._layout.history)
        self.begin(names)

        def is_up() -> bool:
            if self._up(names, ready):
                return True
            for name in names:
                if self._gave_up(name, before):
                    raise self._not_ready_error(name)
            return False

        if not wait_until(self._clock, is_up, limit_s=READY_S, poll_s=POLL_S):
            raise self._not_ready_error(names[0])

    def begin(self, names: Sequence[str]) -> None:
        """Start processes without waiting; one that is being stopped ends first."""
        self._await_end([name for name, info in self._supervisor.processes().items() if info.state == "STOPPING"])
        for name in names:
            self._supervisor.start(name)

    def _up(self, names: Sequence[str], ready: Callable[[], bool] | None) -> bool:
        if ready is not None:
            return self.running(names) and ready()
        processes = self._supervisor.processes()
        return all(processes[name].state == "RUNNING" for name in names)

    def halt(self, names: Sequence[str], *, now: bool = False) -> None:
        """Stop processes and wait until they are gone; with `now` they are killed with all their children."""
        processes = self._supervisor.processes()
        alive = [name for name in names if name in processes]
        families = [self._family(processes[name].pid) for name in alive] if now else []
        for name in alive:
            self._supervisor.stop(name)
            if now:
                self._supervisor.signal(name, "KILL")
        for process in (one for family in families for one in family):
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._await_end(alive)

    def shut_down(self) -> None:
        """End supervisord and all other processes of the stack."""
        pid = self._supervisor.pid()
        if pid is not None:
            self._supervisor.shutdown()
            wait_gone(pid, timeout_s=SHUTDOWN_S)
        orphans.sweep(self._layout)
        orphans.remove_short_folder(self._layout)

    def _await_end(self, names: Sequence[str]) -> None:
        def are_gone() -> bool:
            return not any(info.pid for name, info in self._supervisor.processes().items() if name in names)

        if not wait_until(self._clock, are_gone, limit_s=WORKER_STOP_S + SHUTDOWN_S, poll_s=POLL_S):
            raise QfcError(f"{', '.join(names)} cannot be stopped.", hint="Type: qfc down --now")

    def _gave_up(self, name: str, before: dict[str, history.Past]) -> bool:
        """Return whether supervisord gave up on a process, or it has ended repeatedly since `before`."""
        if self._supervisor.processes()[name].state == "FATAL":
            return True
        restarts = history.read(self._layout.history).get(name, history.Past()).restarts
        return restarts >= before.get(name, history.Past()).restarts + HOPELESS

    def _not_ready_error(self, name: str) -> UnreachableError:
        said = [text for text in last_texts(self._layout.log / f"{name}.log", 5) if text.strip()]
        service = service_of(name)
        words = f" Its last log line: {said[-1][:300]}" if said else ""
        return UnreachableError(f"{name} does not become ready.{words}", hint=f"See: qfc logs --service {service}")

    @staticmethod
    def _family(pid: int | None) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(pid).children(recursive=True) if pid else []
        return []


def in_stopping_order(names: Iterable[str]) -> list[list[str]]:
    """Return processes in groups, in stopping order: workers, then the API, then the database."""
    names = list(names)
    workers = [name for name in names if service_of(name) == WORKER]
    return [group for group in (workers, *([one] for one in ("app", "db") if one in names)) if group]
