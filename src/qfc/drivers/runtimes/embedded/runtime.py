"""The embedded runtime: database, API and workers as processes of this machine, managed by supervisord."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from .... import __version__
from ....errors import NotFoundError, NotRunningError, QfcError, RefusedError, UsageError
from ....stack.model import CommandResult, Disk, LogLine, Service
from ....stack.names import did_you_mean
from ....stack.ports import Clock, Runtime
from ....stack.progress import Progress, no_progress
from ...commands import run, run_attached
from ...hosts.local import LocalHost
from ...postgres_server import Endpoint, client_program, is_ready
from . import database, logs, orphans, secrets, state
from .layout import EmbeddedConfig, Layout
from .lifecycle import Lifecycle, in_stopping_order
from .listening import EVERYWHERE, PortTakenError, is_answered, lan_address, listens
from .observe import serves_well, services, wanted_processes
from .programs import (
    APP,
    DATABASE,
    WORKER,
    Program,
    base_environment,
    check_node,
    node_environment,
    node_programs,
    operation_mark,
    read_environment_file,
    service_of,
)
from .supervisor import Supervisor

SUPERVISOR = "supervisor"
#: The number of ports to try if other programs take them first.
PORT_TRIES = 3
#: The database, its migrations, everything else.
PHASES = 3
#: Seconds for a short question to the database.
ASK_S = 5


class EmbeddedRuntime(Runtime):
    """Runs the services of one stack. `idle_workers` returns the pids of workers without a job."""

    def __init__(self, settings: EmbeddedConfig, *, clock: Clock, idle_workers: Callable[[], frozenset[int]]) -> None:
        self.settings = settings
        self.layout = Layout(settings.folder)
        self._idle_workers = idle_workers
        self._supervisor = Supervisor(self.layout.supervisor_socket)
        self._lifecycle = Lifecycle(self.layout, self._supervisor, clock)

    @property
    def url(self) -> str:
        """The address of the API on this machine. Raises NotRunningError before the first start."""
        remembered = state.read(self.layout.state)
        return self._url_at({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(remembered.bind, remembered.bind))

    @property
    def address(self) -> str:
        """The address of the API for devices: on all addresses of this machine, the one in its network."""
        remembered = state.read(self.layout.state)
        return self._url_at(lan_address() if remembered.bind in EVERYWHERE else remembered.bind)

    def _url_at(self, host: str) -> str:
        remembered = state.read(self.layout.state)
        if remembered.port is None:
            raise NotRunningError("The stack has never been started.", hint="Type: qfc up")
        return f"http://{f'[{host}]' if ':' in host else host}:{remembered.port}"

    def endpoint(self) -> Endpoint:
        """Return the endpoint of the stack's database. Raises UnreachableError when it does not run."""
        return database.running_endpoint(self.layout, self.settings)

    def services(self, *, measured: bool = True) -> tuple[Service, ...]:
        remembered = state.merged(state.read(self.layout.state), self.settings)
        wanted = wanted_processes(remembered, with_database=self._has_database)
        return services(self.layout, wanted, self.url if remembered.port else None, measured=measured)

    def start(self, names: Sequence[str] | None, *, progress: Progress = no_progress) -> None:
        chosen = self._chosen(names)
        if not chosen:
            return
        self._require_data()
        self._ensure_secrets()
        self.check_settings()
        orphans.sweep_operations(self.layout)
        if self._supervisor.pid() is None:
            orphans.sweep(self.layout)
        current = self._settled_state()
        progress("Starting the database", 0, PHASES)
        database_program = database.prepare(self.layout, self.settings)
        programs = self._programs(current, database_program)
        chosen = {*chosen, *self._lifecycle.apply(programs)}
        if database_program is not None:
            self._lifecycle.start([DATABASE], ready=lambda: is_ready(self.layout.database))
        database.ensure_database(self.layout, self.settings)
        node = [program.name for program in programs if program.service in chosen and program.service != DATABASE]
        # Workers alone change no tables: who starts them again must not create what a database has lost.
        if APP in node and not self._lifecycle.running(node):
            progress("Migrating the database", 1, PHASES)
            self.execute(APP, ["migrate", "--no-input"])
        progress("Starting the API and the workers", 2, PHASES)
        workers = [name for name in node if name != APP]
        if APP in node:
            self._lifecycle.begin(workers)
            self._start_api(database_program)
        self._lifecycle.start(workers)
        progress("Started", PHASES, PHASES)
        if self.settings.known is not None:
            self.settings.known.note(self.layout.folder)

    def stop(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Stop services, or for None all of them and supervisord; workers finish their jobs first unless `now`."""
        chosen = self._chosen(names)
        if self._supervisor.pid() is not None:
            processes = [name for name in self._supervisor.processes() if service_of(name) in chosen]
            for group in in_stopping_order(processes):
                self._lifecycle.halt(group, now=now and group != [DATABASE])
        if names is None and self.layout.exists:
            self._lifecycle.shut_down()

    def recreate(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Recreate services with the installed release; for None, recreate supervisord as well."""
        self.check_settings()
        self.stop(names, now=now)
        self.start(names)

    def renew(self, name: str) -> None:
        self._chosen([name])
        for process in sorted(self._supervisor.processes()) if self._supervisor.pid() is not None else ():
            if service_of(process) == name and self._lifecycle.running([process]):
                self._lifecycle.halt([process])
                self._lifecycle.start([process])

    def check_settings(self) -> None:
        if not self.layout.node_environment.exists():
            return
        target = database.endpoint(self.layout, self.settings)
        environment = node_environment(self.layout, state.read(self.layout.state), target)
        check_node(self.layout.node_environment, {**base_environment(os.environ), **environment})

    def disk(self) -> Disk:
        """Return the space of the file system with the stack's folder."""
        return LocalHost().disk(self.layout.folder)

    def disks(self) -> tuple[Disk, ...]:
        """Return that file system alone: everything of the stack is in its folder."""
        return (self.disk(),)

    def scale(self, name: str, count: int) -> None:
        """Set the number of workers. Idle ones stop first, one with a job finishes it; a stopped stack stores it."""
        if name != WORKER:
            raise UsageError(f"{name} always has one instance.", hint=f"Only {WORKER} can be scaled.")
        self.layout.create()
        before = state.merged(state.read(self.layout.state), self.settings)
        running = self._supervisor.pid() is not None
        after = before.scaled(count, self._leaving(before) if running else ())
        state.write(self.layout.state, after)
        if running:
            changed = self._lifecycle.apply(self._programs(after, database.prepare(self.layout, self.settings)))
            if changed:
                self.start([WORKER, *changed])
            else:
                self._lifecycle.start([program.name for program in node_programs(after, {}) if program.name != APP])

    def execute(
        self,
        service: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float | None = None,
        attached: bool = False,
    ) -> CommandResult:
        """Run a management command of the node (`app`, `worker_wrapper`), or a program of PostgreSQL (`db`)."""
        command, environment = self._surroundings(service, argv)
        environment |= operation_mark(self.layout.folder)
        if attached:
            return run_attached(command, environment=environment, check=False)
        return run(command, environment=environment, stdin=stdin, timeout_s=timeout_s, name=argv[0])

    def ask(self, statement: str) -> str | None:
        """Return what psql prints for a statement; None if there is no psql or the statement fails.

        Raises NotRunningError.
        """
        target = self.endpoint()
        program = client_program("psql", self.settings.postgres_bin)
        if program is None:
            return None
        argv = [str(program), "-XqAt", "-c", statement]
        done = run(argv, environment=self._client_environment(target), timeout_s=ASK_S, check=False)
        return done.stdout if done.exit_code == 0 else None

    def jobs_at_work(self) -> frozenset[str]:
        """Return none: workers hold leases, and the child processes of their jobs end with them."""
        return frozenset()

    def logs(
        self, names: Sequence[str] | None, *, lines: int, since: datetime | None, follow: bool
    ) -> Iterator[LogLine]:
        files = self._log_files(names)
        follower = logs.Follower(files) if follow else None
        yield from logs.read(files, lines=lines, since=since)
        if follower is not None:
            yield from follower.lines()

    def _ensure_secrets(self) -> None:
        """Create what a stack that was never started lacks: its settings are checked together with the secrets."""
        self.layout.create()
        secrets.ensure(self.layout.secrets / "SECRET_KEY")
        if self._has_database:
            secrets.ensure(self.layout.secrets / "POSTGRES_PASSWORD")

    def _require_data(self) -> None:
        """Refuse to start an empty server in place of one that had data: its disk may not be mounted."""
        folder = self.settings.known.folder() if self.settings.known else None
        missing = self.layout.missing(with_database=self._has_database) if folder else ()
        if not missing:
            return
        moved = f" It was in {folder}." if folder != self.layout.folder else ""
        name, places = self.settings.name, ", ".join(map(str, missing))
        raise RefusedError(
            f"Data of {name} is missing: {places}.{moved}",
            hint="Mount the disk or put the folder back. For an empty server, also before restoring a backup: "
            f"qfc stacks remove {name}, then qfc init {name}",
        )

    def _start_api(self, database_program: Program | None) -> None:
        """Start the API, on another port if another program has taken its port meanwhile."""
        for _ in range(PORT_TRIES):
            try:
                self._lifecycle.start([APP], ready=self._api_is_ready)
                return
            except PortTakenError:
                self._lifecycle.halt([APP])
                current = state.with_port(state.read(self.layout.state), self.settings)
                state.write(self.layout.state, current)
                self._lifecycle.apply(self._programs(current, database_program))
        raise QfcError("Other programs took every port that was tried.", hint="Choose one: qfc up --port NUMBER")

    def _api_is_ready(self) -> bool:
        """Return whether our own API is healthy. Raises PortTakenError if another program listens on its port."""
        current = state.read(self.layout.state)
        pid = self._supervisor.processes()[APP].pid
        if current.port is None or listens(pid, current.port):
            return serves_well(pid, self.url)
        if is_answered(current.bind, current.port) and not listens(pid, current.port):
            raise PortTakenError
        return False

    @property
    def _has_database(self) -> bool:
        return self.settings.database_url_file is None

    @property
    def _services(self) -> tuple[str, ...]:
        return (DATABASE, APP, WORKER) if self._has_database else (APP, WORKER)

    def _chosen(self, names: Sequence[str] | None, *also: str) -> tuple[str, ...]:
        known = (*self._services, *also)
        if names is None:
            return known
        for name in names:
            if name not in known:
                said = f"There is no service {name}.{did_you_mean(name, known)}"
                raise NotFoundError(said, hint=f"Services: {', '.join(known)}")
        return tuple(names)

    def _programs(self, current: state.EmbeddedState, database_program: Program | None) -> list[Program]:
        target = database.endpoint(self.layout, self.settings)
        environment = node_environment(self.layout, current, target) | {"QFC_NODE_RELEASE": __version__}
        return [*([database_program] if database_program else []), *node_programs(current, environment)]

    def _settled_state(self) -> state.EmbeddedState:
        """Choose port, address and workers, and store them. A running API keeps its port."""
        remembered = state.read(self.layout.state)
        current = state.merged(remembered, self.settings)
        same = current.bind == remembered.bind and self.settings.port in (None, state.ANY_PORT, remembered.port)
        serving = self._supervisor.pid() is not None and self._lifecycle.running([APP])
        if not (serving and same and current.port is not None):
            current = state.with_port(current, self.settings, own=remembered.port if serving else None)
        state.write(self.layout.state, current)
        return current

    def _leaving(self, current: state.EmbeddedState) -> tuple[int, ...]:
        """Return the workers in stopping order: idle ones first, the newest of them first."""
        try:
            idle = self._idle_workers()
        except QfcError:
            idle = frozenset[int]()
        processes = self._supervisor.processes()
        pids = {
            number: processes[name].pid for number in current.workers if (name := f"{WORKER}-{number}") in processes
        }
        return tuple(sorted(pids, key=lambda number: (pids[number] not in idle, -number)))

    def own_settings(self) -> dict[str, str]:
        """Return the operator's own settings of the node. Raises ConfigError."""
        return read_environment_file(self.layout.node_environment)

    def _surroundings(self, service: str, argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Return the command with the environment of the service itself."""
        target = self.endpoint()
        if service in (APP, WORKER):
            node = node_environment(self.layout, state.read(self.layout.state), target)
            return [sys.executable, "-m", "qfc_node", *argv], {**base_environment(os.environ), **node}
        if service != DATABASE:
            raise NotFoundError(f"There is no service {service}.", hint=f"Services: {', '.join(self._services)}")
        programs = database.installation(self.layout, self.settings)
        return [programs.program(argv[0]), *argv[1:]], self._client_environment(target)

    def _client_environment(self, target: Endpoint) -> dict[str, str]:
        """Return the environment of PostgreSQL's client programs."""
        return {
            **base_environment(os.environ),
            "PGHOST": target.host,
            "PGPORT": str(target.port),
            "PGUSER": target.user,
            "PGDATABASE": target.database,
            "PGPASSFILE": str(database.write_password_file(self.layout, target)),
            "PGCONNECT_TIMEOUT": str(ASK_S),
            "TERM": os.environ.get("TERM", "dumb"),
        }

    def database_command(self, argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Return a program of PostgreSQL with the environment that connects it to the stack's database."""
        command, environment = self._surroundings(DATABASE, argv)
        return command, environment | operation_mark(self.layout.folder)

    def pg_restore(self) -> list[str]:
        """Return the command pg_restore of the release that the stack's data needs; the stack need not run."""
        return [database.installation(self.layout, self.settings).program("pg_restore")]

    def _log_files(self, names: Sequence[str] | None) -> list[tuple[str, Path]]:
        chosen = self._chosen(names, SUPERVISOR)
        found = sorted(path for path in self.layout.log.glob("*.log"))
        paths = [(SUPERVISOR if path.stem == "supervisord" else service_of(path.stem), path) for path in found]
        return [(service, path) for service, path in paths if service in chosen]
