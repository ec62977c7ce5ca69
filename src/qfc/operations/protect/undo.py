"""Take back what was put in place: when a step fails, after a protection that was killed, and on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import PartlyDoneError, QfcError, RefusedError
from ...stack import journal
from ...stack.ports import Ports
from ...stack.protection import (
    BACKUPS,
    LIMITS,
    NAMES,
    Kept,
    Protection,
    from_document,
    part_of,
    read,
    to_document,
    write,
)
from ..guard import Options, guarded
from ..held import held
from .parts import put, take_back

OPERATION = "protect"
CALLED = {
    BACKUPS: "the place of backups",
    LIMITS: "the limits on synchronisations",
    "schedule": "the schedule of maintenance",
    "monitor": "the monitor",
}


@dataclass(frozen=True)
class Unprotected:
    """What was taken back; `stays` are sentences about what was left, and why."""

    stack: str
    changed: bool
    stays: tuple[str, ...]
    steps: tuple[str, ...]
    dry_run: bool


def undo(ports: Ports, options: Options) -> Unprotected:
    """Take back all that `protect` put there; what the operator had before stays. Raises PartlyDoneError."""
    if read(ports.own_records) is None:
        return Unprotected(ports.name, False, (), (), options.dry_run)
    with guarded(ports, "protect undo", target=ports.name, options=options) as guard:
        protection = read(ports.own_records)  # An interrupted one may just have been taken back.
        names = [name for name in reversed(NAMES) if protection and name in protection.ours]
        if protection is None or False in [guard.step(f"Take back {CALLED[name]}") for name in names]:
            return Unprotected(ports.name, bool(names), (), guard.steps, guard.dry_run)
        require_same_account(ports, protection)
        note(ports, protection.with_parts(protection.ours), None, is_undo=True)
        taking = Taking(ports, protection.ours, is_undo=True)
        settle(ports, taking, None)
    return Unprotected(ports.name, True, tuple(taking.stays), guard.steps, False)


class Taking:
    """Parts that are taken back, one after another; one that fails does not keep the others.

    `stays` are sentences about what was left on purpose; `left` are the parts that could not be taken back.
    """

    def __init__(self, ports: Ports, parts: Mapping[str, Kept], *, is_undo: bool) -> None:
        self.stays: list[str] = []
        self.errors: list[str] = []
        self.left: dict[str, Kept] = {}
        for name, kept in _backwards(parts):
            try:
                part, options = part_of(name, kept.wanted), Options(yes=True)
                why = take_back(part, kept.before or {}, held(ports), options, is_undo=is_undo)
            except QfcError as error:
                self.left[name] = kept
                self.errors.append(f"{CALLED[name]}: {error.message}")
            else:
                self.stays += [why] if why else []


def note(ports: Ports, begun: Protection, old: Protection | None, *, is_undo: bool = False) -> None:
    """Record, before anything changes, what has to be taken back, and what was protected before."""
    record = {"begun": to_document(begun), "old": old and to_document(old), "is_undo": is_undo}
    journal.write(ports.records, journal.Entry(OPERATION, record))


def settle(ports: Ports, taking: Taking, old: Protection | None) -> None:
    """Keep what is protected after all, and close the journal. Raises PartlyDoneError for what could not be taken."""
    kept = old or read(ports.own_records)
    if kept is not None:
        write(ports.own_records, kept.with_parts({**Protection.parts_of(old), **taking.left}))
    journal.clear(ports.records)
    if taking.errors:
        raise PartlyDoneError(
            f"Not everything could be taken back: {'; '.join(taking.errors)}",
            hint="When its cause is removed, type: qfc protect --undo",
        )


def put_back(
    ports: Ports,
    begun: Protection,
    old: Protection | None,
    report: Callable[[str], None],
    *,
    is_undo: bool = False,
) -> None:
    """Undo a protection that failed or was killed: what was protected before is put in place as it was.

    What stays is reported. With `is_undo` it was `undo` that was killed, and is finished.
    """
    earlier = old.ours if old else dict[str, Kept]()
    # The place of backups that was begun is taken back even where another one is put in place again.
    begun_parts = {name: one for name, one in begun.parts.items() if name not in earlier or name == BACKUPS}
    taking = Taking(ports, begun_parts, is_undo=is_undo)
    for name in begun.parts:
        # Limits that somebody has changed since were only put in force again.
        if name in earlier and begun.parts[name].is_ours:
            _put_again(ports, name, earlier[name], taking)
    for sentence in taking.stays:
        report(f"{sentence[0].upper()}{sentence[1:]}")
    settle(ports, taking, old)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Undo a protection that was killed. What it did on another machine stays recorded there."""
    begun, old = from_document(record["begun"]), record["old"] and from_document(record["old"])
    if (begun.machine, begun.account) == (ports.here.name, ports.here.account):
        report("The protection was interrupted; it is taken back now.")
        put_back(ports, begun, old, report, is_undo=record["is_undo"])
        return
    report(f"The protection was interrupted on {begun.machine}. As {begun.account} there, type: qfc protect --undo")
    limits = {name: one for name, one in begun.ours.items() if name == LIMITS}
    Taking(ports, limits, is_undo=False)
    journal.clear(ports.records)


def _put_again(ports: Ports, name: str, kept: Kept, taking: Taking) -> None:
    try:
        put(part_of(name, kept.wanted), held(ports), Options(yes=True))
    except QfcError as error:
        taking.errors.append(f"{CALLED[name]}: {error.message}")


def _backwards(parts: Mapping[str, Kept]) -> Iterator[tuple[str, Kept]]:
    for name in reversed(NAMES):
        if name in parts:
            yield name, parts[name]


def require_same_account(ports: Ports, protection: Protection | None) -> None:
    """Refuse to change what another account protected: nobody else sees its crontab and its units."""
    if protection is not None and protection.account != ports.here.account:
        raise RefusedError(
            f"{protection.account} protected {ports.name}, with a crontab and units of their own.",
            hint=f"Type it as {protection.account}.",
        )
