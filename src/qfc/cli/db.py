"""`qfc db`: inspect, back up and migrate the database, open psql."""

from __future__ import annotations

import click

from ..operations.db_migrate import Migrated, db_migrate
from ..operations.db_shell import db_shell
from ..operations.db_status import db_status
from ..operations.queue_change import count
from ..stack.model import DatabaseStatus
from .db_backups import COMMANDS as BACKUP_COMMANDS
from .output import Writer, bytes_text
from .session import Session, pass_session
from .tables import facts


@click.group("db")
def command() -> None:
    """Inspect, back up and migrate the database; open psql."""


for one in BACKUP_COMMANDS:
    command.add_command(one)


@command.command("status")
@pass_session
def status_command(session: Session) -> None:
    """Show version, size, connections, largest tables and missing migrations."""
    result = db_status(session.ports)
    tables = [{"name": name, "rows": rows, "bytes": size} for name, rows, size in result.tables]
    document = {**vars(result), "tables": tables}
    session.writer.result(document, lambda writer: write_status(writer, result), quiet=str(result.size_bytes))


@command.command("migrate")
@pass_session
def migrate_command(session: Session) -> None:
    """Apply the migrations that the installed release needs."""
    result = db_migrate(session.ports, session.options)
    session.writer.result(result, lambda writer: write_migrated(writer, result), quiet="\n".join(result.migrations))


@command.command("shell", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_session
def shell_command(session: Session, arguments: tuple[str, ...]) -> int:
    """Open psql on the stack's database. ARGUMENTS are passed to psql."""
    return db_shell(session.ports, arguments)


def write_status(writer: Writer, result: DatabaseStatus) -> None:
    """Print the database for people."""
    pairs = [
        ("PostgreSQL", result.version),
        ("Size", bytes_text(result.size_bytes)),
        ("Connections", f"{result.connections} of {result.max_connections}"),
        ("Migrations", _migrations(result)),
    ]
    facts(writer, pairs)
    writer.line()
    rows = [(name, rows, bytes_text(size)) for name, rows, size in result.tables]
    writer.table(("TABLE", "ROWS", "SIZE"), rows, right=(1, 2), folded=(0,))


def _migrations(result: DatabaseStatus) -> str:
    if result.unapplied_migrations is None:
        return "unknown: the application did not answer"
    if not result.unapplied_migrations:
        return "all applied"
    return f"{count(len(result.unapplied_migrations), 'migration')} missing; type: qfc db migrate"


def write_migrated(writer: Writer, result: Migrated) -> None:
    """Print what was migrated."""
    if not result.migrations:
        writer.line("Nothing to do: all migrations are applied.")
        return
    writer.line(f"{count(len(result.migrations), 'migration')} {'to apply' if result.dry_run else 'applied'}:")
    for name in result.migrations:
        writer.line(f"  {name}")
