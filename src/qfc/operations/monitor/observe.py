"""One look at a stack: who is at work on it, its services, and the checks that are due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ...checks import EVERYTHING, Check, Evidence, examine
from ...errors import LockHeldError, QfcError, UnreachableError
from ...stack.findings import Finding, Result
from ...stack.model import BEGUN, AuditEntry, Holder, Service
from ...stack.monitor import Look, Operation
from ...stack.ports import Ports
from ...stack.redaction import without_secrets
from ..status import is_running

#: The checks of every look: what they share is asked once, services and queue. All others are asked in deep looks.
CHEAP = ("A11", "A11-other", "D12-away", "A17", "D11", "D11-few", "D12", "D07", "D08", "D11-wait", "A15")
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
    ports: Ports, *, elapsed_s: float, deep: bool = False, also: Collection[str] = (), own: Sequence[Finding] = ()
) -> Look:
    """Look at a stack. `also` are checks to ask besides the usual ones, `own` findings about the monitor itself."""
    at = ports.clock.now()
    seen = Evidence(ports, measured=False)
    try:
        operation, interrupted = _operation(ports), ports.interrupted()
        if operation is not None and operation.disturbs:
            return Look(at, elapsed_s, tuple(own), operation=operation)
        services = tuple(seen.services().values())
        stopped = who_stopped(ports, services)
    except QfcError as error:
        return Look(at, elapsed_s, tuple(own), unseen=_clean(error.message))
    if stopped is not None:
        return Look(at, elapsed_s, tuple(own), stopped=stopped, interrupted=interrupted)
    chosen = [check for check in EVERYTHING if deep or check.id in CHEAP or check.id in also]
    findings = tuple(map(_brief, examine(chosen, seen, limit_s=DEEP_S if deep else CHEAP_S)))
    unseen = _blind(ports, findings)
    return Look(at, elapsed_s, (*findings, *own), deep, _restarts(services), operation, interrupted, None, unseen)


def _is_switch(entry: AuditEntry) -> bool:
    return entry.command in ("up", "down") and entry.result != BEGUN


def check(id: str) -> Check:
    """Return the check with this id."""
    return next(one for one in EVERYTHING if one.id == id)


def who_stopped(ports: Ports, services: Sequence[Service]) -> str | None:
    """Return who stopped the stack on purpose, if nothing of it runs; None otherwise."""
    if is_running(services):
        return None
    last = next((one for one in ports.audit.entries(limit=ENTRIES) if _is_switch(one)), None)
    if last is None:
        return "the stack has never been started"
    if last.command == "up" or not last.result.startswith("done"):
        return None
    return f"{last.who} stopped the stack at {last.time:%Y-%m-%d %H:%M:%S} UTC"


def _operation(ports: Ports) -> Operation | None:
    try:
        holder = ports.lock.holder()
    except LockHeldError as error:
        return Operation("Somebody", error.message, ports.clock.now())
    return None if holder is None else _described(holder)


def _described(holder: Holder) -> Operation:
    return Operation(str(holder), holder.reason, holder.since, not holder.reason.startswith(HARMLESS))


def _blind(ports: Ports, findings: Sequence[Finding]) -> str | None:
    """Return why nothing was seen, if no check could look: that is one fault and not many."""
    if not findings or any(one.result is not Result.SKIPPED for one in findings):
        return None
    try:
        ports.runtime.services()
    except UnreachableError as error:
        return _clean(error.message)
    return findings[0].evidence


def _restarts(services: Sequence[Service]) -> dict[str, int]:
    return {one.name: sum(each.restarts or 0 for each in one.instances) for one in services if one.instances}


def _brief(finding: Finding) -> Finding:
    """Return a finding without secrets; one that found nothing without words: it is stored a thousand times a day."""
    if finding.result is Result.CLEAR:
        return replace(finding, evidence="", title="", fix="")
    return replace(finding, evidence=_clean(finding.evidence))


def _clean(text: str) -> str:
    return without_secrets(text)
