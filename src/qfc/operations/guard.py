"""Lock, audit, confirmation and dry run: every operation that changes something runs inside `guarded`.

    with guarded(ports, "users create", target=username, options=options) as guard:
        if guard.step(f"Create the account {username}"):
            ports.runtime.execute("app", [...])
    return Created(username, guard.steps, guard.dry_run)

`guard.step(sentence)` announces the next step and says whether to take it: with `--dry-run` it collects the sentence
and answers no, and neither lock nor audit log is touched. A question is asked before the lock is taken. Whatever ends
the block, the lock is given back and one line is left in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from ..errors import LockHeldError, NotConfirmedError, PartlyDoneError, QfcError, RefusedError
from ..stack.model import AuditEntry
from ..stack.ports import Ports
from ..stack.waiting import wait_until
from .recovery import recover

#: Seconds between two tries to get a lock that somebody holds.
RETRY_S = 0.5


def silent(sentence: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Options:
    """How the operator wants a change to be made.

    `ask` puts a question to a person and returns the answer; None where there is nobody to ask. `wait_s` is how long to
    wait for another operator's lock. `report` is told each step as it begins.
    """

    yes: bool = False
    dry_run: bool = False
    wait_s: float = 0
    ask: Callable[[str], bool] | None = None
    report: Callable[[str], None] = silent


@dataclass
class Guard:
    """What an operation tells its guard. `result` is what the audit log says when all went well."""

    dry_run: bool
    report: Callable[[str], None] = silent
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
        """The steps so far: with `--dry-run` the plan, else what was done."""
        return tuple(self._steps)


@contextmanager
def guarded(
    ports: Ports, command: str, *, target: str, options: Options, question: str = "", recovers: bool = True
) -> Generator[Guard]:
    """Guard a change of a stack. `question`, when given, has to be answered with yes (or `--yes`).

    What an operation before has left half done is finished or undone first, unless the block itself `recovers`.
    Raises NotConfirmedError and LockHeldError before the block begins.
    """
    if options.dry_run:
        yield Guard(dry_run=True)
        return
    began = ports.clock.now()
    result, completed = "interrupted", False
    try:
        _confirm(question, options)
        _take(ports, f"{command} {target}".strip(), options.wait_s)
        guard = Guard(dry_run=False, report=options.report)
        try:
            if recovers:
                recover(ports, options.report)
            yield guard
        finally:
            ports.lock.release()
        result, completed = guard.result, True
    except Exception as error:
        result = _outcome(error)
        raise
    finally:
        now = ports.clock.now()
        seconds = round((now - began).total_seconds(), 3)
        # After an error that error is what the operator has to read.
        with nullcontext() if completed else suppress(QfcError):
            ports.audit.append(AuditEntry(now, ports.lock.identity(), command, target, result, seconds))


def _outcome(error: Exception) -> str:
    """Return what the audit log says of an error. Our own messages hold no secrets; of others nobody knows."""
    match error:
        case PartlyDoneError():
            return f"partly done: {error.message}"
        case RefusedError():
            return f"refused: {error.message}"
        case QfcError():
            return f"failed: {error.message}"
        case _:
            return f"failed: {type(error).__name__}"


def _confirm(question: str, options: Options) -> None:
    if not question or options.yes:
        return
    if options.ask is None:
        raise NotConfirmedError(f"This needs a yes: {question}", hint="There is no terminal to ask on: add --yes.")
    if not options.ask(question):
        raise NotConfirmedError("Not confirmed; nothing was changed.", hint="Add --yes to skip the question.")


def _take(ports: Ports, reason: str, wait_s: float) -> None:
    """Take the lock; while another operator holds it, try again until `wait_s` seconds have passed."""

    def is_ours() -> bool:
        try:
            ports.lock.take(reason)
        except LockHeldError:
            return False
        return True

    if not (wait_s > 0 and wait_until(ports.clock, is_ours, limit_s=wait_s, poll_s=RETRY_S)):
        ports.lock.take(reason)
