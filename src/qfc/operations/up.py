"""Start a stack, or the services that are down."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack import drains
from ..stack.model import Verdict
from ..stack.ports import Ports
from .guard import Options, guarded
from .status import is_running, status


@dataclass(frozen=True)
class Up:
    """The stack after the start. `url` is where clients connect."""

    stack: str
    url: str | None
    verdict: Verdict
    reasons: tuple[str, ...]
    already_running: bool
    dry_run: bool
    steps: tuple[str, ...]


def up(ports: Ports, options: Options) -> Up:
    """Start everything in order and wait until the API reports that all is well.

    Raises RefusedError for a server that was moved away.
    """
    already = is_running(ports.runtime.services())
    names = " → ".join(service.name for service in ports.runtime.services())
    with guarded(ports, "up", target=ports.name, options=options) as guard:
        if guard.step(f"Start {names}" if not already else f"Check {names}; start the services that are down"):
            drains.clear(ports.records)
            ports.runtime.start(None, progress=options.progress)
    seen = status(ports)
    return Up(ports.name, seen.url, seen.verdict, seen.reasons, already, guard.dry_run, guard.steps)
