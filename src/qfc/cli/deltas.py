"""`qfc deltas`: list field edits, apply those that were not applied."""

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
from . import complete
from .changes import write_change
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import facts, paragraph

MORE = "More edits match. List up to 1000 with --limit, or narrow the list with --project, --by, --older or --reason."
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that filter edits."""
    options: list[Decorator] = [
        click.option(
            "--status", "statuses", multiple=True, type=click.Choice(STATUSES),
            help="Edits with this status; repeatable.",
        ),
        complete.project_option("Edits of this project: id or OWNER/NAME."),
        click.option("--job", metavar="JOB", help="Edits of this job."),
        click.option("--by", metavar="NAME", help="Edits sent by this user."),
        click.option("--older", metavar="SPAN", help="Edits received at least this long ago: 90s, 15m, 2h, 3d, 1w."),
        click.option("--reason", metavar="TEXT", help="Edits with this text in the reason, or this signature id: F02."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.group("deltas")
def command() -> None:
    """List field edits; apply those that were not applied. The first characters of an id are enough to name an edit."""


@command.command("list")
@filters
@click.option("--all", "everything", is_flag=True, help="Include edits that were applied.")
@click.option("--summary", is_flag=True, help="Count edits by reason; same as --group reason.")
@click.option(
    "--group",
    type=click.Choice(list(GROUPS)),
    help="Count edits by project, person or reason, with the oldest of each group.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Number of edits to list.")
@pass_session
def list_command(
    session: Session, everything: bool, summary: bool, group: str | None, limit: int, **wanted: Any
) -> None:
    """List field edits that were not applied, oldest first, with the reason and the fix for each."""
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
    """Show one field edit as the device sent it, with its status and the reason."""
    result = deltas_show(session.ports, delta)
    document = {**vars(result.delta), "content": result.content, "feedback": result.feedback}
    session.writer.result(document, lambda writer: write_delta(writer, result), quiet=result.delta.status)


@command.command("reapply")
@click.argument("deltas", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All edits that are waiting or failed, at most 1000.")
@filters
@pass_session
def reapply_command(session: Session, deltas: tuple[str, ...], everything: bool, **wanted: Any) -> int:
    """Create new jobs for edits that were not applied, oldest first. An applied edit is never applied twice.

    The new jobs run before packages that are waiting for the same project, so every package contains the edits.
    """
    selection = DeltaSelection(deltas, everything, DeltaFilter(**wanted))
    result = deltas_reapply(session.ports, selection, session.options)
    return write_change(session, result, "created", "edits to apply", key="made")


def write_list(writer: Writer, result: DeltasList) -> None:
    """Print a table of edits, each with the reason below it."""
    if not result.deltas:
        others = ", ".join(f"{count} {status}" for status, count in result.others.items())
        writer.line("No field edits to show." + (f" With another status: {others}." if others else ""))
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
    """Print each reason once, with the first edit that has it; print each explanation and fix once."""
    reasons: dict[str, DeltaLine] = {}
    for delta in result.deltas:
        if delta.signature:
            reasons.setdefault(delta.reason or delta.signature, delta)
    explained: set[str | None] = set()
    for reason, delta in reasons.items():
        paragraph(writer, f"{short(delta.id)}: {reason}")
        if delta.signature not in explained:
            words = f"{delta.signature}. " if delta.signature != reason else ""
            paragraph(writer, f"{words}Fix: {delta.fix}", indent=10)
        explained.add(delta.signature)


def write_summary(writer: Writer, result: DeltasSummary) -> None:
    """Print the number of edits in each group."""
    if not result.groups:
        writer.line("No field edits to show.")
        return
    rows = [
        (group.count, group.name, f"{seconds_text(group.oldest_s)} ago", _states(group.statuses))
        for group in result.groups
    ]
    writer.table(("EDITS", result.group.upper(), "OLDEST", "STATUS"), rows, right=(0,), folded=(1,))
    for group in result.groups:
        if group.fix:
            paragraph(writer, f"{group.name}: {group.fix}")
    if result.is_cut:
        paragraph(writer, f"Only the oldest {BULK_LIMIT} edits were counted; narrow the filter to see the rest.")


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
