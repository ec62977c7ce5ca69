"""`qfc transfer`: move a whole server to another host."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from ..errors import NotFoundError, UsageError
from ..operations.backup.keys import identity_in
from ..operations.queue_change import count
from ..operations.transfer.back import transfer_back
from ..operations.transfer.bring import ServerImported, require_key, transfer_import
from ..operations.transfer.export import ServerExported, transfer_export
from ..operations.transfer.replaced import Replaced, told
from ..operations.transfer.run import Transferred, transfer_run
from ..operations.transfer.verify import Compared, transfer_verify, verify_against_set
from ..stack.ports import Ports
from ..stack.transfer.by_hand import Chore
from ..stack.transfer.report import Check
from . import complete
from .output import Writer, bytes_text, seconds_text
from .session import Session, pass_session
from .tables import paragraph

#: How many differences are printed; all are in the answer of --json.
LISTED = 20
FOLDER = click.Path(path_type=Path, file_okay=False)
KEY = click.option(
    "--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), help="File with the key of the sets."
)
REPORT = click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Where the report goes, in Markdown."
)
NO_SAFETY = click.option("--no-safety-set", is_flag=True, help="Do not back up what is replaced.")


@click.group("transfer")
def command() -> None:
    """Move a whole server to another host: accounts, projects, files with their versions, edits and jobs.

    Both run the same release of the same application. The old server stays as it is and can take over again.
    """


@command.command("run")
@click.option("--to", "target", required=True, metavar="STACK", shell_complete=complete.stacks, help="The new server.")
@click.option("--pre-copy", is_flag=True, help="Only copy ahead, while people work; can be repeated.")
@NO_SAFETY
@REPORT
@pass_session
def run_command(session: Session, target: str, pre_copy: bool, no_safety_set: bool, report: Path | None) -> int:
    """Move the stack to another configured stack, whose data are replaced.

    First it copies while people work, then writes are blocked for the last difference. The new server counts once
    every row count and every object is the same and a project of our own has been synchronised. Whatever fails or is
    killed before that, the old server goes on.
    """
    result = transfer_run(
        session.ports, session.other(target), session.options, cut=not pre_copy, safety=not no_safety_set, report=report
    )
    session.writer.result(result, lambda writer: _write_run(writer, result), quiet=result.backup)
    return result.exit_code


@command.command("export")
@click.argument("folder", type=FOLDER)
@click.option("--final", is_flag=True, help="Block writes first, and leave them blocked: the last export of a move.")
@pass_session
def export_command(session: Session, folder: Path, final: bool) -> int:
    """Write a verified set of the stack into FOLDER, for a machine that this one cannot reach.

    Repeat it as often as you like: only what is new is written.
    """
    place = folder.absolute()
    result = transfer_export(session.with_backups_in(place), place, session.options, final=final)
    session.writer.result(result, lambda writer: _write_export(writer, result), quiet=result.backup)
    return result.exit_code


@command.command("import")
@click.argument("folder", type=FOLDER)
@click.option("--backup", metavar="BACKUP", help="A set's id; without it, the newest.")
@KEY
@NO_SAFETY
@REPORT
@pass_session
def import_command(
    session: Session, folder: Path, backup: str | None, key_file: Path | None, no_safety_set: bool, report: Path | None
) -> int:
    """Replace the stack's data by those that `transfer export` wrote into FOLDER, and prove that the server works."""
    with _sets(session, folder, key_file) as sets:
        result = transfer_import(
            session.ports, sets, session.options, backup=backup, safety=not no_safety_set, report=report
        )
    session.writer.result(result, lambda writer: _write_import(writer, result), quiet=result.backup)
    return result.exit_code


@command.command("verify")
@click.argument("folder", type=FOLDER, required=False)
@click.option("--to", "target", metavar="STACK", shell_complete=complete.stacks, help="The server to compare with.")
@click.option("--full", is_flag=True, help="Read every object whose checksum is known.")
@KEY
@pass_session
def verify_command(session: Session, folder: Path | None, target: str | None, full: bool, key_file: Path | None) -> int:
    """Compare the stack with another one (--to), or with the newest set in FOLDER: rows per table, objects."""
    if (folder is None) == (target is None):
        raise UsageError("Name what to compare with: either --to STACK or a FOLDER.")
    if target is not None:
        result = transfer_verify(session.ports, session.other(target), full=full)
    else:
        assert folder is not None
        with _sets(session, folder, key_file) as sets:
            require_key(sets)
            result = verify_against_set(sets, session.ports, None, full=full)
    session.writer.result(
        result, lambda writer: _write_compared(writer, result), quiet="ok" if result.ok else "differs"
    )
    return result.exit_code


@command.command("back")
@pass_session
def back_command(session: Session) -> None:
    """Let the stack take over again after it was moved away: writes are accepted, workers start."""
    result = transfer_back(session.ports, session.options)

    def write(writer: Writer) -> None:
        writer.plan(result.steps if result.dry_run else ())
        if not result.dry_run:
            writer.line(f"{result.stack} accepts writes again. Nobody should use {result.was_moved_to} now.")

    session.writer.result(result, write, quiet=result.stack)


@contextmanager
def _sets(session: Session, folder: Path, key_file: Path | None) -> Generator[Ports]:
    """Give the ports of the stack with the sets of an export."""
    from ..wiring.elsewhere import sets_in

    identity = identity_in(key_file) if key_file else None
    with sets_in(session.ports, _export_in(folder.absolute()), identity) as sets:
        yield sets


def _export_in(folder: Path) -> Path:
    """Return the folder of sets: this one, or the only one in it."""
    if (folder / "sets").is_dir():
        return folder
    found = sorted(path.parent for path in folder.glob("*/sets"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"{folder} has exports of several servers: {names}.", hint=f"Name one: {found[0]}")
    raise NotFoundError(f"{folder} has no export.", hint="On the old machine, type: qfc transfer export FOLDER")


def _write_run(writer: Writer, result: Transferred) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    for number, one in enumerate(result.copies, start=1):
        kind = "last copy" if result.moved and number == len(result.copies) else f"copy {number}"
        writer.line(
            f"{kind}: {count(one.objects, 'object')}, {one.added} new with {bytes_text(one.added_bytes)}, "
            f"in {seconds_text(one.seconds)} ({one.backup})"
        )
    _write_keys(writer, result.keys_created)
    if not result.moved:
        paragraph(writer, f"Copied ahead. When you are ready, move: qfc transfer run --to {result.target}")
        return
    _write_checks(writer, result.checks)
    writer.line(f"{result.source} was moved to {result.target}. Nobody could write for {seconds_text(result.down_s)}.")
    _write_ends(writer, result, result.target)
    _write_left(writer, result.by_hand, result.report)
    writer.line(f"To let the old server take over again: qfc --stack {result.source} transfer back")


def _write_export(writer: Writer, result: ServerExported) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    writer.line(
        f"{result.backup}: {count(result.objects, 'object')} with {bytes_text(result.object_bytes)}, "
        f"{bytes_text(result.added_bytes)} of it new, in {seconds_text(result.seconds)}."
    )
    for one in result.missing[:LISTED]:
        paragraph(writer, f"Missing: {one}.")
    if result.final:
        writer.line("Nobody can write to the server now. To undo that: qfc transfer back")
    else:
        paragraph(writer, "People go on working. To complete the move, export once more with --final.")
    _write_keys(writer, (result.stack,) if result.key_created else ())
    writer.line(f"What to do on the new machine: {result.path}/MOVE.md")


def _write_import(writer: Writer, result: ServerImported) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    _write_checks(writer, result.checks)
    writer.line(f"{result.stack} has everything of {result.backup}, in {seconds_text(result.seconds)}.")
    if result.caution:
        paragraph(writer, result.caution)
    _write_ends(writer, result, result.stack)
    _write_keys(writer, result.keys_created)
    _write_left(writer, result.by_hand, result.report)


def _write_keys(writer: Writer, stacks: tuple[str, ...]) -> None:
    for one in stacks:
        sheet = f"qfc --stack {one} db keys --sheet"
        paragraph(writer, f"A key was created for the sets of {one}. Print its recovery sheet now: {sheet}")


def _write_checks(writer: Writer, checks: tuple[Check, ...]) -> None:
    for one in checks:
        paragraph(writer, f"ok: {one.what} ({one.found})")


def _write_ends(writer: Writer, result: Transferred | ServerImported, stack: str) -> None:
    for one in result.missing[:LISTED]:
        paragraph(writer, f"The old server lacked {one}.")
    for one in told(Replaced(result.safety, result.edits_file, result.kept), stack):
        paragraph(writer, one)


def _write_left(writer: Writer, chores: tuple[Chore, ...], report: Path | None) -> None:
    writer.line()
    writer.line("Still to be done by hand:")
    for number, one in enumerate(chores, start=1):
        paragraph(writer, f"{number}. {one.what}", indent=2)
        for line in one.lines:
            writer.quoted(f"       {line}")
    writer.line()
    writer.line(f"Report: {report}")


def _write_compared(writer: Writer, result: Compared) -> None:
    for one in result.differences[:LISTED]:
        paragraph(writer, one)
    if len(result.differences) > LISTED:
        writer.line(f"  and {len(result.differences) - LISTED} more; list all with --json")
    if result.missing:
        paragraph(writer, f"{result.source} itself lacks {count(result.missing, 'object')}: not compared.")
    if result.unread:
        paragraph(writer, f"{count(result.unread, 'object')} without a checksum in the rows: not read and compared.")
    read = f", {bytes_text(result.bytes_read)} read and compared" if result.bytes_read else ""
    verdict = "differ" if result.differences else "are the same"
    paragraph(
        writer,
        f"{result.source} and {result.target} {verdict}: {count(result.rows, 'row')}, "
        f"{count(result.objects, 'object')} with {bytes_text(result.object_bytes)}{read}.",
    )
