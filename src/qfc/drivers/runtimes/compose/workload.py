"""The amount of work in a deployment, and its workers: from a snapshot of its containers, else from its database."""

from __future__ import annotations

from collections.abc import Callable

from ....stack.model import QueueDepth, Worker
from ....stack.ports import DatabaseQueue, Workload
from .holding import ACTIVE, JobHolding, as_workers
from .lifecycle import WORKER
from .observer import Observer


class ComposeWorkload(Workload):
    """The workload of one deployment. `stored` opens the queue in the database if a snapshot is not enough.

    Every snapshot includes the depth of the queue, so a status needs no connection to the database.
    """

    def __init__(self, observer: Observer, stored: Callable[[], DatabaseQueue]) -> None:
        self._observer, self._stored = observer, stored

    def depth(self) -> QueueDepth:
        seen = self._observer.snapshot().depth
        return seen if seen is not None else self._stored().depth()

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers in the database; for an official server, its worker containers."""
        stored = self._stored()
        known = stored.workers()
        if known or stored.snapshot(limit=1).workers is not None:
            return known
        return self._of_containers(stored)

    def _of_containers(self, stored: DatabaseQueue) -> tuple[Worker, ...]:
        containers = self._observer.containers(WORKER)
        holding = JobHolding(self._observer.engine, lambda: stored)
        return tuple(as_workers(containers, holding(containers), stored.jobs(statuses=ACTIVE, limit=1000)))
