"""The queue of a deployment: in its database, with what only its containers tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from ....stack.model import QueueDepth, Worker
from ....stack.ports import QueueStore
from .observer import Observer

WORKER = "worker_wrapper"


class ComposeJobStore:
    """The queue as the database has it, opened when something is asked that a look at the containers does not tell.

    How deep the queue is comes with every look: a status needs no connection, and no time to make one. Everything that
    is not here is the database's.
    """

    def __init__(self, observer: Observer, open_store: Callable[[], QueueStore]) -> None:
        self._observer, self._open_store = observer, open_store

    @cached_property
    def _store(self) -> QueueStore:
        return self._open_store()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def close(self) -> None:
        """Close nothing: who opened the store closes it."""

    def depth(self) -> QueueDepth:
        """Count what waits and runs."""
        seen = self._observer.snapshot().depth
        return seen if seen is not None else self._store.depth()

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers that the database knows; of an official server those that its containers are."""
        known = self._store.workers()
        if known or self._store.snapshot(limit=1).workers is not None:
            return known
        from .holding import ACTIVE, JobHolding, as_workers

        containers = self._observer.containers(WORKER)
        holding = JobHolding(self._observer.engine, lambda: self._store)
        return tuple(as_workers(containers, holding(containers), self._store.jobs(statuses=ACTIVE, limit=1000)))
