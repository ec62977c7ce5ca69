"""Stops workers after they have finished their jobs. A callable reports which of them hold a job."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ....errors import QfcError
from ....stack.ports import Clock
from ....stack.waiting import wait_until
from ...docker.containers import Container
from ...docker.engine import Engine

#: The time limit of an official worker for one job, after which the engine kills it.
PATIENCE_S = 900
#: A worker younger than this may still be starting: without its own handler, the first process of a container ignores
#: the signal to stop, and the engine would wait all of `PATIENCE_S` for it.
STARTING_S = 60.0
#: How long a worker needs to start where its process cannot be read.
USUAL_START_S = 5.0
POLL_S = 1.0
#: The signals that a process handles or waits for, in its /proc/PID/status.
SIGNALS = re.compile(r"^Sig(?:Cgt|Blk):\s*([0-9a-f]+)$", re.MULTILINE)

#: Returns the jobs of worker containers: ids of containers and of their jobs, None for one without a job.
Holding = Callable[[Sequence[Container]], Mapping[str, str | None]]


def leaving_order(containers: Sequence[Container], holding: Mapping[str, str | None]) -> list[Container]:
    """Return workers in the order to stop them: idle ones first, then unknown ones, the newest first."""

    def rank(container: Container) -> tuple[int, int]:
        if container.id not in holding:
            return 1, -container.number
        return 0 if holding[container.id] is None else 2, -container.number

    return sorted(containers, key=rank)


def handles_stop(status: str) -> bool:
    """Return whether a process handles SIGTERM, by the text of its /proc/PID/status."""
    bit = 1 << (signal.SIGTERM - 1)
    return any(int(mask, 16) & bit for mask in SIGNALS.findall(status))


class Drain:
    """Stops worker containers, each after its job."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def stop(self, containers: Sequence[Container], *, now: bool = False) -> None:
        """Stop them all at once and wait for the last; with `now` they get ten seconds. Raises QfcError."""
        running = [one for one in containers if one.is_running or one.status == "restarting"]
        if not running:
            return
        self._wait_for_handlers(running)
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

    def _wait_for_handlers(self, containers: Sequence[Container]) -> None:
        """Wait until workers that are still starting have installed their handler for the signal to stop."""
        for one in containers:
            starting_s = STARTING_S - self._age_s(one)
            if starting_s > 0:
                wait_until(self._clock, partial(self._handles_stop, one), limit_s=starting_s, poll_s=POLL_S)

    def _handles_stop(self, container: Container) -> bool:
        argv = ["docker", "exec", container.id, "cat", "/proc/1/status"]
        done = self._engine.query(argv, check=False)
        return self._age_s(container) >= USUAL_START_S if done.exit_code else handles_stop(done.stdout)

    def _age_s(self, container: Container) -> float:
        """Return the age of a worker in seconds; one without a start counts as old."""
        if container.started_at is None:
            return STARTING_S
        # The clock of the host may be ahead of ours.
        return max((self._clock.now() - container.started_at).total_seconds(), 0.0)
