"""The old server takes over again."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import RefusedError
from ...stack import journal
from ...stack.ports import Ports
from ...stack.transfer import moved
from ..guard import Options, guarded
from .holding import OPERATION, give_back, intended


@dataclass(frozen=True)
class TakenBack:
    """A server that is in use again. `was_moved_to` is where it had gone."""

    stack: str
    was_moved_to: str
    dry_run: bool
    steps: tuple[str, ...]


def transfer_back(ports: Ports, options: Options) -> TakenBack:
    """Let a server that was moved away accept writes and work again. Raises RefusedError for any other."""
    where = moved.read(ports.records) or intended(ports)
    if where is None:
        raise RefusedError(f"{ports.name} was not moved away.", hint="See: qfc status")
    question = (
        f"Let {ports.name} accept writes again, with its data of {where.at:%Y-%m-%d %H:%M} UTC? "
        f"What people did on {where.to} since then stays there."
    )
    with guarded(
        ports, f"{OPERATION} back", target=ports.name, options=options, question=question, of_moved=True
    ) as guard:
        if guard.step("Accept writes, start the workers"):
            journal.write(ports.records, journal.Entry(OPERATION, {"to": where.to}))
            give_back(ports)
    return TakenBack(ports.name, where.to, guard.dry_run, guard.steps)
