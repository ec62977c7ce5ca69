"""Limit how often projects are synchronised, and see what was refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import QfcError, RefusedError, UsageError
from ..stack.ports import Ports
from ..stack.rate_limits import COUNTED, RateLimits, Throttle, parse_rate, sentences
from .guard import Options, guarded
from .project_name import project_id

#: How far back refused requests are counted.
LOOK_BACK = timedelta(hours=24)


@dataclass(frozen=True)
class ThrottledProject:
    """A project with a limit of its own; `project` is OWNER/NAME, None if it no longer exists."""

    project_id: str
    project: str | None
    per_minute: int
    until: datetime | None


@dataclass(frozen=True)
class RefusedProject:
    """What was refused of one project; `project_id` is None for requests that do not name their project."""

    project_id: str | None
    project: str | None
    refused: int
    last_at: datetime | None


@dataclass(frozen=True)
class RateLimitStatus:
    """The limits of a stack, and what they refused. `in_force` is false where nginx has not loaded them."""

    enabled: bool
    in_force: bool
    all_per_minute: int | None
    project_per_minute: int | None
    throttled: tuple[ThrottledProject, ...]
    counted: tuple[str, ...]
    hours: float
    refused: tuple[RefusedProject, ...]


@dataclass(frozen=True)
class RateLimitChanged:
    """The limits after a change, or after the planned one."""

    dry_run: bool
    steps: tuple[str, ...]
    all_per_minute: int | None
    project_per_minute: int | None
    throttled: tuple[Throttle, ...]


def ratelimit_status(ports: Ports) -> RateLimitStatus:
    """Return the limits, and what was refused in the last 24 hours."""
    limiter, now = ports.rate_limits, ports.clock.now()
    limits = limiter.wanted().at(now)
    refused = limiter.refused(now - LOOK_BACK)
    names = _names(ports) if refused or limits.throttled else {}
    return RateLimitStatus(
        enabled=not limits.is_empty,
        in_force=limiter.in_force(),
        all_per_minute=limits.all_per_minute,
        project_per_minute=limits.project_per_minute,
        throttled=tuple(
            ThrottledProject(one.project_id, names.get(one.project_id), one.per_minute, one.until)
            for one in limits.throttled
        ),
        counted=COUNTED,
        hours=LOOK_BACK.total_seconds() / 3600,
        refused=tuple(
            RefusedProject(one.project_id, names.get(one.project_id or ""), one.refused, one.last_at) for one in refused
        ),
    )


def ratelimit_enable(
    ports: Ports, options: Options, *, all_per_minute: int | None, project_per_minute: int | None
) -> RateLimitChanged:
    """Limit all projects. Throttled ones stay throttled."""

    def change(limits: RateLimits) -> RateLimits:
        return RateLimits(all_per_minute, project_per_minute, limits.throttled)

    return _change(ports, "ratelimit enable", "", change, options)


def ratelimit_restore(
    ports: Ports, options: Options, *, all_per_minute: int | None, project_per_minute: int | None
) -> RateLimitChanged:
    """Give the limits of all projects earlier numbers, or none. Throttled projects stay throttled."""

    def change(limits: RateLimits) -> RateLimits:
        return RateLimits(all_per_minute, project_per_minute, limits.throttled)

    command = "ratelimit enable" if all_per_minute or project_per_minute else "ratelimit disable"
    return _change(ports, command, "", change, options)


def ratelimit_disable(ports: Ports, options: Options) -> RateLimitChanged:
    """End all limits, also those of single projects."""
    return _change(ports, "ratelimit disable", "", lambda _: RateLimits(), options)


def ratelimit_throttle(
    ports: Ports, project: str, options: Options, *, rate: str, lasting: timedelta | None
) -> RateLimitChanged:
    """Give one project a limit of its own, for a while or until it is taken back. Raises UsageError, NotFoundError."""
    try:
        per_minute = parse_rate(rate)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="Write for example: --rate 1/min") from error
    throttle = Throttle(_id(ports, project), per_minute, ports.clock.now() + lasting if lasting else None)
    return _change(ports, "ratelimit throttle", project, lambda limits: limits.throttle(throttle), options)


def ratelimit_unthrottle(ports: Ports, project: str, options: Options) -> RateLimitChanged:
    """Take the own limit of a project back. Raises RefusedError if it has none."""
    id = _id(ports, project)
    if all(one.project_id != id for one in ports.rate_limits.wanted().throttled):
        raise RefusedError(f"{project} has no limit of its own.", hint="Type: qfc ratelimit status")
    return _change(ports, "ratelimit unthrottle", project, lambda limits: limits.unthrottle(id), options)


def reload_limits(ports: Ports) -> None:
    """Let nginx follow the limits again, if its container was recreated. Where that fails, `rate-limits` reports it."""
    limiter = ports.rate_limits
    with suppress(QfcError):
        if limiter.refusal() is None and not limiter.in_force():
            limiter.apply(limiter.wanted())


def _change(
    ports: Ports, command: str, target: str, change: Callable[[RateLimits], RateLimits], options: Options
) -> RateLimitChanged:
    """Replace the limits by what `change` makes of the present ones, which are read under the lock."""
    limiter = ports.rate_limits
    reason = limiter.refusal()
    if reason is not None:
        raise RefusedError(f"Nothing can be limited: {reason}.", hint="Type: qfc doctor")
    with guarded(ports, command, target=target, options=options) as guard:
        limits = change(limiter.wanted().at(ports.clock.now()))
        if guard.step(" ".join(sentences(limits)) or "End all limits."):
            limiter.apply(limits)
        return RateLimitChanged(
            guard.dry_run, guard.steps, limits.all_per_minute, limits.project_per_minute, limits.throttled
        )


def _id(ports: Ports, project: str) -> str:
    found = project_id(ports, project)
    assert found is not None
    return found


def _names(ports: Ports) -> dict[str, str]:
    return {one.id: f"{one.owner}/{one.name}" for one in ports.directory.projects()}
