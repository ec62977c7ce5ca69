"""`qfc audit`: the audit log of the stack."""

from __future__ import annotations

import click

from ..operations.audit import audit
from ..stack.model import AuditEntry
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session


@click.command("audit")
@click.option("--lines", default=50, show_default=True, type=click.IntRange(1), help="Number of entries to show.")
@pass_session
def command(session: Session, lines: int) -> None:
    """Show what was done to the stack, by whom, and with what result; newest first."""
    entries = audit(session.ports, limit=lines)
    session.writer.result({"entries": entries}, lambda writer: write_audit(writer, entries))


def write_audit(writer: Writer, entries: tuple[AuditEntry, ...]) -> None:
    """Print a table of entries."""
    if not entries:
        writer.line("The audit log is empty.")
        return
    rows = [
        (time_text(one.time), one.who, one.command, one.target, seconds_text(one.seconds), one.result)
        for one in entries
    ]
    writer.table(("TIME (UTC)", "WHO", "COMMAND", "TARGET", "TOOK", "RESULT"), rows, right=(4,), folded=(3, 5))
