"""From observations to a verdict, with reasons. Pure.

The worst observation decides: down, then degraded, then unknown, then ok. What could not be looked at is never ok.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .model import Disk, Health, QueueDepth, Service, ServiceState, Verdict

#: Without these nothing works at all; without any other service something does not.
VITAL = frozenset({"app", "db", "nginx"})
#: A job that waits longer than that, in seconds, is worth a look.
LONG_WAIT_S = 15 * 60
#: Below both of these the disk is short.
LOW_DISK_BYTES, LOW_DISK_SHARE = 2 * 1000**3, 0.05
#: Below this nothing can be stored any more.
FULL_DISK_BYTES = 100 * 1000**2

ORDER = (Verdict.OK, Verdict.UNKNOWN, Verdict.DEGRADED, Verdict.DOWN)


@dataclass(frozen=True)
class Finding:
    """One observation and what it means; ok needs no reason."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """How the stack is, and why it is not ok."""

    verdict: Verdict
    reasons: tuple[str, ...]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; that nothing was looked at is unknown."""
    return max(verdicts, key=ORDER.index, default=Verdict.UNKNOWN)


def judge(
    services: Sequence[Service], queue: QueueDepth | None, disk: Disk | None, interrupted: str | None = None
) -> Judgement:
    """Judge a stack by what was seen of it; None is what could not be seen. `interrupted` names an operation."""
    lasting = [service for service in services if not service.is_task]
    if lasting and all(service.state in (ServiceState.STOPPED, ServiceState.MISSING) for service in lasting):
        return Judgement(Verdict.DOWN, ("The stack is not running.",))
    findings = [of_interrupted(interrupted), *map(of_service, services), of_queue(queue), of_disk(disk)]
    return Judgement(worst(one.verdict for one in findings), tuple(one.reason for one in findings if one.reason))


def of_interrupted(operation: str | None) -> Finding:
    """Judge an operation that was interrupted and that nobody is at work on."""
    if operation is None:
        return Finding(Verdict.OK)
    return Finding(Verdict.DEGRADED, f"{operation} was interrupted; the next change finishes or undoes it.")


def of_service(service: Service) -> Finding:
    """Judge one service."""
    if service.is_task:
        return _of_task(service)
    bad = Verdict.DOWN if service.name in VITAL else Verdict.DEGRADED
    match service.state:
        case ServiceState.UNKNOWN:
            return Finding(Verdict.UNKNOWN, f"{service.name}: its state cannot be told.")
        case ServiceState.MISSING | ServiceState.STOPPED:
            return Finding(bad, _stopped(service))
        case ServiceState.RESTARTING:
            return Finding(bad, f"{service.name} ends and is started again and again{_exit_code(service)}.")
        case ServiceState.RUNNING:
            return _of_running(service)


def _of_running(service: Service) -> Finding:
    if service.running < service.wanted:
        return Finding(Verdict.DEGRADED, f"{service.running} of {service.wanted} {service.name} run.")
    if service.health is Health.UNHEALTHY:
        return Finding(Verdict.DEGRADED, f"{service.name} runs, but its own check fails.")
    if service.health is Health.UNKNOWN:
        return Finding(Verdict.UNKNOWN, f"{service.name} runs; its own check cannot be told.")
    return Finding(Verdict.OK)


def _of_task(service: Service) -> Finding:
    """Judge what does its work once: it may be done, or never have been asked for."""
    failed = service.state is ServiceState.STOPPED and any(instance.exit_code for instance in service.instances)
    if failed or service.state is ServiceState.RESTARTING:
        return Finding(Verdict.DEGRADED, f"{service.name} did not do its work{_exit_code(service)}.")
    return Finding(Verdict.OK)


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
        return Finding(Verdict.UNKNOWN, "The queue cannot be read.")
    if queue.oldest_pending_s > LONG_WAIT_S:
        minutes = int(queue.oldest_pending_s // 60)
        return Finding(Verdict.DEGRADED, f"The oldest job has waited {minutes} minutes; see: qfc sync queue")
    return Finding(Verdict.OK)


def of_disk(disk: Disk | None) -> Finding:
    """Judge the space that is left."""
    if disk is None:
        return Finding(Verdict.UNKNOWN, "The disk cannot be read.")
    free = f"{disk.free_bytes / 1000**3:.1f} GB"
    if disk.free_bytes < FULL_DISK_BYTES:
        return Finding(Verdict.DOWN, f"The disk is full: {free} free.")
    if disk.free_bytes < LOW_DISK_BYTES and disk.free_bytes < LOW_DISK_SHARE * disk.total_bytes:
        return Finding(Verdict.DEGRADED, f"The disk is nearly full: {free} free.")
    return Finding(Verdict.OK)
