"""`qfc deltas`: look at field edits, apply those that never arrived."""

from __future__ import annotations

import json

import click

from ..operations.deltas_list import NOT_ARRIVED, STATUSES, DeltaShown, DeltasList, deltas_list, deltas_show
from ..operations.deltas_reapply import DeltaSelection, deltas_reapply
from ..stack.queue import short
from .changes import write_change
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import facts, fitted, paragraph

status_option = click.option(
    "--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Edits in one state; may be repeated."
)
project_option = click.option("--project", metavar="PROJECT", help="Edits of one project: its id or OWNER/NAME.")
job_option = click.option("--job", metavar="JOB", help="Edits of one job.")


@click.group("deltas")
def command() -> None:
    """Look at field edits; apply those that never arrived. The beginning of an id is enough to name one."""


@command.command("list")
@status_option
@click.option("--all", "everything", is_flag=True, help="Also those that were applied.")
@project_option
@job_option
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@pass_session
def list_command(
    session: Session, statuses: tuple[str, ...], everything: bool, project: str | None, job: str | None, limit: int
) -> None:
    """List field edits that never arrived, in the order in which devices sent them."""
    chosen = statuses or (() if everything else NOT_ARRIVED)
    result = deltas_list(session.ports, statuses=chosen, project=project, job=job, limit=limit)
    ids = "\n".join(delta.id for delta in result.deltas)
    session.writer.result(result, lambda writer: write_list(writer, result), quiet=ids)


@command.command("show")
@click.argument("delta")
@pass_session
def show_command(session: Session, delta: str) -> None:
    """Show one field edit as the device sent it, and what became of it."""
    result = deltas_show(session.ports, delta)
    document = {**vars(result.delta), "content": result.content, "feedback": result.feedback}
    session.writer.result(document, lambda writer: write_delta(writer, result), quiet=result.delta.status)


@command.command("reapply")
@click.argument("deltas", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that wait or ended in an error, at most 1000.")
@status_option
@project_option
@job_option
@pass_session
def reapply_command(
    session: Session,
    deltas: tuple[str, ...],
    everything: bool,
    statuses: tuple[str, ...],
    project: str | None,
    job: str | None,
) -> int:
    """Make new jobs of edits that never arrived, in their order. What was applied is never applied again."""
    selection = DeltaSelection(deltas, everything, statuses, project, job)
    return write_change(session, deltas_reapply(session.ports, selection, session.options), "made", "edits to apply")


def write_list(writer: Writer, result: DeltasList) -> None:
    """Print a table of edits, each with the reason below it."""
    if not result.deltas:
        writer.line("No field edits: all have arrived.")
        return
    rows = [
        (
            short(delta.id),
            delta.status,
            delta.method,
            delta.project,
            delta.created_by,
            f"{seconds_text(delta.age_s)} ago",
        )
        for delta in result.deltas
    ]
    fitted(writer, ("DELTA", "STATUS", "METHOD", "PROJECT", "BY", "SENT"), rows, elastic=3)
    reasons = {delta.reason: delta for delta in reversed(result.deltas) if delta.reason}
    for reason, delta in reversed(reasons.items()):
        paragraph(writer, f"{short(delta.id)}: {reason}")


def write_delta(writer: Writer, result: DeltaShown) -> None:
    """Print one edit."""
    delta = result.delta
    pairs = [
        ("Delta", delta.id),
        ("Status", delta.status),
        ("Reason", delta.reason),
        ("Project", f"{delta.project} ({delta.project_id})"),
        ("Edit", f"{delta.method} in layer {delta.layer_id}"),
        ("Feature", delta.modified_pk),
        ("Sent", f"{time_text(delta.created_at)} UTC by {delta.created_by}"),
        ("Changed", f"{time_text(delta.updated_at)} UTC"),
        ("Delta file", delta.deltafile_id),
    ]
    facts(writer, pairs)
    writer.line("\nContent\n" + json.dumps(result.content, indent=2, ensure_ascii=False))
    if result.feedback:
        writer.line("\nFeedback\n" + json.dumps(result.feedback, indent=2, ensure_ascii=False))
