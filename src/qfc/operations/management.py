"""The application's own commands (`manage.py`), and what can be read from their output."""

from __future__ import annotations

from ..errors import CommandError, QfcError
from ..stack.migrations import planned
from ..stack.model import CommandResult
from ..stack.ports import Runtime

APP = "app"
#: A migration of a big table may take as long as the operator is willing to wait.
MIGRATE_S = 24 * 3600.0
COMMAND_S = 120.0


def manage(runtime: Runtime, *argv: str, stdin: str | None = None, timeout_s: float = COMMAND_S) -> CommandResult:
    """Run a command of the application; secrets go through `stdin`. Raises CommandError with its own words."""
    try:
        return runtime.execute(APP, argv, stdin=None if stdin is None else stdin.encode(), timeout_s=timeout_s)
    except CommandError as error:
        raise CommandError(_told(error), hint=error.hint) from None


def _told(error: QfcError) -> str:
    """Return the sentence that Django marks as the error, without what ran it."""
    return error.message.rpartition("CommandError: ")[2] or error.message


def unapplied_migrations(runtime: Runtime) -> tuple[str, ...]:
    """Return the migrations that the application knows and the database has not, in their order."""
    return planned(manage(runtime, "showmigrations", "--plan").stdout)[1]
