"""Protect a stack: what is missing is put in place, one part after another; all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ...errors import QfcError, RefusedError
from ...stack import journal
from ...stack.ports import Ports
from ...stack.protection import NAMES, Kept, Part, Protection, from_document, gone, part_of, read, write
from ..guard import Guard, Options, guarded, silent
from ..held import held
from .look import PartState, states
from .parts import are_theirs, before, put, refusal, with_their_numbers
from .undo import CALLED, OPERATION, note, put_back, require_same_account


@dataclass(frozen=True)
class Protected:
    """The protection after a run, or after the planned one. `changed` is False if everything was there already."""

    stack: str
    changed: bool
    parts: tuple[PartState, ...]
    steps: tuple[str, ...]
    dry_run: bool


def protect(
    ports: Ports, parts: Sequence[Part], options: Options, *, without: Sequence[str] = (), question: str = ""
) -> Protected:
    """Put what is missing of these parts in place. Raises RefusedError, before anything changes, for what cannot be."""
    require_same_account(ports, read(ports.own_records))
    with guarded(ports, OPERATION, target=ports.name, options=options, question=question) as guard:
        old = read(ports.own_records)
        _require_not_taken_away(old, without)
        plan = _planned(ports, parts, old)
        _require_possible(ports, plan)
        if guard.dry_run:
            if ports.interrupted() == OPERATION:
                guard.step("First take back what was begun and interrupted")
            for part in plan:
                guard.step(part.sentence)
        elif plan or _is_news(old, parts, without):
            _run(ports, plan, parts, old, guard, without)
        else:
            guard.result = "unchanged"
        due = {part.name for part in plan} if guard.dry_run else set[str]()
        found = states(ports, read(ports.own_records), parts, lambda part: part.name not in due, without)
    return Protected(ports.name, bool(plan), found, guard.steps, guard.dry_run)


def repair(ports: Ports, report: Callable[[str], None]) -> None:
    """Put what is gone in place again, as the repair of a diagnosis, under the lock. Raises QfcError."""
    protection = read(ports.own_records)
    if protection is None:
        return
    require_same_account(ports, protection)
    parts = dict(protection.parts)
    for name in gone(ports, protection):
        kept = parts[name]
        part = with_their_numbers(part_of(name, kept.wanted), kept, ports)
        report(part.sentence)
        parts[name] = _kept(ports, part, protection)
        write(ports.own_records, protection.with_parts(parts))
        put(part, held(ports), Options(yes=True))


def _planned(ports: Ports, parts: Sequence[Part], old: Protection | None) -> list[Part]:
    """Return the parts that have to be put in place, in their order."""
    kept, begun = Protection.parts_of(old), _begun(ports)

    def is_due(part: Part) -> bool:
        return part.name in begun or _is_due(ports, part, kept.get(part.name))

    due = sorted(filter(is_due, parts), key=lambda part: NAMES.index(part.name))
    return [with_their_numbers(part, kept.get(part.name), ports) for part in due]


def _is_due(ports: Ports, part: Part, kept: Kept | None) -> bool:
    """Return whether a part is missing, or is not any more what we put there, or what is wanted by now."""
    if not part.is_there(ports):
        return True
    if kept is None or not kept.is_ours or are_theirs(part, kept, ports):
        return False
    return not part.is_as_wanted(ports) or not part_of(part.name, kept.wanted).is_whole(ports)


def _begun(ports: Ports) -> Collection[str]:
    """Return the parts of a protection that was interrupted: they are taken back first, and so are missing then."""
    entry = journal.read(ports.records) if ports.interrupted() == OPERATION else None
    return from_document(entry.record["begun"]).parts if entry else ()


def _run(
    ports: Ports,
    plan: Sequence[Part],
    parts: Sequence[Part],
    old: Protection | None,
    guard: Guard,
    without: Sequence[str],
) -> None:
    due = {part.name: _kept(ports, part, old) for part in plan}
    there = {part.name: Kept(part.document()) for part in parts if part.name not in due}
    earlier = Protection.parts_of(old)
    here, now = ports.here, ports.clock.now()
    new = Protection(now, ports.lock.identity(), here.name, here.account, {**there, **earlier, **due}, tuple(without))
    # First what is kept here: whoever is killed after it can be helped by `protect` and by `protect --undo`.
    write(ports.own_records, new)
    if not plan:
        return
    begun = new.with_parts(due)
    note(ports, begun, old)
    try:
        _put_all(ports, plan, guard)
    except BaseException as error:
        guard.report("Take back what was done")
        put_back(ports, begun, old, guard.report)
        if isinstance(error, QfcError):
            raise QfcError(f"{ports.name} is as before: {error.message}", hint=error.hint) from error
        raise
    journal.clear(ports.records)


def _put_all(ports: Ports, plan: Sequence[Part], guard: Guard) -> None:
    options = Options(yes=True, report=silent)
    for part in plan:
        guard.step(part.sentence)
        put(part, held(ports), options)


def _kept(ports: Ports, part: Part, old: Protection | None) -> Kept:
    """Return how a part is remembered: what was there before we first put it there."""
    known = old.parts.get(part.name) if old else None
    if are_theirs(part, known, ports):
        return Kept(part.document())
    return Kept(part.document(), known.before if known and known.is_ours else before(part, ports))


def _is_news(old: Protection | None, parts: Sequence[Part], without: Sequence[str]) -> bool:
    """Return whether a protection of which everything is there already has still to be remembered."""
    return old is None or not {part.name for part in parts} <= set(old.parts) or tuple(without) != old.without


def _require_not_taken_away(old: Protection | None, without: Sequence[str]) -> None:
    ours = [CALLED[name] for name in without if old and name in old.ours]
    if ours:
        raise RefusedError(f"Protected already: {', '.join(ours)}.", hint="Type first: qfc protect --undo")


def _require_possible(ports: Ports, plan: Sequence[Part]) -> None:
    """Refuse a plan of which a part cannot be put in place here."""
    reasons: Mapping[str, str | None] = {part.name: refusal(part, ports) for part in plan}
    refused = {name: why for name, why in reasons.items() if why}
    if refused:
        sentences = "; ".join(f"{CALLED[name]}: {why}" for name, why in refused.items())
        options = " ".join(f"--without {name}" for name in refused)
        raise RefusedError(f"It cannot be done here: {sentences}.", hint=f"Solve this, or type: qfc protect {options}")
