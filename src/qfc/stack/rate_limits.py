"""Limits on how often projects are synchronised: what an operator wants, how it is written, read and told.

What counts as a synchronisation, and who is exempt, is the same on every kind of stack: `COUNTED`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

ALL, PROJECT = "all", "project"
#: Requests that count, as the documentation lists them. Reads never count, nor do other files.
COUNTED = (
    "POST /api/v1/deltas/PROJECT/",
    "POST /api/v1/deltas/apply/PROJECT/",
    "POST /api/v1/files/PROJECT/NAME.qgs/ (or .qgz)",
    "POST /api/v1/jobs/",
)
MOST_PER_MINUTE = 10_000
_RATE = re.compile(r"(\d+)(?:/(?:m|min|minute))?")


@dataclass(frozen=True)
class Throttle:
    """The own limit of one project, on top of the others; `until` is when it ends by itself."""

    project_id: str
    per_minute: int
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether it has not ended."""
        return self.until is None or self.until > now


@dataclass(frozen=True)
class RateLimits:
    """All limits of a stack. None: no such limit."""

    all_per_minute: int | None = None
    project_per_minute: int | None = None
    throttled: tuple[Throttle, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is limited."""
        return self == RateLimits()

    def throttle(self, wanted: Throttle) -> RateLimits:
        """Return the limits with another limit of one project."""
        return replace(self, throttled=(*self.unthrottle(wanted.project_id).throttled, wanted))

    def unthrottle(self, project_id: str) -> RateLimits:
        """Return the limits without one of the project."""
        return replace(self, throttled=tuple(one for one in self.throttled if one.project_id != project_id))

    def at(self, now: datetime) -> RateLimits:
        """Return the limits without those that have ended."""
        return replace(self, throttled=tuple(one for one in self.throttled if one.holds(now)))


@dataclass(frozen=True)
class RefusedSyncs:
    """How many requests were refused, and when the last one; None where the request does not name its project."""

    project_id: str | None
    refused: int
    last_at: datetime | None


def parse_rate(text: str) -> int:
    """Read `3` or `3/min`. Raises ValueError."""
    found = _RATE.fullmatch(text.strip())
    if found is None or not 1 <= int(found[1]) <= MOST_PER_MINUTE:
        raise ValueError(f"{text!r} is not a rate between 1/min and {MOST_PER_MINUTE}/min")
    return int(found[1])


def to_document(limits: RateLimits) -> list[dict[str, Any]]:
    """Return the limits as JSON knows them: one object with scope, per_minute and until for each."""
    common = [(ALL, limits.all_per_minute), (PROJECT, limits.project_per_minute)]
    rows = [(scope, number, None) for scope, number in common if number is not None]
    rows += [(one.project_id, one.per_minute, one.until) for one in limits.throttled]
    return [
        {"scope": scope, "per_minute": number, "until": until and until.isoformat()} for scope, number, until in rows
    ]


def from_document(document: object) -> RateLimits:
    """Read what `to_document` returns. Raises ValueError."""
    try:
        rows = [_row(one) for one in cast("Sequence[Mapping[str, Any]]", document)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"these are not limits: {error}") from error
    common = {scope: number for scope, number, _ in rows if scope in (ALL, PROJECT)}
    throttled = tuple(Throttle(*row) for row in rows if row[0] not in (ALL, PROJECT))
    return RateLimits(common.get(ALL), common.get(PROJECT), throttled)


def _row(one: Mapping[str, Any]) -> tuple[str, int, datetime | None]:
    until = one.get("until")
    return str(one["scope"]), int(one["per_minute"]), datetime.fromisoformat(until) if until else None


def sentences(limits: RateLimits) -> Iterable[str]:
    """Yield each limit as a sentence."""
    if limits.all_per_minute is not None:
        yield f"All projects together: {limits.all_per_minute} synchronisations a minute."
    if limits.project_per_minute is not None:
        yield f"Each project: {limits.project_per_minute} synchronisations a minute."
    for one in limits.throttled:
        until = f", until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else ""
        yield f"Project {one.project_id}: {one.per_minute} a minute{until}."
