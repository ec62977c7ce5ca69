"""The application's own commands (`manage.py`), and how their output is read."""

from __future__ import annotations

from ..errors import CommandError, QfcError
from ..stack.migrations import planned
from ..stack.model import CommandResult
from ..stack.ports import Runtime

APP = "app"
#: Seconds for a migration: one of a big table may take as long as the operator is willing to wait.
MIGRATE_S = 24 * 3600.0
COMMAND_S = 120.0


def manage(runtime: Runtime, *argv: str, stdin: str | None = None, timeout_s: float = COMMAND_S) -> CommandResult:
    """Run a command of the application; secrets go through `stdin`. Raises CommandError with its own message."""
    try:
        return runtime.execute(APP, argv, stdin=None if stdin is None else stdin.encode(), timeout_s=timeout_s)
    except CommandError as error:
        raise CommandError(_django_message(error), hint=error.hint) from None


def _django_message(error: QfcError) -> str:
    """Return the message that Django marks as the error, without the command line."""
    return error.message.rpartition("CommandError: ")[2] or error.message


def unapplied_migrations(runtime: Runtime) -> tuple[str, ...]:
    """Return the migrations that the application has and the database lacks, in their order."""
    return planned(manage(runtime, "showmigrations", "--plan").stdout)[1]
