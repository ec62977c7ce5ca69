"""Starts containers and waits until they are ready, stops them, recreates them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ....errors import CommandError, QfcError, UnreachableError
from ....stack.model import Health, Service, ServiceState
from ....stack.ports import Clock
from ....stack.waiting import wait_until
from ...docker.containers import Container
from ...docker.engine import Engine, error_line, within
from .draining import Drain
from .observer import Observer

APP, DATABASE, NGINX, WORKER = "app", "db", "nginx", "worker_wrapper"
#: Seconds within which everything that was started must be ready.
READY_S = 180.0
#: Seconds that a started process must run before it counts: one that ends at once also runs for a moment.
STEADY_S = 2.0
POLL_S = 0.5
#: A container with this many restarts during the wait will never become ready.
HOPELESS = 4
#: Seconds for commands that create containers; images are not built here.
MAKE_S = 600.0
_IS_EMPTY = "select to_regclass('django_migrations') is null"
_MANAGE = ("python3", "manage.py")
#: Django's mark of an applied migration.
_APPLIED = "[X]"


class Lifecycle:
    """Changes the running containers, under the stack's lock. `answers` returns whether the API can be reached."""

    def __init__(self, observer: Observer, clock: Clock, answers: Callable[[], bool]) -> None:
        self._observer, self._clock, self._answers = observer, clock, answers
        self.drain = Drain(observer.engine, clock)

    @property
    def _engine(self) -> Engine:
        return self._observer.engine

    def compose(self, argv: Sequence[str], *, timeout_s: float | None = MAKE_S) -> None:
        """Run a command of Compose in the deployment's folder."""
        self._engine.run(argv, folder=self._observer.deployment.folder, timeout_s=timeout_s)

    def start(self, names: Sequence[str] | None) -> None:
        """Start services, all for None, and wait until each is ready; a database without tables is migrated first."""
        if names is not None and not names:
            return
        compose = self._observer.compose
        if names is None and not any(one.is_running for one in self._observer.containers(APP)):
            self._fill_empty_database()
        self.compose(compose.up(names, build=True), timeout_s=None)
        self.refresh_nginx(names)
        self.await_ready(names)

    def stop(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Stop services, all for None: workers first, each after its job."""
        if names is None or WORKER in names:
            self.drain.stop(self._observer.containers(WORKER, fresh=True), now=now)
        others = None if names is None else [name for name in names if name != WORKER]
        if others is None or others:
            self.compose(self._observer.compose.stop(others, timeout_s=10 if now else None), timeout_s=1000)

    def renew(self, container: Container) -> None:
        """Restart one container as it is, after its job, and wait until its service is ready."""
        self.drain.stop([container])
        self._engine.run(["docker", "start", container.id], timeout_s=60)
        self.refresh_nginx([container.service])
        self.await_ready([container.service])

    def recreate(self, names: Sequence[str] | None, *, now: bool = False) -> None:
        """Recreate the containers of services, all for None, from the current files and images."""
        if names is not None and not names:
            return
        compose = self._observer.compose
        if names is None or WORKER in names:
            self.stop([WORKER], now=now)
        self._observer.forget_plan()
        if compose.is_v1 and names:
            # v1 reads a field of the old image that newer engines leave out, but not without the container.
            self.compose(compose.stop(names))
            self.compose(compose.remove(names))
        self.compose(compose.up(names, recreate=True))
        self.refresh_nginx(names)
        self.await_ready(names)

    def converge(self, *, workers: int | None = None) -> None:
        """Bring all containers in line with files and images, with `workers` workers if a number is given.

        Containers that are already in line stay, above all nginx: while it is recreated, no request is answered.
        Workers must be idle or stopped.
        """
        compose = self._observer.compose
        self._observer.forget_plan()
        names = list(self._observer.plan(fresh=True).services)
        if compose.is_v1:
            self._remove_stale()
        scale = {} if workers is None else {WORKER: workers}
        self.compose(compose.converge([name for name in names if name != NGINX], scale))
        if NGINX in names:
            self.compose(compose.converge([NGINX], {}))
        self.refresh_nginx(None)

    def _remove_stale(self) -> None:
        """Remove containers that v1 would recreate: it reads a field of the old image that newer engines leave out."""
        compose = self._observer.compose
        printed = self._engine.query(within(self._observer.deployment.folder, compose.hashes())).stdout
        wanted = dict(line.split() for line in printed.splitlines() if len(line.split()) == 2)
        seen = self._observer.snapshot(fresh=True).containers
        stale = sorted(
            {
                one.service
                for one in seen
                if one.service in wanted and one.config_hash != wanted[one.service] and not one.is_one_off
            }
        )
        if stale:
            self.compose(compose.stop(stale, timeout_s=60))
            self.compose(compose.remove(stale))

    def refresh_nginx(self, changed: Sequence[str] | None) -> None:
        """Make nginx resolve the API's address again, since it may have changed. None: everything changed."""
        if changed is not None and (APP not in changed or NGINX in changed):
            return
        for container in self._observer.containers(NGINX, fresh=True):
            if container.status == "running":
                self._engine.run(["docker", "exec", container.id, "nginx", "-s", "reload"], check=False, timeout_s=30)

    def await_ready(self, names: Sequence[str] | None, *, workers: int | None = None, limit_s: float = READY_S) -> None:
        """Wait until services run steadily and the API answers. Raises UnreachableError with the last log line.

        `workers` is their number if it may differ from the files.
        """
        before = {one.name: one for one in self._observer.services(fresh=True)}

        def are_ready() -> bool:
            seen = self._awaited(names, workers)
            lacking = [one for one in seen if not is_ready(one)]
            for one in lacking:
                if _restarts(one) >= _restarts(before.get(one.name, one)) + HOPELESS:
                    raise self.not_ready_error(one.name)
            return not lacking and (APP not in {one.name for one in seen} or self._answers())

        if not wait_until(self._clock, are_ready, limit_s=limit_s, poll_s=POLL_S):
            lacking = [one.name for one in self._awaited(names, workers) if not is_ready(one)]
            raise self.not_ready_error(lacking[0] if lacking else APP)

    def _awaited(self, names: Sequence[str] | None, workers: int | None) -> list[Service]:
        seen = [one for one in self._observer.services(fresh=True) if names is None or one.name in names]
        if workers is None:
            return seen
        return [replace(one, wanted=workers) if one.name == WORKER else one for one in seen]

    def not_ready_error(self, name: str) -> UnreachableError:
        """Return the error for a service that does not become ready, with its last log line."""
        said = [error_line(self.last_words(one.id)) for one in self._observer.containers(name)[:1]]
        words = f" Its last log line: {said[0]}" if said else ""
        return UnreachableError(f"{name} does not become ready.{words}", hint=f"See: qfc logs --service {name}")

    def last_words(self, container: str, lines: int = 40) -> str:
        """Return the end of a container's log."""
        done = self._engine.run(["docker", "logs", "--tail", str(lines), container], check=False, timeout_s=30)
        return f"{done.stdout}\n{done.stderr}".strip()

    def in_database(self, sql: str) -> str:
        """Run a query in the container `db` with its own psql; return the output."""
        database = self._observer.running(DATABASE)
        script = 'exec psql -XqAt -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "${POSTGRES_DB:-$POSTGRES_USER}" -f -'
        done = self._engine.run(["docker", "exec", "-i", database.id, "sh", "-c", script], stdin=sql.encode())
        return done.stdout.strip()

    def _has_own_database(self) -> bool:
        """Return whether the application's database is the deployment's own service, not one elsewhere."""
        named = self._observer.environment(APP).get("POSTGRES_HOST") or DATABASE
        return named == DATABASE and DATABASE in self._observer.plan().services

    def _await_database(self) -> None:
        def answers() -> bool:
            try:
                self._observer.snapshot(fresh=True)
                return self.in_database("select 1") == "1"
            except QfcError:
                return False

        if not wait_until(self._clock, answers, limit_s=READY_S, poll_s=POLL_S):
            raise self.not_ready_error(DATABASE)

    def _fill_empty_database(self) -> None:
        """Migrate a database without any tables: it has no data to harm, and nothing starts without them."""
        if self._has_own_database():
            self.compose(self._observer.compose.up([DATABASE], build=True))
            self._await_database()
            is_empty = self.in_database(_IS_EMPTY) == "t"
        else:
            self.compose(self._observer.compose.build([APP]), timeout_s=None)
            is_empty = _APPLIED not in self.run_once(APP, [*_MANAGE, "showmigrations", "--plan"])
        if is_empty:
            try:
                self.run_once(APP, [*_MANAGE, "migrate", "--no-input"])
            except CommandError as error:
                raise QfcError(f"The empty database cannot be migrated: {error.message}", hint=error.hint) from error

    def run_once(self, service: str, argv: Sequence[str], *, timeout_s: float | None = None) -> str:
        """Run a command in a new container of a service; return its output. Removes that of a killed operation."""
        name = one_off_name(self._observer.deployment.project)
        self._engine.run(["docker", "rm", "--force", name], check=False)
        compose = self._observer.compose
        folder = self._observer.deployment.folder
        return self._engine.run(compose.run(service, argv, name=name), folder=folder, timeout_s=timeout_s).stdout


def one_off_name(project: str) -> str:
    """Return the name of the container for single commands in a project."""
    return f"{project}-qfc-command"


def is_ready(service: Service) -> bool:
    """Return whether a service runs steadily and is healthy."""
    if service.is_task:
        return service.state is not ServiceState.RESTARTING
    if service.wanted == 0:
        return True
    steady = [one for one in service.instances if one.state is ServiceState.RUNNING and (one.uptime_s or 0) >= STEADY_S]
    return len(steady) >= service.wanted and service.health in (Health.HEALTHY, Health.NONE)


def _restarts(service: Service) -> int:
    return max((one.restarts or 0 for one in service.instances), default=0)
