"""The runtime of a deployment under Docker Compose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ....errors import CommandError, NotFoundError, NotRunningError, UsageError
from ....stack.model import CommandResult, Disk, LogLine, Service
from ....stack.ports import Clock, Runtime
from ....stack.progress import Progress, no_progress
from ...docker.containers import JOB_LABEL
from . import logs
from .draining import Holding, leaving_order
from .env import Env
from .lifecycle import APP, DATABASE, WORKER, Lifecycle
from .observer import Observer

if TYPE_CHECKING:
    from ...routes.database import DatabaseRoute

REPLICAS = "QFIELDCLOUD_WORKER_REPLICAS"


class ComposeRuntime(Runtime):
    """Runs the services of one deployment. `holding` returns the workers' jobs, `answers` whether the API answers.

    `variables` replace those of the containers in commands that run there.
    """

    def __init__(
        self,
        observer: Observer,
        clock: Clock,
        holding: Holding,
        answers: Callable[[], bool],
        database: Callable[[], DatabaseRoute],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._observer, self._holding, self._database = observer, holding, database
        self._clock, self._answers = clock, answers
        self._variables = [word for pair in (variables or {}).items() for word in ("--env", "=".join(pair))]

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The part that changes the containers."""
        return Lifecycle(self._observer, self._clock, self._answers)

    def services(self, *, measured: bool = True) -> tuple[Service, ...]:
        del measured  # The snapshot of the host has it anyway.
        return self._observer.services()

    def disk(self) -> Disk:
        return self._observer.disk()

    def disks(self) -> tuple[Disk, ...]:
        """Return the file systems of the deployment's folder, of the engine's and of the host, each once."""
        return self._observer.snapshot().disks

    def start(self, names: Sequence[str] | None, *, progress: Progress = no_progress) -> None:
        self._require(names)
        progress("Starting services", 0, 1)
        self.lifecycle.start(names)
        progress("Starting services", 1, 1)

    def stop(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        self._require(names)
        self.lifecycle.stop(names, now=now)
        self._observer.snapshot(fresh=True)

    def renew(self, name: str) -> None:
        self._require([name])
        for container in self._observer.containers(name, fresh=True):
            if container.is_running:
                self.lifecycle.renew(container)

    def check_settings(self) -> None:
        """Do nothing: Compose checks its files itself before it stops a container."""

    def recreate(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        self._require(names)
        self.lifecycle.recreate(names, now=now)

    def scale(self, name: str, count: int) -> None:
        """Set the number of workers, also in `.env`. Idle ones stop first; one with a job finishes it."""
        self._require([name])
        if name != WORKER:
            raise UsageError(f"{name} always has one instance.", hint=f"Only {WORKER} can be scaled.")
        self._write_replicas(count)
        containers = self._observer.containers(WORKER, fresh=True)
        leaving = leaving_order(containers, self._holding(containers))[: max(len(containers) - count, 0)]
        self.lifecycle.drain.remove(leaving)
        if any(one.is_running for one in self._observer.snapshot(fresh=True).containers):
            self.lifecycle.compose(self._observer.compose.scale(WORKER, count))
            self.lifecycle.await_ready([WORKER], workers=count)

    def _write_replicas(self, count: int) -> None:
        """Write the number to `.env`, and restore the previous one if Compose cannot run the files with it.

        This asks for hashes, since v1 only finds what `up` would reject when it reads every service.
        """
        env = Env(self._observer.engine, self._observer.deployment.folder, lambda: self._observer.env_files)
        before = env.change({REPLICAS: str(count)})
        self._observer.forget_plan()
        try:
            self.lifecycle.compose(self._observer.compose.hashes())
        except CommandError as error:
            env.write(before)
            self._observer.forget_plan()
            hint = f"Remove the number (deploy.replicas, scale) from the override file: {REPLICAS} in .env sets it."
            raise CommandError(error.message, hint=hint, said=error.said) from error

    def execute(
        self,
        service: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float | None = None,
        attached: bool = False,
    ) -> CommandResult:
        """Run a management command (`app`, `worker_wrapper`) or a program in a running container of a service."""
        if attached and service == DATABASE and not self._observer.containers(DATABASE):
            from ...deployment.postgres_tools import run_here

            return run_here(self._database(), argv)
        self._require([service])
        container = self._observer.running(service)
        inner = ["python3", "manage.py", *argv] if service in (APP, WORKER) else self._program(service, argv)
        machine = self._observer.engine.machine
        if attached:
            terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
            return machine.attach(["docker", "exec", "--interactive", *terminal, container.id, *inner], check=False)
        try:
            inside = ["docker", "exec", "--interactive", *self._variables, container.id, *inner]
            return self._observer.engine.run(inside, stdin=stdin, timeout_s=timeout_s)
        except CommandError as error:
            told = error.message.replace("docker exec", argv[0], 1)
            raise CommandError(told, hint=error.hint, said=error.said) from error

    def jobs_at_work(self) -> frozenset[str]:
        """Return the ids of jobs that have a running container, started by an official worker."""
        engine, project = self._observer.engine, self._observer.deployment.project
        argv = ["docker", "ps", "--filter", f"label={JOB_LABEL}", "--filter", f"network={project}_default",
                "--format", f'{{{{.Label "{JOB_LABEL}"}}}}']  # fmt: skip
        return frozenset(engine.query(argv).stdout.split())

    def logs(
        self, names: Sequence[str] | None, *, lines: int, since: datetime | None, follow: bool
    ) -> Iterator[LogLine]:
        self._require(names)
        chosen = [one for one in self._observer.snapshot().containers if names is None or one.service in names]
        machine = self._observer.engine.machine
        if not follow:
            printed = self._observer.engine.run(logs.reading(chosen, lines=lines, since=since)).stdout
            yield from logs.merged(printed.splitlines(), chosen, lines=lines, since=since)
            return
        if not any(one.is_running for one in chosen):
            raise NotRunningError("No service runs, so no log can be followed.", hint="Type: qfc up")
        argv = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(self._observer.deployment.folder)]
        argv += self._observer.compose.follow(names, lines=lines)
        yield from logs.follow(machine, argv, {one.name: one.service for one in chosen})

    def _program(self, service: str, argv: Sequence[str]) -> list[str]:
        """Return a program's command; PostgreSQL's own programs get the name of the database from the container."""
        if service != DATABASE:
            return list(argv)
        script = 'PGUSER=$POSTGRES_USER PGDATABASE=${POSTGRES_DB:-$POSTGRES_USER}; export PGUSER PGDATABASE; exec "$@"'
        return ["sh", "-c", script, "sh", *argv]

    def _require(self, names: Sequence[str] | None) -> None:
        known = [one.name for one in self._observer.services()]
        for name in names or ():
            if name not in known:
                raise NotFoundError(f"There is no service {name}.", hint=f"Services: {', '.join(known)}")
