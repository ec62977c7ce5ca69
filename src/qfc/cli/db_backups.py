"""`qfc db backup|list|verify|drill|prune|keys`: backups of a stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ..operations.backup.drill import Drilled, db_drill
from ..operations.backup.keys import Keys, db_keys
from ..operations.backup.listing import SetsList, db_list
from ..operations.backup.make import BackedUp, db_backup
from ..operations.backup.prune import SetsPruned, db_prune
from ..operations.backup.verify import NOT_READ, Verified, VerifiedSets, db_verify
from ..operations.queue_change import count
from . import complete, db_restores
from .output import Writer, bytes_text, seconds_text, time_text
from .session import Session, pass_session
from .tables import paragraph


@click.command("backup")
@pass_session
def backup_command(session: Session) -> int:
    """Make a backup: database, files, configuration and secrets in one consistent set, verified."""
    result = db_backup(session.ports, session.options)
    session.writer.result(result, lambda writer: _write_backup(writer, result), quiet=result.backup)
    return result.exit_code


@click.command("list")
@pass_session
def list_command(session: Session) -> None:
    """List the backups, newest first, with what each is worth."""
    result = db_list(session.ports)
    names = "\n".join(one.backup for one in result.sets)
    session.writer.result(result, lambda writer: _write_list(writer, result), quiet=names)


@click.command("verify")
@click.argument("backup", required=False, shell_complete=complete.backups)
@click.option("--all", "everything", is_flag=True, help="Every backup, not only the newest.")
@click.option("--full", is_flag=True, help="Read every byte now; otherwise a part each time, all within 30 days.")
@pass_session
def verify_command(session: Session, backup: str | None, everything: bool, full: bool) -> int:
    """Verify the newest backup, or the one named BACKUP: nothing is missing or damaged, the dump reads to its end."""
    result = db_verify(session.ports, backup, everything=everything, full=full)
    quiet = "ok" if result.ok else "damaged"
    session.writer.result(result, lambda writer: _write_verified(writer, result), quiet=quiet)
    return result.exit_code


@click.command("prune")
@click.option("--keep-last", type=click.IntRange(1), help="How many of the newest sets are kept.")
@click.option("--keep-daily", type=click.IntRange(0), help="How many days keep their newest set.")
@click.option("--keep-weekly", type=click.IntRange(0), help="How many weeks keep their newest set.")
@click.option("--keep-monthly", type=click.IntRange(0), help="How many months keep their newest set.")
@click.option("--keep-within-days", type=click.IntRange(0), help="Days within which every set is kept.")
@pass_session
def prune_command(session: Session, **given: int | None) -> None:
    """Remove backups that no rule keeps, after a question with the plan. The rules are in [backup], or as options."""
    chosen = {name.removeprefix("keep_"): value for name, value in given.items() if value is not None}
    rules = replace(session.ports.backups.retention, **chosen)
    result = db_prune(session.ports, rules, session.options)
    names = "\n".join(one.id for one in result.removed)
    session.writer.result(result, lambda writer: _write_pruned(writer, result), quiet=names)


@click.command("keys")
@click.option("--sheet", "show", is_flag=True, help="Print the recovery sheet again, with the secret part.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the recovery sheet to a new file instead.")
@click.option("--import", "adopt", type=click.Path(path_type=Path), help="Store the key that is in this file.")
@pass_session
def keys_command(session: Session, show: bool, output: Path | None, adopt: Path | None) -> None:
    """Show the key that backups are encrypted to; create it on first use and print its recovery sheet."""
    result = db_keys(session.ports, session.options, sheet=output, adopt=adopt, show=show)
    session.writer.result(result, lambda writer: _write_keys(writer, result), quiet=result.recipient)


@click.command("drill")
@click.argument("backup", required=False, shell_complete=complete.backups)
@pass_session
def drill_command(session: Session, backup: str | None) -> int:
    """Restore the newest backup, or BACKUP, on trial: into a scratch stack that is started, used and removed."""
    result = db_drill(session.ports, backup, session.options)
    quiet = "ok" if result.ok else "failed"
    session.writer.result(result, lambda writer: _write_drilled(writer, result), quiet=quiet)
    return result.exit_code


COMMANDS = (
    backup_command,
    list_command,
    verify_command,
    db_restores.restore_command,
    db_restores.reapply_command,
    drill_command,
    prune_command,
    keys_command,
)


def _write_backup(writer: Writer, result: BackedUp) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    writer.line(
        f"{result.backup}: {bytes_text(result.database_bytes)} of database, "
        f"{count(result.objects, 'object')} with {bytes_text(result.object_bytes)}, in {seconds_text(result.seconds)}."
    )
    writer.line(f"{bytes_text(result.stored_bytes)} added to {result.path}.")
    for problem in result.problems:
        paragraph(writer, problem)
    for one in result.missing[:20]:
        paragraph(writer, f"Missing: {one.shown}: {one.why}.")
    if result.missing:
        paragraph(writer, f"The set lacks {count(len(result.missing), 'object')} and does not count as a backup.")
    if result.verified:
        writer.line("Verified: nothing is missing, every byte is right, the dump reads to its end.")
    if result.key_created:
        paragraph(writer, "A key was created. Print its recovery sheet now: qfc db keys --sheet")


def _write_list(writer: Writer, result: SetsList) -> None:
    if not result.sets:
        writer.line(f"There is no backup in {result.path}. Type: qfc db backup")
        return
    rows = [
        (one.backup, time_text(one.taken_at), one.worth.value, bytes_text(one.database_bytes), one.objects,
         bytes_text(one.object_bytes), bytes_text(one.added_bytes), seconds_text(one.seconds))
        for one in result.sets
    ]  # fmt: skip
    heads = ("BACKUP", "TIME (UTC)", "STATE", "DATABASE", "OBJECTS", "SIZE", "ADDED", "TOOK")
    # The time is in the name, too.
    writer.table(heads, rows, right=(3, 4, 5, 6, 7), optional=(1, 7, 6))


def _write_verified(writer: Writer, result: VerifiedSets) -> None:
    for one in result.sets:
        writer.line(f"{one.backup}: {_state(one)}; {one.objects} objects there, {one.objects_read} of them read.")
    for problem in result.problems:
        paragraph(writer, problem, indent=2)


def _state(one: Verified) -> str:
    if one.ok:
        return "ok"
    if one.problems == (NOT_READ,):
        return "not read"
    return "damaged" if one.problems else "incomplete"


def _write_pruned(writer: Writer, result: SetsPruned) -> None:
    if not result.removed:
        writer.line(f"Nothing to do: every one of {count(len(result.kept), 'set')} is kept.")
    for one in result.removed:
        writer.line(f"{'Would remove' if result.dry_run else 'Removed'} {one.id}")
    for kept in result.kept:
        writer.line(f"Kept {kept.id}: {', '.join(kept.reasons)}")
    if result.removed and not result.dry_run:
        writer.line(f"{bytes_text(result.freed_bytes)} freed.")


def _write_keys(writer: Writer, result: Keys) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    if result.sheet:
        writer.line(result.sheet)
        return
    writer.line(f"Backups are encrypted to {result.recipient}.")
    if result.sheet_file:
        writer.line(f"The recovery sheet is in {result.sheet_file}; print it and remove the file.")
    elif result.identity_here:
        writer.line("The key that opens them is on this machine. The recovery sheet: qfc db keys --sheet")
    else:
        writer.line("The key that opens them is not on this machine.")


def _write_drilled(writer: Writer, result: Drilled) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    for one in result.assertions:
        paragraph(writer, f"{'ok' if one.ok else 'FAILED'}: {one.name} ({one.detail})")
    if result.ok:
        writer.line(f"A restore of {result.backup} takes {seconds_text(result.restore_seconds)} until people can work.")
    else:
        writer.line(f"{result.backup} cannot be counted on.")
