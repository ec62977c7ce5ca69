"""Every error that the suite raises on purpose.

    QfcError                    exit code 1: the operation failed
    ├── UsageError              2: wrong usage
    │   └── ConfigError         2: the configuration is wrong; every problem is listed at once
    ├── UnreachableError        3: stack, host, engine or database cannot be reached
    │   ├── NotRunningError     3: the stack is down
    │   ├── UntrustedError      3: the server's certificate is not trusted
    │   ├── UnknownNameError    3: a host name does not resolve from here
    │   └── SilentHostError     3: nothing answers at the address of a host
    ├── RefusedError            4: a guard refused the operation
    │   ├── LockHeldError       4: another operator holds the lock
    │   └── NotConfirmedError   4: the operation was not confirmed
    ├── NotFoundError           1: the named object does not exist
    ├── CommandError            1: an external command failed
    ├── DamagedError            1: a backup is damaged
    ├── NoTablesError           1: the database is empty
    └── PartlyDoneError         5: only part of the operation is done

The operator sees at most three lines of an error: what failed, why, what to type next. Drivers translate foreign
exceptions at their border (`raise … from exc`); `qfc.cli.main` alone catches ours.
"""

from __future__ import annotations

from collections.abc import Sequence


class QfcError(Exception):
    """The operation failed."""

    exit_code = 1
    #: Stable name for scripts (`error.code` in the output of `--json`).
    code = "failed"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(QfcError):
    """The command was used wrongly."""

    exit_code = 2
    code = "usage"


class ConfigError(UsageError):
    """The configuration is wrong. `problems` has one sentence per mistake."""

    code = "configuration"

    def __init__(self, problems: Sequence[str], *, hint: str = "") -> None:
        super().__init__("; ".join(problems), hint=hint)
        self.problems = tuple(problems)


class UnreachableError(QfcError):
    """The stack, its host, its engine or its database cannot be reached."""

    exit_code = 3
    code = "unreachable"


class NotRunningError(UnreachableError):
    """The stack is not running."""

    code = "not_running"


class UntrustedError(UnreachableError):
    """The server's certificate is not trusted."""

    code = "untrusted"


class UnknownNameError(UnreachableError):
    """A host name does not resolve from here; other machines may still reach it."""

    code = "unknown_name"


class SilentHostError(UnreachableError):
    """Nothing answers at the address of a host: the host, or a network on the way to it, is gone."""


class RefusedError(QfcError):
    """A guard refused the operation."""

    exit_code = 4
    code = "refused"


class LockHeldError(RefusedError):
    """Another operator holds the stack's lock."""

    code = "lock_held"


class NotConfirmedError(RefusedError):
    """The operation needs a confirmation and got none."""

    code = "not_confirmed"


class NotFoundError(QfcError):
    """The named object does not exist."""

    code = "not_found"


class CommandError(QfcError):
    """An external command failed. `said` is everything it wrote, standard error first."""

    code = "command_failed"

    def __init__(self, message: str, *, hint: str = "", said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.said = said


class DamagedError(QfcError):
    """A file of a backup is missing, or its bytes are not those that were stored."""

    code = "damaged"


class NoTablesError(QfcError):
    """The database has none of the application's tables: it is empty."""

    code = "no_tables"


class PartlyDoneError(QfcError):
    """Only part of the operation is done."""

    exit_code = 5
    code = "partly_done"
