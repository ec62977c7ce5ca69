"""`qfc status`: a stack at a glance."""

from __future__ import annotations

from typing import Any

import click

from ..operations.status import Status, status
from ..stack.model import Disk, Instance, QueueDepth, Service, Verdict
from .output import Writer, brief_text, bytes_text, plain, seconds_text
from .session import Session, pass_session


@click.command("status")
@pass_session
def command(session: Session) -> int:
    """Show services with health, CPU, memory, uptime and restarts; queue and disk. Exit code 1 unless all is well."""
    result = status(session.ports)
    session.writer.result(document(result), lambda writer: write(writer, result), quiet=result.verdict)
    return 0 if result.verdict is Verdict.OK else 1


def document(result: Status) -> dict[str, Any]:
    """Return the status as `--json` prints it."""
    services = [service_document(service) for service in result.services]
    return {**plain(result), "services": services}


def service_document(service: Service) -> dict[str, Any]:
    """Return a service as `--json` prints it."""
    return {**plain(service), "running": service.running}


def write(writer: Writer, result: Status) -> None:
    """Print the status for people."""
    writer.line(f"Stack {result.stack} ({result.kind}) is {writer.paint(result.verdict)}   {result.url or ''}".rstrip())
    for reason in result.reasons:
        writer.line(f"  {reason}")
    writer.line()
    write_services(writer, result.services)
    writer.line()
    writer.line(f"Queue  {_queue(result.queue)}")
    writer.line(f"Disk   {_disk(result.disk)}")


def write_services(writer: Writer, services: tuple[Service, ...]) -> None:
    """Print a table of services with a line for each instance."""
    headers = ("SERVICE", "STATE", "HEALTH", "UP", "PID", "CPU", "MEMORY", "UPTIME", "RESTARTS")
    rows = [row for service in services for row in _rows(service)]
    writer.table(headers, rows, right=(3, 4, 5, 6, 7, 8), folded=(0,), optional=(4,))


def _rows(service: Service) -> list[tuple[object, ...]]:
    count = f"{service.running}/{service.wanted}"
    if len(service.instances) == 1:
        return [(service.name, service.state, service.health, count, *_measures(service.instances[0]))]
    head = (service.name, service.state, service.health, count, "", "", "", "", "")
    return [head, *((f"  {one.id}", one.state, "", "", *_measures(one)) for one in service.instances)]


def _measures(instance: Instance) -> tuple[object, ...]:
    cpu = None if instance.cpu_percent is None else f"{instance.cpu_percent:.0f} %"
    return (instance.pid, cpu, bytes_text(instance.memory_bytes), brief_text(instance.uptime_s), instance.restarts)


def _queue(queue: QueueDepth | None) -> str:
    if queue is None:
        return "cannot be read"
    waited = f"; the oldest has waited {seconds_text(queue.oldest_pending_s)}" if queue.pending else ""
    return f"{queue.pending} pending, {queue.queued} queued, {queue.started} started{waited}"


def _disk(disk: Disk | None) -> str:
    return "cannot be read" if disk is None else f"{bytes_text(disk.free_bytes)} free of {bytes_text(disk.total_bytes)}"
