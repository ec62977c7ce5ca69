"""What of a protection is not there any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .part import BACKUPS, LIMITS, MONITOR, NAMES, SCHEDULE, Part
from .parts import part_of

if TYPE_CHECKING:
    from ..ports import Ports
    from .record import Kept, Protection

#: Parts of the operator's machine, which cost next to nothing to look at.
CHEAP = (MONITOR, SCHEDULE)
_GONE = {
    MONITOR: "nothing starts its monitor",
    SCHEDULE: "nothing starts its maintenance, or not all of it",
    LIMITS: "synchronisations are not limited",
    BACKUPS: "its backups have no key, or no place",
}


def gone(ports: Ports, protection: Protection, *, cheap: bool = False) -> Mapping[str, str]:
    """Return a clause for each part that is gone, by its name. Raises QfcError where nobody can look.

    Of a part that we put there, all has to be there. With `cheap`, only this machine is looked at.
    """
    seen = _seen(ports, protection, cheap=cheap)
    return {part.name: _GONE[part.name] for part in seen if not works(ports, part, protection.parts[part.name])}


def works(ports: Ports, part: Part, kept: Kept | None) -> bool:
    """Return whether a part works: all of one that we put there, anything of another. Raises QfcError."""
    return part.is_whole(ports) if kept is not None and kept.is_ours else part.is_there(ports)


def is_visible(ports: Ports, protection: Protection, name: str) -> bool:
    """Return whether this account can look at a part: a crontab and units of a user are their owner's alone."""
    kept = protection.parts[name]
    return name not in CHEAP or protection.account == ports.here.account or not _is_of_a_user(kept.wanted)


def _seen(ports: Ports, protection: Protection, *, cheap: bool) -> Iterator[Part]:
    """Yield the parts that this account can look at."""
    for name in NAMES:
        if name in protection.parts and (not cheap or name in CHEAP) and is_visible(ports, protection, name):
            yield part_of(name, protection.parts[name].wanted)


def _is_of_a_user(wanted: Mapping[str, Any]) -> bool:
    return not (wanted.get("is_system") or wanted["plan"].get("is_system"))
