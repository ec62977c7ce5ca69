"""The result of a change of the queue, as people and machines read it."""

from __future__ import annotations

from ..operations.queue_change import Changed, count
from .output import Writer
from .session import Session
from .tables import paragraph

#: So many refusals are told one by one.
TOLD = 20


def write_change(session: Session, result: Changed, verb: str, noun: str) -> int:
    """Write what was really changed; return the exit code. `verb` also names the list of ids in JSON."""
    document = {
        "dry_run": result.dry_run,
        "selected": result.selected,
        verb: result.jobs,
        "jobs": result.jobs,
        "deltas": result.deltas,
        "refused": result.refused,
        "is_cut": result.is_cut,
    }
    session.writer.result(document, lambda writer: _write(writer, result, verb, noun), quiet="\n".join(result.jobs))
    return result.exit_code


def _write(writer: Writer, result: Changed, verb: str, noun: str) -> None:
    if result.is_cut:
        paragraph(writer, "There are more than are taken at a time: when these have arrived, type the command again.")
    if not result.selected:
        writer.line(f"There are no {noun}; nothing to do.")
        return
    would = "would be " if result.dry_run else ""
    deltas = f", {count(len(result.deltas), 'delta')} waiting again" if result.deltas else ""
    writer.line(f"{count(len(result.jobs), 'job')} {would}{verb}{deltas}.")
    for job in result.jobs[:TOLD]:
        writer.line(f"  {job}")
    if result.refused:
        writer.line(f"{len(result.refused)} left alone:")
    for refusal in result.refused[:TOLD]:
        paragraph(writer, f"{refusal.id}: {refusal.reason}", indent=2)
    if len(result.refused) > TOLD:
        writer.line(f"  and {len(result.refused) - TOLD} more; --json tells all.")
