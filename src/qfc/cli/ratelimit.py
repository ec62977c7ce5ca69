"""`qfc ratelimit`: limit how often projects are synchronised."""

from __future__ import annotations

import click

from ..config import RateLimitConfig
from ..operations.logs import span
from ..operations.ratelimit import (
    RateLimitChanged,
    RateLimitStatus,
    RefusedProject,
    ratelimit_disable,
    ratelimit_enable,
    ratelimit_status,
    ratelimit_throttle,
    ratelimit_unthrottle,
)
from . import complete
from .output import Writer, time_text
from .session import Session, pass_session


@click.group("ratelimit")
def command() -> None:
    """Limit how often projects are synchronised. Devices keep what is refused, and send it again."""


@command.command("status")
@pass_session
def status_command(session: Session) -> None:
    """Show the limits, and what was refused in the last 24 hours, by project."""
    result = ratelimit_status(session.ports)
    session.writer.result(result, lambda writer: _write(writer, result), quiet="on" if result.enabled else "off")


@command.command("enable")
@pass_session
def enable_command(session: Session) -> None:
    """Limit all projects, by the numbers of [ratelimit] in the configuration: 10 and 5 a minute by default."""
    config = session.config.table(RateLimitConfig)
    result = ratelimit_enable(
        session.ports,
        session.options,
        all_per_minute=config.all_per_minute,
        project_per_minute=config.project_per_minute,
    )
    _write_changed(session, result)


@command.command("disable")
@pass_session
def disable_command(session: Session) -> None:
    """End all limits, also those of single projects."""
    _write_changed(session, ratelimit_disable(session.ports, session.options))


@command.command("throttle")
@click.argument("project", shell_complete=complete.projects)
@click.option("--rate", default="1/min", show_default=True, metavar="N/min", help="Synchronisations a minute.")
@click.option("--for", "lasting", metavar="SPAN", help="How long: 90s, 15m, 2h, 3d. Without it, until unthrottle.")
@pass_session
def throttle_command(session: Session, project: str, rate: str, lasting: str | None) -> None:
    """Give PROJECT, an id or OWNER/NAME, a limit of its own on top of the others."""
    duration = span(lasting) if lasting else None
    _write_changed(session, ratelimit_throttle(session.ports, project, session.options, rate=rate, lasting=duration))


@command.command("unthrottle")
@click.argument("project", shell_complete=complete.projects)
@pass_session
def unthrottle_command(session: Session, project: str) -> None:
    """Take the own limit of PROJECT back."""
    _write_changed(session, ratelimit_unthrottle(session.ports, project, session.options))


def _write(writer: Writer, result: RateLimitStatus) -> None:
    for what, number in (("All projects", result.all_per_minute), ("Each project", result.project_per_minute)):
        writer.line(f"{what}: {f'{number} synchronisations a minute' if number else 'no limit'}")
    if not result.in_force:
        writer.line("nginx has not loaded the limits: its container was recreated. Type: qfc doctor --fix")
    if result.throttled:
        rows = [(one.project or one.project_id, one.per_minute, time_text(one.until)) for one in result.throttled]
        writer.table(("THROTTLED", "A MINUTE", "UNTIL"), rows, right=(1,), folded=(0,))
    if not result.refused:
        writer.line(f"Nothing was refused in the last {result.hours:.0f} hours.")
        return
    writer.line(f"Refused in the last {result.hours:.0f} hours:")
    refused = [(_name(one), one.refused, time_text(one.last_at)) for one in result.refused]
    writer.table(("PROJECT", "REFUSED", "LAST"), refused, right=(1,), folded=(0,))


def _name(one: RefusedProject) -> str:
    return one.project or one.project_id or "jobs of any project"


def _write_changed(session: Session, result: RateLimitChanged) -> None:
    def human(writer: Writer) -> None:
        if result.dry_run:
            writer.plan(result.steps)
        else:
            for step in result.steps:
                writer.line(step)

    session.writer.result(result, human, quiet="")
