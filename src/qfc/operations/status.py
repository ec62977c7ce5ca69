"""The status of a stack at a glance: services, queue, disk, and a verdict with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import NotRunningError, QfcError
from ..stack import drains
from ..stack.findings import Finding, Severity, problem, worst
from ..stack.forecast import DiskSample
from ..stack.health import judge, reasons
from ..stack.model import Disk, Kind, QueueDepth, Service, ServiceState, Verdict
from ..stack.transfer import moved

if TYPE_CHECKING:
    from ..stack.ports import Ports

WORKER = "worker_wrapper"
#: The record of a protection.
PROTECTED = "protect.json"


@dataclass(frozen=True)
class Status:
    """A stack at one moment. None means unreadable; `url` is None before the first start."""

    stack: str
    kind: Kind
    verdict: Verdict
    reasons: tuple[str, ...]
    services: tuple[Service, ...]
    queue: QueueDepth | None
    disk: Disk | None
    url: str | None


def status(ports: Ports) -> Status:
    """Return the status; queue and address are read while the processes are being measured."""
    with ThreadPoolExecutor(2) as background:
        pending, address = background.submit(_queue, ports), background.submit(_url, ports)
        services = ports.runtime.services()
        disk = _disk(ports)
        queue, url = pending.result(), address.result()
    if disk is not None:
        note_disks(ports)
    judged = judge(services, queue, disk, ports.interrupted())
    findings = (*_with_purpose(ports, services, judged), *_of_monitor(ports), *_of_protection(ports))
    return Status(ports.name, ports.kind, worst(findings), reasons(findings), services, queue, disk, url)


def note_disks(ports: Ports) -> tuple[Disk, ...]:
    """Record the free space of each disk for the forecast; return the disks."""
    disks = ports.runtime.disks()
    for disk in disks:
        ports.disk_history.add(DiskSample(ports.clock.now(), disk.free_bytes, disk.total_bytes, disk.name))
    return disks


def is_running(services: Sequence[Service]) -> bool:
    """Return whether any service runs."""
    return any(service.state in (ServiceState.RUNNING, ServiceState.RESTARTING) for service in services)


def require_running(ports: Ports) -> None:
    """Raise NotRunningError for a stack of which nothing runs."""
    if not is_running(ports.runtime.services()):
        raise NotRunningError(f"{ports.name} is not running.", hint="Type: qfc up")


def _with_purpose(ports: Ports, services: Sequence[Service], judged: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings with why workers are stopped on purpose, or that a server that was moved away works on."""
    working = any(one.running for one in services if one.name == WORKER)
    away, running = moved.read(ports.records), is_running(services)
    if away is not None:
        return (*(judged if running else ()), _of_moved(away, running=running, working=working))
    drain = drains.read(ports.records) if running and not working else None
    return (*judged, problem("drained", Severity.WARNING, drain.sentence)) if drain else judged


def _of_moved(away: moved.Moved, *, running: bool, working: bool) -> Finding:
    """Return the finding about a server that was moved away. If it works, people may work on two."""
    if working:
        return problem("moved", Severity.CRITICAL, away.sentence_of_running)
    severity = Severity.WARNING if running else Severity.CRITICAL
    return problem("moved", severity, f"{away.sentence} {moved.TAKE_BACK}")


def _of_monitor(ports: Ports) -> tuple[Finding, ...]:
    """Return the finding about the stack's monitor, if it has ever had one."""
    beat = ports.monitoring.beat()
    if beat is None:
        return ()
    from ..stack.beats import judged

    return (judged(beat, ports.clock.now()),)


def _of_protection(ports: Ports) -> tuple[Finding, ...]:
    """Return the finding about what `qfc protect` put on this machine and is gone; an unreadable note says nothing."""
    try:
        document = ports.own_records.read(PROTECTED)
        if not document:
            return ()
        from ..stack.protection import from_document, gone

        clauses = gone(ports, from_document(document), cheap=True).values()
    except QfcError:
        return ()
    sentence = f"It was protected, but {', '.join(clauses)}. Type: qfc protect"
    return (problem("protection", Severity.WARNING, sentence),) if clauses else ()


def _queue(ports: Ports) -> QueueDepth | None:
    try:
        return ports.workload.depth()
    except QfcError:
        return None


def _disk(ports: Ports) -> Disk | None:
    try:
        return ports.runtime.disk()
    except QfcError:
        return None


def _url(ports: Ports) -> str | None:
    try:
        return ports.api.url
    except QfcError:
        return None
