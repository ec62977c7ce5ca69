"""One look at a stack: who is at work on it, its services, and the checks that are due.

Quick checks are asked at every look. The others take up to a minute on a deployment: they are asked besides, and a
later look takes over what they found.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from threading import Event

from ...checks import EVERYTHING, Check, Evidence, examine
from ...errors import LockHeldError, QfcError, SilentHostError, UnreachableError
from ...stack.findings import Finding, Result
from ...stack.model import BEGUN, AuditEntry, Holder, Service
from ...stack.monitor import Look, Operation
from ...stack.monitor.causes import effects_of
from ...stack.ports import Ports
from ...stack.redaction import without_secrets
from ...stack.transfer import moved
from ..status import is_running, note_disks

#: The checks of every look: what they share is asked once, services and queue. All others are asked in deep looks.
CHEAP = ("A11", "A11-other", "C02-down", "D12-away", "A17", "D11", "D11-few", "D12", "D07", "D08", "D11-wait", "A15")
#: Checks that are asked at once where their service does not run.
OF_SERVICES = {"memcached": "A11-cache", "ofelia": "D08-cron"}
VITAL_DOWN = "A11"
#: Operations that stop no service. While one of them is at work, problems are still seen.
HARMLESS = (
    "db backup",
    "db drill",
    "db verify",
    "db prune",
    "db keys",
    "users",
    "projects export",
    "image save",
    "monitor",
)
#: Seconds for the checks of a look.
CHEAP_S, DEEP_S = 20.0, 60.0
#: Entries of the audit log in which the last start or stop is looked for.
ENTRIES = 50


def look(
    ports: Ports,
    *,
    elapsed_s: float,
    deep: Sequence[Finding] | None = None,
    also: Collection[str] = (),
    own: Sequence[Finding] = (),
) -> Look:
    """Look at a stack. `deep` is what all other checks have just found, if they were asked.

    `also` are checks to ask besides the usual ones, `own` findings about the monitor itself.
    """
    at = ports.clock.now()
    seen = Evidence(ports, measured=False)
    try:
        operation, interrupted = _operation(ports), ports.interrupted()
        if operation is not None and operation.disturbs:
            return Look(at, elapsed_s, tuple(own), operation=operation)
        services = tuple(seen.services().values())
        stopped = who_stopped(ports, services)
    except QfcError as error:
        return unseen(at, elapsed_s, own, error)
    if stopped is not None:
        return Look(at, elapsed_s, tuple(own), stopped=stopped, interrupted=interrupted)
    asked = {*CHEAP, *also, *(id for name, id in OF_SERVICES.items() if _is_down(services, name))}
    if check(VITAL_DOWN).look(seen) is not None:
        # What this explains would only be waited for.
        asked, deep = asked - {*effects_of(VITAL_DOWN)}, None
    findings = tuple(map(_brief, examine([one for one in EVERYTHING if one.id in asked], seen, limit_s=CHEAP_S)))
    blind, is_silent = _blind(ports, findings)
    findings = (*(one for one in deep or () if one.id not in asked), *findings, *own)
    is_deep = deep is not None
    restarts = _restarts(services)
    return Look(at, elapsed_s, findings, is_deep, restarts, operation, interrupted, None, blind, is_silent)


def unseen(at: datetime, elapsed_s: float, own: Sequence[Finding], error: QfcError) -> Look:
    """Return the look that ended with an error."""
    is_silent = isinstance(error, SilentHostError)
    return Look(at, elapsed_s, tuple(own), unseen=_clean(error.message), is_silent=is_silent)


def deep_findings(ports: Ports, abandoned: Event) -> tuple[Finding, ...]:
    """Return what all checks find that are not asked at every look; none begins once `abandoned` is set.

    The space of the disks is measured for the forecast: on a server that nobody looks at, nobody else does.
    """
    with suppress(QfcError):
        note_disks(ports)
    chosen = [one for one in EVERYTHING if one.id not in CHEAP]
    found = examine(chosen, Evidence(ports, measured=False), limit_s=DEEP_S, abandoned=abandoned)
    return tuple(map(_brief, found))


def _is_switch(entry: AuditEntry) -> bool:
    return entry.command in ("up", "down") and entry.result != BEGUN


def check(id: str) -> Check:
    """Return the check with this id."""
    return next(one for one in EVERYTHING if one.id == id)


def who_stopped(ports: Ports, services: Sequence[Service]) -> str | None:
    """Return who stopped the stack on purpose, if nothing of it runs; None otherwise."""
    if is_running(services):
        return None
    away = moved.read(ports.records)
    if away is not None:
        return away.sentence
    last = next((one for one in ports.audit.entries(limit=ENTRIES) if _is_switch(one)), None)
    if last is None:
        return "the stack has never been started"
    if last.command == "up" or not last.result.startswith("done"):
        return None
    return f"{last.who} stopped the stack at {last.time:%Y-%m-%d %H:%M:%S} UTC"


def _is_down(services: Sequence[Service], name: str) -> bool:
    return any(one.name == name and one.wanted and not one.running for one in services)


def _operation(ports: Ports) -> Operation | None:
    try:
        holder = ports.lock.holder()
    except LockHeldError as error:
        return Operation("Somebody", error.message, ports.clock.now())
    return None if holder is None else _described(holder)


def _described(holder: Holder) -> Operation:
    return Operation(str(holder), holder.reason, holder.since, not holder.reason.startswith(HARMLESS))


def _blind(ports: Ports, findings: Sequence[Finding]) -> tuple[str | None, bool]:
    """Return why nothing was seen, if no check could look: that is one fault; and whether the host is silent."""
    if not findings or any(one.result is not Result.SKIPPED for one in findings):
        return None, False
    try:
        ports.runtime.services()
    except UnreachableError as error:
        return _clean(error.message), isinstance(error, SilentHostError)
    return findings[0].evidence, False


def _restarts(services: Sequence[Service]) -> dict[str, int]:
    return {one.name: sum(each.restarts or 0 for each in one.instances) for one in services if one.instances}


def _brief(finding: Finding) -> Finding:
    """Return a finding without secrets; one that found nothing without words: it is stored a thousand times a day."""
    if finding.result is Result.CLEAR:
        return replace(finding, evidence="", title="", fix="")
    return replace(finding, evidence=_clean(finding.evidence))


def _clean(text: str) -> str:
    return without_secrets(text)
