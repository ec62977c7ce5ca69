"""`qfc lab`: faults that operators meet, made on purpose and undone again."""

from __future__ import annotations

import click

from ..operations.lab import LabChanged, LabList, lab_break, lab_list, lab_mend
from .output import Writer, time_text
from .session import Session, pass_session


@click.group("lab")
def command() -> None:
    """Break a stack of the lab on purpose, to train or to test, and mend it.

    Embedded stacks may be broken; a deployment of containers only where its .env says QFC_LAB=1. Never in production.
    """


@command.command("list")
@pass_session
def list_command(session: Session) -> None:
    """List the faults that can be made, and those that are."""
    result = lab_list(session.ports)
    broken = [one.id for one in result.faults if one.broken_since is not None]
    session.writer.result(result, lambda writer: _write_list(writer, result), quiet="\n".join(broken))


@command.command("break")
@click.argument("fault", metavar="FAULT")
@pass_session
def break_command(session: Session, fault: str) -> None:
    """Make a fault. Then find it: qfc doctor."""
    write_changed(session, lab_break(session.ports, fault, session.options), "broken")


@command.command("mend")
@click.argument("fault", required=False, metavar="[FAULT]")
@pass_session
def mend_command(session: Session, fault: str | None) -> None:
    """Undo a fault, or all of them."""
    write_changed(session, lab_mend(session.ports, fault, session.options), "mended")


def write_changed(session: Session, result: LabChanged, verb: str) -> None:
    """Write what was broken or mended."""
    session.writer.result(result, lambda writer: _write(writer, result, verb), quiet="\n".join(result.changed))


def _write(writer: Writer, result: LabChanged, verb: str) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    writer.line(f"{', '.join(result.changed) or 'Nothing'} {verb}.")
    if result.broken:
        writer.line(f"Broken now: {', '.join(result.broken)}. Find it: qfc doctor; undo it: qfc lab mend")


def _write_list(writer: Writer, result: LabList) -> None:
    rows = [
        (one.id, one.title, ", ".join(one.finds), f"since {time_text(one.broken_since)}" if one.broken_since else "")
        for one in result.faults
        if one.possible
    ]
    writer.table(("FAULT", "WHAT IT IS", "FOUND BY", "BROKEN"), rows, folded=(0, 1, 2))
