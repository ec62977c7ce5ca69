"""`qfc upgrade`: the embedded node to the release of the package that is installed."""

from __future__ import annotations

import click

from ..operations.queue_change import count
from ..operations.upgrade.run import UNCHANGED, Upgraded, upgrade
from .output import Writer, seconds_text
from .session import Session, pass_session
from .tables import paragraph


@click.command("upgrade")
@click.option("--no-safety-set", is_flag=True, help="Do not back up the present state first.")
@pass_session
def command(session: Session, no_safety_set: bool) -> None:
    """Upgrade an embedded stack to the release of the installed package, with rollback.

    Makes and verifies a backup, keeps the database, starts the release where no device reaches it, migrates (also to a
    newer PostgreSQL), and proves that it works. Whatever fails or is killed, everything is as it was.
    """
    result = upgrade(session.ports, session.options, safety=not no_safety_set)
    document = {
        "from": result.before,
        "to": result.after,
        "result": result.result,
        "backup": result.backup,
        "key_created": result.key_created,
        "migrations": result.migrations,
        "steps": result.steps,
        "plan": result.plan,
        "dry_run": result.dry_run,
    }
    session.writer.result(document, lambda writer: _write(writer, result), quiet=result.result)


def _write(writer: Writer, result: Upgraded) -> None:
    if result.dry_run and result.plan:
        writer.plan(result.plan)
    for name in result.migrations or ():
        writer.line(f"  {'would be applied' if result.dry_run else 'applied'}: {name}")
    if result.result == UNCHANGED:
        writer.line(
            f"Would upgrade from {result.before} to {result.after}."
            if result.plan
            else f"The stack has the installed release already: {result.after}."
        )
        return
    seconds = sum(one.seconds for one in result.steps)
    writer.line(
        f"Upgraded from {result.before} to {result.after}, with {count(len(result.migrations or ()), 'migration')}, "
        f"in {seconds_text(seconds)}."
    )
    if result.backup:
        writer.line(f"The state before is {result.backup}; for it, see: qfc db restore --help")
    if result.key_created:
        paragraph(writer, "A key was created for the backup. Print its recovery sheet now: qfc db keys --sheet")
