"""Holding the old server: no writes, no jobs. Whatever happens then, it can serve again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ...errors import PartlyDoneError, QfcError
from ...stack import drains, journal
from ...stack.model import Capability
from ...stack.ports import Ports
from ...stack.transfer import moved
from ...stack.waiting import wait_until

OPERATION = "transfer"
APP, WORKER = "app", "worker_wrapper"
#: Seconds for the queue to become empty before workers stop: jobs that still wait move with the rows.
QUIET_S, POLL_S = 60.0, 0.5
#: What who writes is told, during the move and after it.
MOVES = "This server is being moved, or has moved to another address. Try again later."
#: Seconds for the end of requests that began before writes were blocked.
SETTLE_S = 60.0


def hold(ports: Ports, to: str, report: Callable[[str], None]) -> float:
    """Let the queue run empty, stop the workers, then block writes; return since when, on the clock's monotonic time.

    What is done is recorded before it is begun.
    """
    journal.write(ports.records, journal.Entry(OPERATION, {"to": to}))
    report("Let the queue run empty")
    wait_until(ports.clock, lambda: _is_quiet(ports), limit_s=QUIET_S, poll_s=POLL_S)
    report("Stop the workers, each after its job, then block writes")
    drains.write(ports.records, drains.Drain(ports.lock.identity(), ports.clock.now()))
    ports.runtime.stop([WORKER])
    began = ports.clock.monotonic()
    if not ports.offers(Capability.CONTAINERS):
        ports.runtime.stop([APP])
        return began
    traffic = ports.deployment.traffic
    traffic.hold(secrets.token_hex(16), reason=MOVES)
    if not traffic.settle(SETTLE_S):
        raise QfcError(
            f"Running uploads did not end within {SETTLE_S:.0f} s.", hint="Move the server at a quieter time."
        )
    return began


def _is_quiet(ports: Ports) -> bool:
    depth = ports.workload.depth()
    return not (depth.pending or depth.queued or depth.started)


def give_back(ports: Ports) -> None:
    """Let the server accept writes and work again; it can be repeated."""
    with suppress(QfcError):  # Nothing can be written to a full disk, and then this is all the more needed.
        _give_up_intent(ports)
    moved.clear(ports.records)
    if ports.offers(Capability.CONTAINERS):
        ports.deployment.traffic.release()
    drains.clear(ports.records)
    ports.runtime.start(None)
    journal.clear(ports.records)


def _give_up_intent(ports: Ports) -> None:
    """If this is interrupted, the next command has to go on with it."""
    where = intended(ports)
    if where is not None:
        journal.write(ports.records, journal.Entry(OPERATION, {"to": where.to}))


def intend(ports: Ports, where: moved.Moved) -> None:
    """Record that from now on the new server may have everything: after a kill the old one must not work again."""
    journal.write(ports.records, journal.Entry(OPERATION, moved.document_of(where)))


def intended(ports: Ports) -> moved.Moved | None:
    """Return where the server was about to go when its move was interrupted at the very end; None otherwise."""
    entry = journal.read(ports.records)
    if entry is None or entry.operation != OPERATION or "backup" not in entry.record:
        return None
    return moved.of_document(entry.record)


def stand_down(ports: Ports, where: moved.Moved) -> None:
    """Record that the server was moved away: it stays as it is until it takes over again. Raises PartlyDoneError."""
    try:
        moved.write(ports.records, where)
        _rest(ports)
    except QfcError as error:
        raise PartlyDoneError(
            f"{where.to} has everything, but {ports.name} cannot be marked as moved: {error.message}",
            hint=f"Make sure that nobody uses {ports.name}: qfc --stack {ports.name} down",
        ) from error


def is_under_way(ports: Ports) -> bool:
    """Return whether a move is under way or was interrupted. Who only stops the server does not undo it."""
    entry = journal.read(ports.records)
    return entry is not None and entry.operation == OPERATION


def _rest(ports: Ports) -> None:
    """Leave nothing running that nobody uses; a deployment goes on to answer who only reads."""
    if not ports.offers(Capability.CONTAINERS):
        ports.runtime.stop(None)
        drains.clear(ports.records)
    journal.clear(ports.records)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Finish a move that was complete, or may have been; after any other, the old server accepts writes again."""
    to = record["to"]
    if moved.read(ports.records) is not None:
        report(f"Finish the move to {to} that was interrupted")
        _rest(ports)
        return
    if "backup" in record:
        report(f"Finish the move to {to} that was interrupted at its end; if {to} lacks the data: qfc transfer back")
        stand_down(ports, moved.of_document(record))
        return
    report(f"Undo the move to {to} that was interrupted: accept writes again")
    give_back(ports)
