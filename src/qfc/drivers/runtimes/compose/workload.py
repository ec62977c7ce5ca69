"""How much there is to do in a deployment, and who does it: by a look at its containers, else by its database."""

from __future__ import annotations

from collections.abc import Callable

from ....stack.model import QueueDepth, Worker
from ....stack.ports import DatabaseQueue, Workload
from .holding import ACTIVE, JobHolding, as_workers
from .lifecycle import WORKER
from .observer import Observer


class ComposeWorkload(Workload):
    """Implements `qfc.stack.ports.Workload`. `stored` opens the queue in the database when a look does not do.

    How deep the queue is comes with every look: a status needs no connection, and no time to make one.
    """

    def __init__(self, observer: Observer, stored: Callable[[], DatabaseQueue]) -> None:
        self._observer, self._stored = observer, stored

    def depth(self) -> QueueDepth:
        seen = self._observer.snapshot().depth
        return seen if seen is not None else self._stored().depth()

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers that the database knows; of an official server those that its containers are."""
        stored = self._stored()
        known = stored.workers()
        if known or stored.snapshot(limit=1).workers is not None:
            return known
        return self._of_containers(stored)

    def _of_containers(self, stored: DatabaseQueue) -> tuple[Worker, ...]:
        containers = self._observer.containers(WORKER)
        holding = JobHolding(self._observer.engine, lambda: stored)
        return tuple(as_workers(containers, holding(containers), stored.jobs(statuses=ACTIVE, limit=1000)))
