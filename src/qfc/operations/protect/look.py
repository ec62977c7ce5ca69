"""What of a protection is there, what is gone, and what was never put in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...errors import QfcError
from ...stack.model import Capability
from ...stack.ports import Ports
from ...stack.protection import NAMES, Part, Protection, is_visible, part_of, read, works

LOGS = "logs"


class PartIs(StrEnum):
    """The state of a part: put there by us, by the operator, gone since, never there, left out, or not to be seen."""

    PROTECTED = "protected"
    YOURS = "yours"
    GONE = "gone"
    MISSING = "missing"
    LEFT_OUT = "left out"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PartState:
    """A part, its state, and a sentence about it."""

    name: str
    state: PartIs
    detail: str


@dataclass(frozen=True)
class ProtectionShown:
    """The protection of a stack; `at` and `who` are None for one that was never protected."""

    stack: str
    protected: bool
    at: datetime | None
    who: str | None
    parts: tuple[PartState, ...]


def protection_shown(ports: Ports, parts: Sequence[Part], without: Sequence[str]) -> ProtectionShown:
    """Return the protection. `parts` are what a run of protect would put in place now."""
    kept = read(ports.own_records)
    known = Protection.parts_of(kept)
    found = states(ports, kept, parts, lambda part: works(ports, part, known.get(part.name)), without)
    bad = (PartIs.GONE, PartIs.MISSING, PartIs.UNKNOWN)
    is_whole = kept is not None and not any(one.state in bad for one in found)
    return ProtectionShown(ports.name, is_whole, kept and kept.at, kept and kept.who, found)


def states(
    ports: Ports,
    kept: Protection | None,
    parts: Sequence[Part],
    is_there: Callable[[Part], bool],
    without: Sequence[str],
) -> tuple[PartState, ...]:
    """Return the state of each part, and of the rotation of logs, which needs nothing but the schedule."""
    by_name = {part.name: part for part in parts}
    hidden = {name for name in Protection.parts_of(kept) if kept and not is_visible(ports, kept, name)}
    found = [
        _hidden(name, kept) if kept and name in hidden else _state(name, by_name.get(name), kept, is_there, without)
        for name in NAMES
    ]
    return (*found, PartState(LOGS, PartIs.PROTECTED, _rotation(ports)))


def _state(
    name: str, part: Part | None, kept: Protection | None, is_there: Callable[[Part], bool], without: Sequence[str]
) -> PartState:
    known = kept.parts.get(name) if kept else None
    # What is remembered is what has to be there, whatever would be put in place today.
    part = part_of(name, known.wanted) if known else part
    if part is None or (known is None and name in without):
        return PartState(name, PartIs.LEFT_OUT, "")
    try:
        if not is_there(part):
            return PartState(name, PartIs.GONE if known else PartIs.MISSING, part.sentence)
    except QfcError as error:
        return PartState(name, PartIs.UNKNOWN, error.message)
    return PartState(name, PartIs.PROTECTED if known and known.is_ours else PartIs.YOURS, part.what)


def _hidden(name: str, kept: Protection) -> PartState:
    return PartState(name, PartIs.UNKNOWN, f"only {kept.account} can look: it has a crontab and units of its own")


def _rotation(ports: Ports) -> str:
    by = "Docker limits those of containers, as the Compose files say"
    if not ports.offers(Capability.CONTAINERS):
        by = "the supervisor limits those of processes to 10 MB each"
    return f"{by}; the daily job rotates the audit log"
