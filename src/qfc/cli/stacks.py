"""`qfc stacks`: the configured stacks."""

from __future__ import annotations

import click

from .. import wiring
from ..operations.stacks import Stacks, stacks
from .output import Writer
from .session import Session, pass_session


@click.command("stacks")
@pass_session
def command(session: Session) -> None:
    """List the configured stacks."""
    result = stacks(session.config, wiring.wire)
    names = "\n".join(line.name for line in result.stacks)
    session.writer.result(result, lambda writer: _write(writer, result), quiet=names)


def _write(writer: Writer, result: Stacks) -> None:
    if not result.stacks:
        writer.line(f"No stack is configured in {result.config}. Type: qfc init, or qfc demo")
        return
    rows = [
        (f"{line.name}{' *' if line.default else ''}", line.kind, line.state, line.verdict, line.url, line.folder)
        for line in result.stacks
    ]
    writer.table(("STACK", "KIND", "STATE", "VERDICT", "URL", "FOLDER"), rows, folded=(4, 5))
    for line in result.stacks:
        if line.detail:
            writer.line(f"{line.name}: {line.detail}")
