"""`qfc lab`: faults that operators meet, created on purpose and undone again."""

from __future__ import annotations

import click

from ..operations.lab import LabChanged, LabList, lab_break, lab_list, lab_mend
from . import complete
from .output import Writer, time_text
from .session import Session, pass_session


@click.group("lab")
def command() -> None:
    """Break a lab stack on purpose, for training or tests, then repair it.

    Embedded stacks can always be broken, a deployment only if its .env says QFC_LAB=1. Never use this in production.
    """


@command.command("list")
@pass_session
def list_command(session: Session) -> None:
    """List the faults that this stack can have, and those that are active."""
    result = lab_list(session.ports)
    broken = [one.id for one in result.faults if one.broken_since is not None]
    session.writer.result(result, lambda writer: _write_list(writer, result), quiet="\n".join(broken))


@command.command("break")
@click.argument("fault", metavar="FAULT", shell_complete=complete.faults)
@pass_session
def break_command(session: Session, fault: str) -> None:
    """Create a fault. To find it, type: qfc doctor"""
    write_changed(session, lab_break(session.ports, fault, session.options), "broken")


@command.command("mend")
@click.argument("fault", required=False, metavar="[FAULT]", shell_complete=complete.faults)
@pass_session
def mend_command(session: Session, fault: str | None) -> None:
    """Undo a fault, by default all of them."""
    write_changed(session, lab_mend(session.ports, fault, session.options), "repaired")


def write_changed(session: Session, result: LabChanged, verb: str) -> None:
    """Write which faults were created or undone."""
    session.writer.result(result, lambda writer: _write(writer, result, verb), quiet="\n".join(result.changed))


def _write(writer: Writer, result: LabChanged, verb: str) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    writer.line(f"{', '.join(result.changed) or 'Nothing'} {verb}.")
    if result.broken:
        writer.line(f"Active faults: {', '.join(result.broken)}. Find them: qfc doctor. Undo them: qfc lab mend")


def _write_list(writer: Writer, result: LabList) -> None:
    rows = [
        (
            one.id,
            one.title,
            ", ".join(one.finds),
            f"since {time_text(one.broken_since)} UTC" if one.broken_since else "",
        )
        for one in result.faults
        if one.possible
    ]
    writer.table(("FAULT", "DESCRIPTION", "FOUND BY", "ACTIVE"), rows, folded=(1, 2, 3))
