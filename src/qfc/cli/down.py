"""`qfc down`: stop a stack."""

from __future__ import annotations

import click

from ..operations.down import Down, down
from .output import Writer
from .session import Session, pass_session


@click.command("down")
@click.option(
    "--now",
    is_flag=True,
    help="Do not wait for jobs; official workers leave their jobs unfinished.",
)
@pass_session
def command(session: Session, now: bool) -> None:
    """Stop a stack: workers after their jobs, then the API, then the database. The data stays."""
    result = down(session.ports, session.options, now=now)
    session.writer.result(result, lambda writer: _write(writer, result), quiet="")


def _write(writer: Writer, result: Down) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    writer.line(f"{result.stack} is stopped." if result.was_running else f"{result.stack} was not running.")
