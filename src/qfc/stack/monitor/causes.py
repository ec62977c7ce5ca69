"""Which problem explains which others: what depends on something broken is neither repaired nor reported."""

from __future__ import annotations

from collections.abc import Container, Mapping

from .own import CRASH_LOOP, INTERRUPTED, UNSEEN

_DATABASE = ("A11", "D12-away", UNSEEN)
_SERVING = ("A11", "D12-away", "A15", "C02-down", CRASH_LOOP, UNSEEN)
#: The problems that explain one, the deepest cause first.
CAUSES: Mapping[str, tuple[str, ...]] = {
    "A11": (CRASH_LOOP,),
    "C02-down": (CRASH_LOOP,),
    "A11-cache": (CRASH_LOOP,),
    "D12-away": ("A11", UNSEEN),
    "A13": _DATABASE,
    "A13-new": _DATABASE,
    "A17": (*_SERVING, "A11-cache", "C01"),
    "A11-other": ("A11", "D12-away", "C02-down", CRASH_LOOP),
    "C01": ("C02-down", UNSEEN),
    "B14-nginx": ("A11",),
    "D11": ("D12-away", "A11", CRASH_LOOP, INTERRUPTED),
    "D11-few": ("D12-away", "A11", "D11", CRASH_LOOP, INTERRUPTED),
    "D12": ("D12-away", "A11", "D11", "D11-few"),
    "D07": ("D12-away", "A11", "D11"),
    "D08": ("D12-away", "A11", "D11"),
    "D08-cron": ("D12-away", "A11"),
    "D11-wait": ("D12-away", "A11", "D11", "D11-few", "D12", "D07", "D08"),
    "A03": ("A11", "A17", "B14-nginx"),
    "failure-rate": ("A11", "D12-away", "A15", "C01", "C02-down", "D02"),
    "tunnel": ("A11", UNSEEN),
    "E09": ("A11", "D12-away", "C01", "C02-down", "D02"),
}


def cause_of(id: str, problems: Container[str]) -> str | None:
    """Return the problem among these that explains another; None if none does."""
    return next((one for one in CAUSES.get(id, ()) if one in problems), None)


def effects_of(cause: str) -> tuple[str, ...]:
    """Return the problems that a cause may explain."""
    return tuple(id for id, causes in CAUSES.items() if cause in causes)
