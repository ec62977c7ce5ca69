"""`qfc services`: restart or recreate services; what they take on the disk."""

from __future__ import annotations

import click

from ..errors import UsageError
from ..operations.services import DiskUsage, ServicesChanged, not_for_this_kind, services_disk, services_restart
from .output import Writer, bytes_text
from .session import Session, pass_session
from .status import service_document, write_services


@click.group("services")
def command() -> None:
    """Restart or recreate services; what they take on the disk."""


def _change(session: Session, verb: str, names: tuple[str, ...], everything: bool, now: bool) -> None:
    if bool(names) == everything:
        raise UsageError("Say which services: --service NAME, or --all.", hint=f"See: qfc services {verb} --help")
    result = services_restart(session.ports, names, session.options, command=verb, now=now)
    document = {
        "names": result.names,
        "steps": result.steps,
        "dry_run": result.dry_run,
        "services": [service_document(service) for service in result.services],
    }
    session.writer.result(document, lambda writer: _write_changed(writer, result), quiet="")


@command.command("restart")
@click.option("--service", "names", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="All services.")
@click.option("--now", is_flag=True, help="Do not wait for jobs; they are taken up again.")
@pass_session
def restart_command(session: Session, names: tuple[str, ...], everything: bool, now: bool) -> None:
    """Stop services and start them again; workers finish their jobs first."""
    _change(session, "restart", names, everything, now)


@command.command("recreate")
@click.option("--service", "names", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="All services, and what supervises them.")
@click.option("--now", is_flag=True, help="Do not wait for jobs; they are taken up again.")
@pass_session
def recreate_command(session: Session, names: tuple[str, ...], everything: bool, now: bool) -> None:
    """Make services anew from the configuration and the installed release."""
    _change(session, "recreate", names, everything, now)


@command.command("disk")
@pass_session
def disk_command(session: Session) -> None:
    """What the parts of the stack take on the disk, and what is left."""
    result = services_disk(session.ports)
    document = {
        "stack": result.stack,
        "folder": result.folder,
        "parts": [{"name": name, "bytes": size} for name, size in result.parts],
        "disk": result.disk,
    }
    session.writer.result(document, lambda writer: _write_disk(writer, result), quiet=str(result.disk.free_bytes))


@command.command("rebuild")
@click.option("--service", "names", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="All services.")
@pass_session
def rebuild_command(session: Session, names: tuple[str, ...], everything: bool) -> None:  # noqa: ARG001 - no kind yet
    """Build images anew (stacks of containers)."""
    raise not_for_this_kind(session.ports, "rebuild")


@command.command("prune")
@pass_session
def prune_command(session: Session) -> None:
    """Remove images that nothing needs (stacks of containers)."""
    raise not_for_this_kind(session.ports, "prune")


def _write_changed(writer: Writer, result: ServicesChanged) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
    else:
        write_services(writer, result.services)


def _write_disk(writer: Writer, result: DiskUsage) -> None:
    writer.line(f"{result.stack}, {result.folder}")
    writer.table(("PART", "SIZE"), [(name, bytes_text(size)) for name, size in result.parts], right=(1,))
    writer.line(f"Disk: {bytes_text(result.disk.free_bytes)} free of {bytes_text(result.disk.total_bytes)}")
