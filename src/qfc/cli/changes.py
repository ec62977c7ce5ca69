"""The result of a queue change, for people and for machines."""

from __future__ import annotations

from ..operations.queue_change import Changed, count
from .output import Writer
from .session import Session
from .tables import paragraph

#: The most jobs, and the most refusals, that are listed one by one.
LISTED = 20


def write_change(session: Session, result: Changed, verb: str, noun: str, *, key: str | None = None) -> int:
    """Write what was really changed; return the exit code. JSON lists the ids under `key`, by default `verb`."""
    document = {
        "dry_run": result.dry_run,
        "selected": result.selected,
        key or verb: result.jobs,
        "jobs": result.jobs,
        "deltas": result.deltas,
        "refused": result.refused,
        "is_cut": result.is_cut,
    }
    session.writer.result(document, lambda writer: _write(writer, result, verb, noun), quiet="\n".join(result.jobs))
    return result.exit_code


def _write(writer: Writer, result: Changed, verb: str, noun: str) -> None:
    if result.is_cut:
        paragraph(writer, "More may match than one command handles. When these are done, run the command again.")
    if not result.selected:
        writer.line(f"There are no {noun}; nothing to do.")
        return
    would = "would be " if result.dry_run else ""
    deltas = f", {count(len(result.deltas), 'edit')} requeued" if result.deltas else ""
    writer.line(f"{count(len(result.jobs), 'job')} {would}{verb}{deltas}.")
    for job in result.jobs[:LISTED]:
        writer.line(f"  {job}")
    if result.refused:
        writer.line(f"{len(result.refused)} left unchanged:")
    for refusal in result.refused[:LISTED]:
        paragraph(writer, f"{refusal.id}: {refusal.reason}", indent=2)
    if len(result.refused) > LISTED:
        writer.line(f"  and {len(result.refused) - LISTED} more; list all with --json")
