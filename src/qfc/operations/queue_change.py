"""The common result of queue changes: what was changed, and what was left unchanged."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.model import QueueChange, Refusal


@dataclass(frozen=True)
class Changed:
    """What was really changed, or would be with `--dry-run`. `selected` is the number of rows considered.

    `strict`: the operator named each row, so one left unchanged is a failure. `is_cut`: more rows match the filter, or
    may match it, than one command handles.
    """

    dry_run: bool
    selected: int
    jobs: tuple[str, ...]
    deltas: tuple[str, ...]
    refused: tuple[Refusal, ...]
    strict: bool
    is_cut: bool = False

    @property
    def exit_code(self) -> int:
        """0 all done, 4 nothing done because everything was refused, 5 partly done."""
        if not self.refused or not self.strict:
            return 0
        return 5 if self.jobs else 4


def changed(change: QueueChange, *, selected: int, strict: bool, dry_run: bool) -> Changed:
    """Return the result of a change."""
    return Changed(dry_run, selected, change.jobs, change.deltas, change.refused, strict)


def summary(change: QueueChange) -> str:
    """Return what the audit log records of a change."""
    refused = f", {len(change.refused)} left unchanged" if change.refused else ""
    return f"{count(len(change.jobs), 'job')}, {count(len(change.deltas), 'edit')}{refused}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: 1 job, 2 jobs."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
