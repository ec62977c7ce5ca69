"""`qfc stacks`: the configured stacks; remove one."""

from __future__ import annotations

import os

import click

from .. import wiring
from ..operations.stacks import Stacks, stacks
from . import complete
from .output import Writer
from .session import Session, pass_session


@click.group("stacks", invoke_without_command=True)
@pass_session
@click.pass_context
def command(context: click.Context, session: Session) -> None:
    """List the configured stacks, or remove one."""
    if context.invoked_subcommand is not None:
        return
    result = stacks(session.config, wiring.wire)
    names = "\n".join(line.name for line in result.stacks)
    session.writer.result(result, lambda writer: write_stacks(writer, result), quiet=names)


@command.command("remove")
@click.argument("name", shell_complete=complete.stacks)
@click.option("--with-data", is_flag=True, help="Also delete its folder: database, files, secrets, logs.")
@pass_session
def remove_command(session: Session, name: str, with_data: bool) -> None:
    """Remove a stack from the configuration. Its data stay where they are, unless --with-data deletes them."""
    from ..operations.stacks_remove import stacks_remove

    result = stacks_remove(name, with_data=with_data, environment=os.environ, wire=wiring.wire, options=session.options)

    def human(writer: Writer) -> None:
        if result.dry_run:
            writer.plan(result.steps)
            return
        data = "its data are deleted" if result.data_deleted else f"its data stay in {result.folder}"
        writer.line(f"{result.stack} is removed from {result.config}; {data}.")

    session.writer.result(result, human, quiet="")


def write_stacks(writer: Writer, result: Stacks) -> None:
    """Print a table of stacks."""
    if not result.stacks:
        writer.line(f"No stack is configured in {result.config}. Type: qfc init, or qfc demo")
        return
    rows = [
        (f"{line.name}{' *' if line.default else ''}", line.kind, line.state, line.verdict, line.url, line.folder)
        for line in result.stacks
    ]
    writer.table(("STACK", "KIND", "STATE", "VERDICT", "URL", "FOLDER"), rows, folded=(5,), optional=(1,))
    for line in result.stacks:
        if line.detail:
            writer.line(f"{line.name}: {line.detail}")
