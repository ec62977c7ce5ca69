"""Workers that finish what they hold before they go. Which of them holds a job is asked of the one who knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ....errors import QfcError
from ....stack.ports import Clock
from ...docker.containers import Container
from ...docker.engine import Engine

#: As long as an official worker may take for one job; the engine kills it afterwards.
PATIENCE_S = 900
#: A worker that was started less than that ago may not hear yet that it is to stop, and would be waited for in vain.
DEAF_S = 5.0
POLL_S = 1.0

#: Tells which of some worker containers hold a job: ids of containers and of their jobs, None for one without.
Holding = Callable[[Sequence[Container]], Mapping[str, str | None]]


def leaving_order(containers: Sequence[Container], holding: Mapping[str, str | None]) -> list[Container]:
    """Return workers in the order in which they may go: idle ones first, then those not known, the newest first."""

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
        """Stop them all at once and wait for the last; with `now` they have ten seconds. Raises QfcError."""
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
        """Wait until the youngest has had time to install its handler of signals."""
        now = self._clock.now()
        ages = [(now - one.started_at).total_seconds() for one in containers if one.started_at]
        youngest = min((age for age in ages if age >= 0), default=DEAF_S)
        if youngest < DEAF_S:
            self._clock.sleep(DEAF_S - youngest)
