"""Stop a stack: workers first, each after its job, then the API, then the database."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack import drains
from ..stack.ports import Ports
from .guard import Options, guarded
from .status import is_running
from .transfer.holding import is_under_way


@dataclass(frozen=True)
class Down:
    """The result of stopping a stack."""

    stack: str
    was_running: bool
    dry_run: bool
    steps: tuple[str, ...]


def down(ports: Ports, options: Options, *, now: bool = False) -> Down:
    """Stop everything. With `now`, jobs are interrupted; the node picks them up again after the next start."""
    was_running = is_running(ports.runtime.services())
    how = "at once, without waiting for jobs" if now else "workers after their jobs, then API and database"
    recovers = not is_under_way(ports)  # that would start it first, and let people write
    with guarded(ports, "down", target=ports.name, options=options, recovers=recovers, of_moved=True) as guard:
        if guard.step(f"Stop {ports.name}: {how}"):
            ports.runtime.stop(None, now=now)
            drains.clear(ports.records)
    return Down(ports.name, was_running, guard.dry_run, guard.steps)
