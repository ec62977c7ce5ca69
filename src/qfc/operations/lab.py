"""The fault lab: break a stack on purpose, and mend it. For stacks of the lab's own, never for production."""

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

#: What a deployment's `.env` has to say before anything is broken.
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
    """All faults, and which of them are made now."""

    stack: str
    faults: tuple[FaultLine, ...]


@dataclass(frozen=True)
class LabChanged:
    """The faults that were made or undone, and which are still made."""

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
    """Make a fault. Raises NotFoundError, and RefusedError where none may be made, or not this one."""
    chosen = fault(id)
    _require_lab(ports)
    _require_kind(ports, chosen)
    question = f"Break {ports.name} on purpose: {chosen.title}?"
    with guarded(ports, "lab break", target=id, options=options, question=question) as guard:
        broken = book.read(ports)
        _require_whole(broken, chosen)
        if guard.step(f"Break: {chosen.title}"):
            broken = _made(ports, chosen, broken)
    ids = tuple(one.id for one in broken)
    return LabChanged((id,), ids, guard.steps, guard.dry_run)


def lab_mend(ports: Ports, id: str | None, options: Options) -> LabChanged:
    """Undo a fault, or all that are made, the last one first. Raises NotFoundError, RefusedError, PartlyDoneError."""
    if id is not None:
        fault(id)
    with guarded(ports, "lab mend", target=id or "all", options=options) as guard:
        broken = book.read(ports)
        wanted = [one for one in reversed(broken) if id in (None, one.id)]
        if id is not None and not wanted:
            raise RefusedError(f"{id} is not broken.", hint="Type: qfc lab list")
        left, problems = _mended(ports, wanted, broken, guard)
    if problems:
        raise PartlyDoneError(f"Not everything is mended: {' '.join(problems)}", hint="Type: qfc lab mend, once more")
    return LabChanged(tuple(one.id for one in wanted), tuple(one.id for one in left), guard.steps, guard.dry_run)


def _made(ports: Ports, chosen: Fault, broken: tuple[Broken, ...]) -> tuple[Broken, ...]:
    """Write down what undoing needs, then make the fault."""
    known = chosen.look(ports)
    broken += (Broken(chosen.id, ports.clock.now(), ports.lock.identity(), known),)
    book.write(ports, broken)
    try:
        chosen.make(ports, known)
    except QfcError as error:
        hint = f"Type: qfc lab mend {chosen.id}"
        raise PartlyDoneError(f"{chosen.id} may be half made: {error.message}", hint=hint) from error
    return broken


def _mended(
    ports: Ports, wanted: list[Broken], broken: tuple[Broken, ...], guard: Guard
) -> tuple[tuple[Broken, ...], list[str]]:
    """Undo each; return what is left, and what went wrong. One that fails stops none of the others."""
    problems: list[str] = []
    for one in wanted:
        chosen = fault(one.id)
        if not guard.step(f"Mend: {chosen.title}"):
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
    """Insist on a stack that may be broken."""
    if not ports.offers(Capability.CONTAINERS):
        return
    if ports.deployment.settings.values().get(SWITCH) != "1":
        raise RefusedError(
            f"{ports.name} is no lab: nothing is broken there.",
            hint=f"On a deployment that nobody uses, write {SWITCH}=1 into its .env; never in production.",
        )


def _require_kind(ports: Ports, chosen: Fault) -> None:
    if not chosen.is_possible(ports):
        kinds = " or ".join(chosen.kinds)
        raise RefusedError(f"{chosen.id} is a fault of stacks of the kind {kinds}.", hint="Type: qfc lab list")


def _require_whole(broken: tuple[Broken, ...], chosen: Fault) -> None:
    if any(one.id == chosen.id for one in broken):
        raise RefusedError(f"{chosen.id} is broken already.", hint=f"Type: qfc lab mend {chosen.id}")
