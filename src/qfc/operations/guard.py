"""Lock, audit, confirmation and dry run: every operation that changes something runs inside `guarded`.

    with guarded(ports, "users create", target=username, options=options) as guard:
        if guard.step(f"Create the account {username}"):
            ports.runtime.execute("app", [...])
    return Created(username, guard.steps, guard.dry_run)

`guard.step(sentence)` announces the next step and returns whether to take it: with `--dry-run` it collects the sentence
and returns False, and neither lock nor audit log is touched. A question is asked before the lock is taken. The audit
log gets a line before the block, and however the block ends, one after it; then the lock is released: who gets it next,
or looks while nobody has it, finds the line.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from ..errors import LockHeldError, NotConfirmedError, PartlyDoneError, QfcError, RefusedError
from ..stack.model import BEGUN, AuditEntry
from ..stack.ports import Ports
from ..stack.progress import Progress, no_progress
from ..stack.transfer.moved import require_here
from ..stack.waiting import wait_until
from .held import is_held
from .recovery import recover

#: Seconds between two attempts to get a lock that somebody holds.
RETRY_S = 0.5


def silent(sentence: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Options:
    """The operator's options for a change.

    `ask` asks the operator a question and returns the answer; None without a terminal. `wait_s` is the seconds to wait
    for another operator's lock. `report` is called with each step as it begins, `progress` with the parts of long ones.
    """

    yes: bool = False
    dry_run: bool = False
    wait_s: float = 0
    ask: Callable[[str], bool] | None = None
    report: Callable[[str], None] = silent
    progress: Progress = no_progress


@dataclass
class Guard:
    """The guard inside its block. `result` is what the audit log records on success."""

    dry_run: bool
    report: Callable[[str], None] = silent
    progress: Progress = no_progress
    result: str = "done"
    _steps: list[str] = field(default_factory=list[str])

    def step(self, sentence: str) -> bool:
        """Announce a step; return whether to take it."""
        self._steps.append(sentence)
        if not self.dry_run:
            self.report(sentence)
        return not self.dry_run

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps so far: with `--dry-run` the plan, else the steps taken."""
        return tuple(self._steps)


@contextmanager
def guarded(
    ports: Ports,
    command: str,
    *,
    target: str,
    options: Options,
    question: str = "",
    recovers: bool = True,
    of_moved: bool = False,
) -> Generator[Guard]:
    """Guard a change of a stack. `question`, if given, has to be answered with yes (or `--yes`).

    An earlier, interrupted operation is finished or undone first; with `recovers=False` that is left to the block.
    `of_moved` is for what neither starts nor changes a server, so that it is allowed for one that was moved away.
    Raises NotConfirmedError, LockHeldError and, for a server that was moved away, RefusedError before the block begins.
    """
    if options.dry_run:
        if not of_moved:
            require_here(ports.records)
        yield Guard(dry_run=True)
        return
    change = secrets.token_hex(4)
    with ExitStack() as held, _noted(ports, command, target, change) as record:
        confirm(question, options)
        _take(ports, f"{command} {target}".strip(), options.wait_s)
        held.callback(ports.lock.release)
        _note_beginning(ports, command, target, change, options.report)
        guard = Guard(dry_run=False, report=options.report, progress=options.progress)
        if recovers and not is_held(ports):
            recover(ports, options.report)
        if not of_moved:
            require_here(ports.records)
        yield guard
        record(guard.result)


@contextmanager
def _noted(ports: Ports, command: str, target: str, change: str) -> Generator[Callable[[str], None]]:
    """Write the line after a change at the end of the block: the result that it records, or its error."""
    began, results = ports.clock.now(), list[str]()
    failure = "interrupted"
    try:
        yield results.append
    except Exception as error:
        failure = _outcome(error)
        raise
    finally:
        now = ports.clock.now()
        seconds = round((now - began).total_seconds(), 3)
        # After an error, the operator has to see that error, not one of the audit log.
        with nullcontext() if results else suppress(QfcError):
            result = results[-1] if results else failure
            ports.audit.append(AuditEntry(now, ports.lock.identity(), command, target, result, seconds, change))


def _note_beginning(ports: Ports, command: str, target: str, change: str, report: Callable[[str], None]) -> None:
    """Write the line before a change. One that cannot be written keeps nobody from making space, and is told."""
    try:
        ports.audit.append(AuditEntry(ports.clock.now(), ports.lock.identity(), command, target, BEGUN, 0.0, change))
    except QfcError as error:
        report(f"Without a line in the log of operations: {error.message}")


def _outcome(error: Exception) -> str:
    """Return what the audit log records of an error. Our own messages contain no secrets; others may."""
    match error:
        case PartlyDoneError():
            return f"partly done: {error.message}"
        case RefusedError():
            return f"refused: {error.message}"
        case QfcError():
            return f"failed: {error.message}"
        case _:
            return f"failed: {type(error).__name__}"


def confirm(question: str, options: Options) -> None:
    """Ask a question, unless the operator has said yes. Raises NotConfirmedError."""
    if not question or options.yes:
        return
    if options.ask is None:
        raise NotConfirmedError(f"Confirmation needed: {question}", hint="There is no terminal to ask on. Add --yes.")
    if not options.ask(question):
        raise NotConfirmedError("Not confirmed; nothing was changed.", hint="Add --yes to skip the question.")


def _take(ports: Ports, reason: str, wait_s: float) -> None:
    """Take the lock; while another operator holds it, retry for up to `wait_s` seconds."""

    def is_ours() -> bool:
        try:
            ports.lock.take(reason)
        except LockHeldError:
            return False
        return True

    if not (wait_s > 0 and wait_until(ports.clock, is_ours, limit_s=wait_s, poll_s=RETRY_S)):
        ports.lock.take(reason)
