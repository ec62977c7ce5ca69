"""Stops workers after they have finished their jobs. A callable reports which of them hold a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ....errors import QfcError
from ....stack.ports import Clock
from ...docker.containers import Container
from ...docker.engine import Engine

#: The time limit of an official worker for one job, after which the engine kills it.
PATIENCE_S = 900
#: A worker that started less than this ago may not handle signals yet, and would never stop.
DEAF_S = 5.0
POLL_S = 1.0

#: Returns the jobs of worker containers: ids of containers and of their jobs, None for one without a job.
Holding = Callable[[Sequence[Container]], Mapping[str, str | None]]


def leaving_order(containers: Sequence[Container], holding: Mapping[str, str | None]) -> list[Container]:
    """Return workers in the order to stop them: idle ones first, then unknown ones, the newest first."""

    def rank(container: Container) -> tuple[int, int]:
        if container.id not in holding:
            return 1, -container.number
        return 0 if holding[container.id] is None else 2, -container.number

    return sorted(containers, key=rank)


class Drain:
    """Stops worker containers, each after its job."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def stop(self, containers: Sequence[Container], *, now: bool = False) -> None:
        """Stop them all at once and wait for the last; with `now` they get ten seconds. Raises QfcError."""
        running = [one for one in containers if one.is_running or one.status == "restarting"]
        if not running:
            return
        self._let_them_hear(running)
        patience = 10 if now else max(PATIENCE_S, *(one.stop_timeout_s or 0 for one in running))
        argv = ["docker", "stop", "--time", str(patience), *(one.id for one in running)]
        done = self._engine.run(argv, timeout_s=patience + 60, check=False)
        if done.exit_code and "No such container" not in done.stderr:
            raise QfcError(f"Workers cannot be stopped: {done.stderr.strip()[-300:]}", hint="Type: qfc workers list")

    def remove(self, containers: Sequence[Container]) -> None:
        """Stop workers after their jobs and remove their containers."""
        self.stop(containers)
        if containers:
            self._engine.run(["docker", "rm", "--force", *(one.id for one in containers)], check=False)

    def _let_them_hear(self, containers: Sequence[Container]) -> None:
        """Wait until the newest one has had time to install its signal handler."""
        now = self._clock.now()
        ages = [(now - one.started_at).total_seconds() for one in containers if one.started_at]
        youngest = min((age for age in ages if age >= 0), default=DEAF_S)
        if youngest < DEAF_S:
            self._clock.sleep(DEAF_S - youngest)
