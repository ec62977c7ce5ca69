"""`qfc deltas`: look at field edits, apply those that never arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import click

from ..operations.deltas_filter import DeltaFilter
from ..operations.deltas_list import (
    GROUPS,
    NOT_ARRIVED,
    STATUSES,
    DeltaLine,
    DeltaShown,
    DeltasList,
    DeltasSummary,
    deltas_list,
    deltas_show,
    deltas_summary,
)
from ..operations.deltas_reapply import DeltaSelection, deltas_reapply
from ..stack.queue import short
from ..stack.queue_changes import BULK_LIMIT
from .changes import write_change
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import facts, paragraph

MORE = "There are more; --limit lists up to 1000, and --project, --by, --older and --reason narrow the list."
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose edits by what they have in common."""
    options: list[Decorator] = [
        click.option(
            "--status", "statuses", multiple=True, type=click.Choice(STATUSES),
            help="Edits in one state; may be repeated.",
        ),
        click.option("--project", metavar="PROJECT", help="Edits of one project: its id or OWNER/NAME."),
        click.option("--job", metavar="JOB", help="Edits of one job."),
        click.option("--by", metavar="NAME", help="Edits that one person sent."),
        click.option("--older", metavar="SPAN", help="Edits that came so long ago: 90s, 15m, 2h, 3d, 1w."),
        click.option("--reason", metavar="TEXT", help="A part of the reason, or the id of its signature: F02."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.group("deltas")
def command() -> None:
    """Look at field edits; apply those that never arrived. The beginning of an id is enough to name one."""


@command.command("list")
@filters
@click.option("--all", "everything", is_flag=True, help="Also those that were applied.")
@click.option("--summary", is_flag=True, help="Count them by reason, with the oldest of each; as --group reason.")
@click.option("--group", type=click.Choice(list(GROUPS)), help="Count them by project, person or reason.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@pass_session
def list_command(
    session: Session, everything: bool, summary: bool, group: str | None, limit: int, **wanted: Any
) -> None:
    """List field edits that never arrived, in the order in which devices sent them, with what to do about each."""
    chosen = DeltaFilter(**wanted)
    chosen = replace(chosen, statuses=chosen.statuses or (() if everything else NOT_ARRIVED))
    if summary or group:
        counted = deltas_summary(session.ports, chosen, group=group or "reason")
        session.writer.result(counted, lambda writer: write_summary(writer, counted), quiet=str(counted.count))
        return
    result = deltas_list(session.ports, chosen, limit=limit)
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
@filters
@pass_session
def reapply_command(session: Session, deltas: tuple[str, ...], everything: bool, **wanted: Any) -> int:
    """Make new jobs of edits that never arrived, in their order. What was applied is never applied again.

    The new jobs come before packages that wait for the same project, so that no device gets one without the edits.
    """
    selection = DeltaSelection(deltas, everything, DeltaFilter(**wanted))
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
    writer.table(("DELTA", "STATUS", "METHOD", "PROJECT", "BY", "SENT"), rows, folded=(3,))
    write_reasons(writer, result)
    if result.is_cut:
        paragraph(writer, MORE)


def write_reasons(writer: Writer, result: DeltasList) -> None:
    """Print each reason once, at the first edit that has it; each explanation and what to do, once."""
    reasons: dict[str, DeltaLine] = {}
    for delta in result.deltas:
        if delta.signature:
            reasons.setdefault(delta.reason or delta.signature, delta)
    told: set[str | None] = set()
    for reason, delta in reasons.items():
        paragraph(writer, f"{short(delta.id)}: {reason}")
        if delta.signature not in told:
            words = f"{delta.signature}. " if delta.signature != reason else ""
            paragraph(writer, f"{words}Fix: {delta.fix}", indent=10)
        told.add(delta.signature)


def write_summary(writer: Writer, result: DeltasSummary) -> None:
    """Print how many edits have what in common."""
    if not result.groups:
        writer.line("No field edits: all have arrived.")
        return
    rows = [
        (group.count, group.name, f"{seconds_text(group.oldest_s)} ago", _states(group.statuses))
        for group in result.groups
    ]
    writer.table(("EDITS", result.group.upper(), "OLDEST", "STATES"), rows, right=(0,), folded=(1,))
    for group in result.groups:
        if group.fix:
            paragraph(writer, f"{group.name}: {group.fix}")
    if result.is_cut:
        paragraph(writer, f"Only the oldest {BULK_LIMIT} were looked at; narrow the filter to see the others.")


def _states(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in statuses.items())


def write_delta(writer: Writer, result: DeltaShown) -> None:
    """Print one edit."""
    delta = result.delta
    pairs = [
        ("Delta", delta.id),
        ("Status", delta.status),
        ("Reason", delta.reason),
        ("Signature", delta.signature),
        ("Fix", delta.fix),
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
