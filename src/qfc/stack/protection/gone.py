"""What of a protection is not there any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .parts import BACKUPS, LIMITS, MONITOR, NAMES, SCHEDULE, Part, part_of

if TYPE_CHECKING:
    from ..ports import Ports
    from .record import Protection

#: Parts of the operator's machine, which cost next to nothing to look at.
CHEAP = (MONITOR, SCHEDULE)
_GONE = {
    MONITOR: "nothing starts its monitor",
    SCHEDULE: "nothing starts its maintenance",
    LIMITS: "synchronisations are not limited",
    BACKUPS: "its backups have no key, or no place",
}


def gone(ports: Ports, protection: Protection, *, cheap: bool = False) -> Mapping[str, str]:
    """Return a clause for each part that is gone, by its name. Raises QfcError where nobody can look.

    With `cheap`, only files of this machine are looked at.
    """
    return {part.name: _GONE[part.name] for part in _seen(ports, protection, cheap=cheap) if not part.is_there(ports)}


def _seen(ports: Ports, protection: Protection, *, cheap: bool) -> Iterator[Part]:
    """Yield the parts that this account can look at: a crontab is its owner's alone."""
    for name in NAMES:
        kept = protection.parts.get(name)
        if kept is None or (cheap and name not in CHEAP):
            continue
        if name in CHEAP and protection.account != ports.here.account and _is_of_a_user(kept.wanted):
            continue
        yield part_of(name, kept.wanted)


def _is_of_a_user(wanted: Mapping[str, Any]) -> bool:
    return not (wanted.get("is_system") or wanted["plan"].get("is_system"))
