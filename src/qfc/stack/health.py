"""From observations to a verdict, with reasons. Pure.

The worst observation decides: down, then degraded, then unknown, then ok. Something that could not be observed is never
ok.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .findings import Finding, Severity, clear, problem, unknown
from .model import Disk, Health, QueueDepth, Service, ServiceState

#: Without these services nothing works at all; without another one, only some things fail.
VITAL = frozenset({"app", "db", "nginx"})
#: A job that waits longer than this, in seconds, is reported.
LONG_WAIT_S = 15 * 60
#: Below both of these, the disk is nearly full.
LOW_DISK_BYTES, LOW_DISK_SHARE = 2 * 1000**3, 0.05
#: Below this, nothing more can be stored.
FULL_DISK_BYTES = 100 * 1000**2


def judge(
    services: Sequence[Service], queue: QueueDepth | None, disk: Disk | None, interrupted: str | None = None
) -> tuple[Finding, ...]:
    """Judge a stack by its observations; None means not observed. `interrupted` names an interrupted operation."""
    lasting = [service for service in services if not service.is_task]
    if lasting and all(service.state in (ServiceState.STOPPED, ServiceState.MISSING) for service in lasting):
        stopped = problem("stack", Severity.CRITICAL, "The stack is not running. Type: qfc up")
        return (of_interrupted(interrupted), stopped) if interrupted else (stopped,)
    return (of_interrupted(interrupted), *map(of_service, services), of_queue(queue), of_disk(disk))


def reasons(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the reasons why a stack is not ok, one sentence each."""
    return tuple(one.evidence for one in findings if not one.is_well)


def of_interrupted(operation: str | None) -> Finding:
    """Judge an operation that was interrupted and has not been resumed."""
    if operation is None:
        return clear("interrupted")
    sentence = f"{operation} was interrupted; the next change finishes or undoes it."
    return problem("interrupted", Severity.WARNING, sentence)


def of_service(service: Service) -> Finding:
    """Judge one service."""
    if service.is_task:
        return _of_task(service)
    severity = Severity.CRITICAL if service.name in VITAL else Severity.WARNING
    match service.state:
        case ServiceState.UNKNOWN:
            return unknown(service.name, f"The state of {service.name} cannot be read.")
        case ServiceState.MISSING | ServiceState.STOPPED:
            return problem(service.name, severity, _stopped(service))
        case ServiceState.RESTARTING:
            return problem(service.name, severity, f"{service.name} keeps restarting{_exit_code(service)}.")
        case ServiceState.RUNNING:
            return _of_running(service)


def _of_running(service: Service) -> Finding:
    if service.running < service.wanted:
        return problem(
            service.name, Severity.WARNING, f"{service.running} of {service.wanted} {service.name} are running."
        )
    if service.health is Health.UNHEALTHY:
        return problem(service.name, Severity.WARNING, f"{service.name} is running, but its health check fails.")
    if service.health is Health.UNKNOWN:
        return unknown(service.name, f"{service.name} is running, but its health check has not answered yet.")
    return clear(service.name, f"{service.running} of {service.wanted} are running")


def _of_task(service: Service) -> Finding:
    """Judge a service that does its work once: it may be done, or never have been started."""
    failed = service.state is ServiceState.STOPPED and any(instance.exit_code for instance in service.instances)
    if failed and service.has_result:
        return clear(service.name, "its result exists")
    if failed or service.state is ServiceState.RESTARTING:
        return problem(service.name, Severity.WARNING, f"{service.name} did not finish its work{_exit_code(service)}.")
    return clear(service.name, "work finished")


def _stopped(service: Service) -> str:
    if service.wanted == 0:
        return f"{service.name} is scaled to 0: jobs wait."
    return f"{service.name} is {service.state}{_exit_code(service)}."


def _exit_code(service: Service) -> str:
    codes = {instance.exit_code for instance in service.instances if instance.exit_code is not None}
    if not codes:
        return ""
    return ", ended by a signal" if codes == {-1} else f", exit code {max(codes)}"


def of_queue(queue: QueueDepth | None) -> Finding:
    """Judge how long jobs wait."""
    if queue is None:
        return unknown("queue", "The queue cannot be read.")
    if queue.oldest_pending_s > LONG_WAIT_S:
        minutes = int(queue.oldest_pending_s // 60)
        return problem("queue", Severity.WARNING, f"The oldest job has waited {minutes} minutes; see: qfc sync queue")
    return clear("queue", f"{queue.pending} waiting")


def of_disk(disk: Disk | None) -> Finding:
    """Judge the free space."""
    if disk is None:
        return unknown("disk", "The disk cannot be read.")
    free = f"{disk.free_bytes / 1000**3:.1f} GB free"
    if disk.free_bytes < FULL_DISK_BYTES:
        return problem("disk", Severity.CRITICAL, f"The disk is full: {free}.")
    if disk.free_bytes < LOW_DISK_BYTES and disk.free_bytes < LOW_DISK_SHARE * disk.total_bytes:
        return problem("disk", Severity.WARNING, f"The disk is nearly full: {free}.")
    return clear("disk", free)
