"""`qfc services`: restart, recreate or rebuild services; show what uses disk space, and free it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ..errors import UsageError
from ..operations.services import ServicesChanged, services_rebuild, services_recreate, services_restart
from ..operations.services_disk import DiskUsage, services_disk
from ..operations.services_prune import Pruned, services_prune
from ..stack.forecast import Forecast
from ..stack.retention import KEEP_DEPLOYMENTS
from . import complete
from .output import Writer, bytes_text, time_text
from .session import Session, pass_session
from .status import service_document, write_services

now_option = click.option(
    "--now",
    is_flag=True,
    help="Do not wait for jobs; official workers leave their jobs unfinished.",
)


@click.group("services")
def command() -> None:
    """Restart, recreate or rebuild services; show and free disk space."""


def choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select services."""
    named = click.option(
        "--service",
        "names",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.services,
        help="Only this service; repeatable.",
    )
    return named(click.option("--all", "everything", is_flag=True, help="All services.")(function))


def chosen(verb: str, names: tuple[str, ...], everything: bool) -> tuple[str, ...] | None:
    """Return the selected services, None for all. Raises UsageError unless exactly one of the options is given."""
    if bool(names) == everything:
        raise UsageError(
            "Select the services: either --service NAME or --all.", hint=f"See: qfc services {verb} --help"
        )
    return None if everything else names


@command.command("restart")
@choosing
@now_option
@pass_session
def restart_command(session: Session, names: tuple[str, ...], everything: bool, now: bool) -> None:
    """Stop services and start them again; workers finish their jobs first."""
    wanted = chosen("restart", names, everything)
    write_changed(session, services_restart(session.ports, wanted, session.options, now=now))


@command.command("recreate")
@choosing
@now_option
@pass_session
def recreate_command(session: Session, names: tuple[str, ...], everything: bool, now: bool) -> None:
    """Recreate services from the configuration and the installed release; with --all, their supervisor too."""
    wanted = chosen("recreate", names, everything)
    write_changed(session, services_recreate(session.ports, wanted, session.options, now=now))


@command.command("rebuild")
@choosing
@click.option("--no-cache", "fresh", is_flag=True, help="Build without any cache; takes long.")
@pass_session
def rebuild_command(session: Session, names: tuple[str, ...], everything: bool, fresh: bool) -> None:
    """Rebuild images, then recreate their services (deployments only)."""
    wanted = chosen("rebuild", names, everything)
    write_changed(session, services_rebuild(session.ports, wanted, session.options, fresh=fresh))


@command.command("prune")
@click.option(
    "--keep",
    default=KEEP_DEPLOYMENTS,
    show_default=True,
    type=click.IntRange(1, KEEP_DEPLOYMENTS),
    help="Number of deployments that can still be rolled back.",
)
@pass_session
def prune_command(session: Session, keep: int) -> None:
    """Remove images and stopped containers that this deployment no longer needs (deployments only).

    Volumes, images of other projects and the shared build cache are never touched. Preview with --dry-run.
    """
    result = services_prune(session.ports, session.options, keep=keep)
    session.writer.result(result, lambda writer: _write_pruned(writer, result), quiet=str(result.freed_bytes))


@command.command("disk")
@pass_session
def disk_command(session: Session) -> None:
    """Show what uses disk space, how much is free, and when the disk will be full."""
    result = services_disk(session.ports)
    session.writer.result(result, lambda writer: _write_disk(writer, result), quiet=str(result.disk.free_bytes))


def write_changed(session: Session, result: ServicesChanged) -> None:
    """Write the result of a change of services."""
    document = {
        "names": result.names,
        "steps": result.steps,
        "dry_run": result.dry_run,
        "services": [service_document(service) for service in result.services],
    }

    def human(writer: Writer) -> None:
        if result.dry_run:
            for step in result.steps:
                writer.line(f"Would: {step}")
        else:
            write_services(writer, result.services)

    session.writer.result(document, human, quiet="")


def _write_pruned(writer: Writer, result: Pruned) -> None:
    rows = [("image", ", ".join(one.names) or one.id[7:19], bytes_text(one.bytes)) for one in result.images]
    rows += [("container", name, "") for name in result.containers]
    rows += [("rollback", name, "") for name in result.deployments]
    if not rows:
        writer.line("Nothing to remove.")
        return
    writer.table(("KIND", "NAME", "SIZE"), rows, right=(2,), folded=(1,))
    verb = "Would free" if result.dry_run else "Freed"
    writer.line(f"{verb} about {bytes_text(result.freed_bytes)}; {len(result.kept)} images are kept.")


def _write_disk(writer: Writer, result: DiskUsage) -> None:
    writer.line(f"{result.stack}, {result.folder}")
    rows = [(one.kind, one.name, bytes_text(one.bytes), one.detail) for one in result.parts]
    writer.table(("KIND", "PART", "SIZE", "NOTE"), rows, right=(2,), folded=(3,))
    for disk in result.disks:
        share = disk.free_bytes / max(disk.total_bytes, 1)
        free = f"{bytes_text(disk.free_bytes)} free of {bytes_text(disk.total_bytes)} ({share:.0%})"
        writer.line(f"Disk {disk.name}: {free}. {_expected(disk.forecast)}")


def _expected(expected: Forecast) -> str:
    if expected.bytes_per_day is None:
        return f"Growth: unknown yet ({expected.samples} measurements in {expected.days:.1f} days)"
    sign = "" if expected.bytes_per_day < 0 else "+"
    growth = f"Growth: {sign}{_signed(expected.bytes_per_day)} per day over {expected.days:.1f} days"
    return f"{growth}; full on {time_text(expected.full_at)[:10]}" if expected.full_at else f"{growth}; not filling up"


def _signed(size: float) -> str:
    return f"-{bytes_text(-size)}" if size < 0 else bytes_text(size)
