"""The amount of work of an embedded stack: asked with psql, else by a connection to its database."""

from __future__ import annotations

from collections.abc import Callable

from ....stack.model import QueueDepth, Worker
from ....stack.ports import DatabaseQueue, Workload
from ...queue_depth import depth_query, parsed_depth


class EmbeddedWorkload(Workload):
    """The workload of one stack. `ask` returns psql's answer, None without one; `stored` opens the queue."""

    def __init__(self, ask: Callable[[str], str | None], stored: Callable[[], DatabaseQueue]) -> None:
        self._ask, self._stored = ask, stored

    def depth(self) -> QueueDepth:
        depth = parsed_depth(self._ask(depth_query()) or "")
        return depth if depth is not None else self._stored().depth()

    def workers(self) -> tuple[Worker, ...]:
        return self._stored().workers()
