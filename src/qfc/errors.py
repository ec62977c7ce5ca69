"""Every error that the suite raises on purpose.

    QfcError                    exit code 1: the operation failed
    ├── UsageError              2: wrong usage
    │   └── ConfigError         2: the configuration is wrong; lists every problem at once
    ├── UnreachableError        3: stack, host, engine or database cannot be reached
    │   ├── NotRunningError     3: the stack is down
    │   ├── UntrustedError      3: the server's certificate is not trusted
    │   └── UnknownNameError    3: a name leads to no address from here
    ├── RefusedError            4: a guard said no
    │   ├── LockHeldError       4: another operator is at work
    │   └── NotConfirmedError   4: nobody said yes
    ├── NotFoundError           1: what was named does not exist
    ├── CommandError            1: an external command ended badly
    └── PartlyDoneError         5: some of it is done, some is not

An error is three lines at most for the operator: what failed, why, what to type next. Foreign exceptions are
translated at the driver's border (`raise … from exc`) and caught once, in `qfc.cli.main`.
"""

from __future__ import annotations

from collections.abc import Sequence


class QfcError(Exception):
    """The operation failed."""

    exit_code = 1
    #: Stable name for machines (`error.code` of `--json`).
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
    """The configuration is wrong. `problems` has one sentence for each mistake."""

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


class UnknownNameError(UnreachableError):
    """A name leads to no address from here; others may well reach it."""

    code = "unknown_name"


class RefusedError(QfcError):
    """A guard refused the operation."""

    exit_code = 4
    code = "refused"


class LockHeldError(RefusedError):
    """Another operator holds the stack's lock."""

    code = "lock_held"


class NotConfirmedError(RefusedError):
    """The operation needs a yes and got none."""

    code = "not_confirmed"


class NotFoundError(QfcError):
    """What was named does not exist."""

    code = "not_found"


class CommandError(QfcError):
    """An external command ended with an error. `said` is all that it wrote, errors first."""

    code = "command_failed"

    def __init__(self, message: str, *, hint: str = "", said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.said = said


class PartlyDoneError(QfcError):
    """Some of the operation is done, some is not."""

    exit_code = 5
    code = "partly_done"
