"""The fault lab: break a stack on purpose, then repair it. For lab stacks, never for production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..errors import PartlyDoneError, QfcError, RefusedError
from ..lab import FAULTS, Fault, fault
from ..stack.model import Capability, Kind
from ..stack.ports import Ports
from . import lab_book as book
from .guard import Guard, Options, guarded
from .lab_book import Broken

#: The variable in a deployment's `.env` that allows faults.
SWITCH = "QFC_LAB"


@dataclass(frozen=True)
class FaultLine:
    """A fault. `finds` are the checks that find it, `possible` whether a stack of this kind can have it."""

    id: str
    title: str
    finds: tuple[str, ...]
    kinds: tuple[Kind, ...]
    possible: bool
    broken_since: datetime | None


@dataclass(frozen=True)
class LabList:
    """All faults, and which of them are active."""

    stack: str
    faults: tuple[FaultLine, ...]


@dataclass(frozen=True)
class LabChanged:
    """The faults that were created or undone, and those that are active now."""

    changed: tuple[str, ...]
    broken: tuple[str, ...]
    steps: tuple[str, ...]
    dry_run: bool


def lab_list(ports: Ports) -> LabList:
    """Return every fault."""
    since = {one.id: one.since for one in book.read(ports)}
    lines = (
        FaultLine(one.id, one.title, one.finds, one.kinds, one.is_possible(ports), since.get(one.id)) for one in FAULTS
    )
    return LabList(ports.name, tuple(lines))


def lab_break(ports: Ports, id: str, options: Options) -> LabChanged:
    """Create a fault. Raises NotFoundError, and RefusedError if this stack may not have it."""
    chosen = fault(id)
    _require_lab(ports)
    _require_kind(ports, chosen)
    question = f"Break {ports.name} on purpose: {chosen.title}?"
    with guarded(ports, "lab break", target=id, options=options, question=question) as guard:
        broken = book.read(ports)
        _require_inactive(broken, chosen)
        if guard.step(f"Break: {chosen.title}"):
            broken = _created(ports, chosen, broken)
    ids = tuple(one.id for one in broken)
    return LabChanged((id,), ids, guard.steps, guard.dry_run)


def lab_mend(ports: Ports, id: str | None, options: Options) -> LabChanged:
    """Undo a fault, or all active ones, newest first; those that recreate services last, when `.env` is right again.

    Raises NotFoundError, RefusedError, PartlyDoneError.
    """
    if id is not None:
        fault(id)
    with guarded(ports, "lab mend", target=id or "all", options=options) as guard:
        broken = book.read(ports)
        chosen = [one for one in reversed(broken) if id in (None, one.id)]
        wanted = sorted(chosen, key=lambda one: fault(one.id).recreates)
        if id is not None and not wanted:
            raise RefusedError(f"{id} is not active.", hint="Type: qfc lab list")
        left, problems = _undone(ports, wanted, broken, guard)
    if problems:
        raise PartlyDoneError(f"Some faults are still active: {' '.join(problems)}", hint="Try again: qfc lab mend")
    return LabChanged(tuple(one.id for one in wanted), tuple(one.id for one in left), guard.steps, guard.dry_run)


def _created(ports: Ports, chosen: Fault, broken: tuple[Broken, ...]) -> tuple[Broken, ...]:
    """Record what undoing needs, then create the fault."""
    known = chosen.look(ports)
    broken += (Broken(chosen.id, ports.clock.now(), ports.lock.identity(), known),)
    book.write(ports, broken)
    try:
        chosen.make(ports, known)
    except QfcError as error:
        hint = f"Type: qfc lab mend {chosen.id}"
        raise PartlyDoneError(f"{chosen.id} may be incomplete: {error.message}", hint=hint) from error
    return broken


def _undone(
    ports: Ports, wanted: list[Broken], broken: tuple[Broken, ...], guard: Guard
) -> tuple[tuple[Broken, ...], list[str]]:
    """Undo each fault; return the active ones and the problems. A failure does not stop the others."""
    problems: list[str] = []
    for one in wanted:
        chosen = fault(one.id)
        if not guard.step(f"Undo: {chosen.title}"):
            continue
        try:
            chosen.undo(ports, one.known)
        except QfcError as error:
            problems.append(f"{one.id}: {error.message}")
            continue
        broken = tuple(other for other in broken if other is not one)
        book.write(ports, broken)
    guard.result = f"{len(broken)} faults left"
    return broken, problems


def _require_lab(ports: Ports) -> None:
    """Refuse a stack that may not be broken."""
    if not ports.offers(Capability.CONTAINERS):
        return
    if ports.deployment.settings.values().get(SWITCH) != "1":
        raise RefusedError(
            f"{ports.name} is not a lab; nothing was broken.",
            hint=f"On a deployment that nobody uses, add {SWITCH}=1 to its .env; never in production.",
        )


def _require_kind(ports: Ports, chosen: Fault) -> None:
    if not chosen.is_possible(ports):
        kinds = " or ".join(chosen.kinds)
        raise RefusedError(f"Only stacks of the kind {kinds} can have {chosen.id}.", hint="Type: qfc lab list")


def _require_inactive(broken: tuple[Broken, ...], chosen: Fault) -> None:
    if any(one.id == chosen.id for one in broken):
        raise RefusedError(f"{chosen.id} is already active.", hint=f"Type: qfc lab mend {chosen.id}")
