"""`qfc db restore|reapply`: put a backup, or one project of it, in the place of what is there."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from ..operations.backup.lost import AppliedAgain, apply_again
from ..operations.backup.restore import Restored, db_restore
from ..operations.backup.restore_plan import words
from ..operations.backup.restore_project import ProjectRestored, db_restore_project
from ..operations.queue_change import count
from . import complete
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import paragraph


@click.command("restore")
@click.option(
    "--to",
    "wanted",
    metavar="BACKUP|TIME",
    shell_complete=complete.backups,
    help="A backup's id, or a time; without it, the newest backup.",
)
@click.option(
    "--project",
    metavar="ID|OWNER/NAME",
    shell_complete=complete.projects,
    help="Only this project, of an embedded stack; the others stay as they are.",
)
@click.option("--database-only", is_flag=True, help="Leave files and settings as they are.")
@click.option(
    "--into", metavar="STACK", shell_complete=complete.stacks, help="Restore into another configured stack instead."
)
@click.option("--no-safety-set", is_flag=True, help="Do not back up the present state first; needed if it is damaged.")
@pass_session
def restore_command(
    session: Session,
    wanted: str | None,
    project: str | None,
    database_only: bool,
    into: str | None,
    no_safety_set: bool,
) -> None:
    """Replace the stack's data by those of a backup, after a question that says what is replaced by what.

    Whatever fails or is killed, what was there is there again.
    """
    if project is not None:
        if database_only or into:
            raise UsageError("--project excludes --database-only and --into.", hint="Give only one of them.")
        one = db_restore_project(session.ports, wanted, project, session.options, safety=not no_safety_set)
        session.writer.result(one, lambda writer: _write_project(writer, one), quiet=one.backup)
        return
    other = session.other(into) if into else None
    result = db_restore(
        session.ports, wanted, session.options, into=other, database_only=database_only, safety=not no_safety_set
    )
    session.writer.result(result, lambda writer: _write_restored(writer, result), quiet=result.backup)


@click.command("reapply")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def reapply_command(session: Session, file: Path) -> int:
    """Send the edits and files that a restore has exported to the server again; each edit is applied once."""
    result = apply_again(session.ports, file, session.options)
    session.writer.result(result, lambda writer: _write_again(writer, result), quiet=str(result.edits))
    return result.exit_code


def _write_restored(writer: Writer, result: Restored) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
    now = "not readable" if result.replaced is None else words(result.replaced)
    writer.line(f"{'Would replace' if result.dry_run else 'Replaced'}: {now}")
    writer.line(f"By {result.backup} of {time_text(result.taken_at)} UTC: {words(result.restored)}")
    for one in result.lost.edits:
        writer.line(f"  newer: {count(one.count, 'edit')} by {one.user} in {one.project}")
    if result.lost.files:
        writer.line(f"  newer: {count(result.lost.files, 'uploaded file')}")
    if result.dry_run:
        return
    writer.line(f"Done in {seconds_text(result.seconds)}; {result.stack} runs again.")
    if result.safety:
        writer.line(f"The state before is {result.safety}; back to it: qfc db restore --to {result.safety}")
    if result.key_created:
        sheet = f"qfc --stack {result.stack} db keys --sheet"
        paragraph(writer, f"A key was created for the safety set. Print its recovery sheet now: {sheet}")
    if result.kept:
        paragraph(writer, f"The previous database is damaged; until the next restore it is kept as {result.kept}.")
    if result.edits_file:
        writer.line(f"Apply what was newer again: qfc db reapply {result.edits_file}")


def _write_project(writer: Writer, result: ProjectRestored) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    now = words(result.replaced) if result.replaced is not None else "it did not exist any more"
    writer.line(f"Replaced: {result.project}: {now}")
    writer.line(f"By {result.backup} of {time_text(result.taken_at)} UTC: {words(result.restored or {})}")
    writer.line(f"Done in {seconds_text(result.seconds)}; other projects were not touched.")
    if result.safety:
        again = f"qfc db restore --to {result.safety} --project {result.project}"
        writer.line(f"The state before is {result.safety}; back to it: {again}")
    if result.key_created:
        paragraph(writer, "A key was created for the safety set. Print its recovery sheet now: qfc db keys --sheet")
    if result.edits_file:
        writer.line(f"Apply what was newer again: qfc db reapply {result.edits_file}")


def _write_again(writer: Writer, result: AppliedAgain) -> None:
    if result.dry_run:
        writer.line("Nothing was sent.")
        return
    writer.line(f"{count(result.edits, 'edit')} and {count(result.files, 'file')} sent. See: qfc deltas list")
    for one in result.left:
        paragraph(writer, f"Left: {one.what}: {one.why}.")
