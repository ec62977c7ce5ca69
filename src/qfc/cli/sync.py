"""`qfc sync`: the queue, recent jobs, failures and their causes, the diagnosis."""

from __future__ import annotations

import click

from ..checks import FOR_SYNC
from ..operations.jobs_view import EndedJob, JobLine
from ..operations.sync_diagnose import diagnose
from ..operations.sync_queue import SyncQueue, sync_queue
from ..operations.sync_recent import FailureGroup, SyncRecent, sync_failed, sync_recent
from ..stack.model import Durations
from ..stack.queue import short
from .diagnosis import fix_option, write_diagnosis
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import cut, paragraph

#: The most names that are listed one by one.
NAMED = 3

limit_option = click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Number of jobs to list."
)
hours_option = click.option("--hours", type=float, default=24.0, show_default=True, help="Hours to look back.")


@click.group("sync")
def command() -> None:
    """Show the queue, recent jobs and failures; diagnose synchronisation."""


@command.command("queue")
@limit_option
@pass_session
def queue_command(session: Session, limit: int) -> None:
    """List running and waiting jobs, and what each of them is waiting for."""
    result = sync_queue(session.ports, limit=limit)
    session.writer.result(result, lambda writer: write_queue(writer, result), quiet=str(result.depth.pending))


@command.command("recent")
@hours_option
@limit_option
@pass_session
def recent_command(session: Session, hours: float, limit: int) -> None:
    """List recently ended jobs, how long they took, and how many failed."""
    result = sync_recent(session.ports, hours=hours, limit=limit)
    session.writer.result(result, lambda writer: write_recent(writer, result), quiet=str(result.finished))


@command.command("failed")
@hours_option
@limit_option
@pass_session
def failed_command(session: Session, hours: float, limit: int) -> None:
    """List recent failures by cause: when, which projects and users, and the fix."""
    result = sync_failed(session.ports, hours=hours, limit=limit)
    session.writer.result(result, lambda writer: write_failed(writer, result), quiet=str(result.failed))


@command.command("diagnose")
@fix_option
@click.option("--no-proof", is_flag=True, help="Skip the proof: a test with a small project on the server.")
@pass_session
def diagnose_command(session: Session, fix: bool, no_proof: bool) -> int:
    """Check whether synchronisation works; if not, show why and how to repair it.

    Cheap checks run first. The last one is the proof: a small project is uploaded, processed by a worker, downloaded
    and removed. Exit code 0 only when no critical finding is left.
    """
    return write_diagnosis(session, diagnose(session.ports, FOR_SYNC, session.options, fix=fix, proof=not no_proof))


def write_queue(writer: Writer, result: SyncQueue) -> None:
    """Print the queue for people."""
    depth, waiting = result.depth, result.waiting
    oldest = f", the oldest for {seconds_text(result.oldest_pending_s)}" if depth.pending else ""
    running = depth.queued + depth.started
    writer.line(f"{depth.pending} waiting{oldest} · {running} running" + _workers(result))
    reasons = {
        "for a worker: none is running" if result.workers == 0 else "for a free worker": waiting.no_free_worker,
        "for a busy project": waiting.project_busy,
        "for a locked project": waiting.project_locked,
        "after a failed attempt": waiting.postponed,
        "about to start": waiting.ready,
    }
    if depth.pending:
        paragraph(writer, "Waiting: " + " · ".join(f"{number} {name}" for name, number in reasons.items() if number))
    for job in result.jobs:
        write_job(writer, job)


def _workers(result: SyncQueue) -> str:
    return "" if result.workers is None else f" · {result.workers} workers"


def write_job(writer: Writer, job: JobLine) -> None:
    """Print a job on one line, and why it is waiting on the next."""
    age = seconds_text(job.age_s)
    taken = len(f"{short(job.id)}  {job.status:8} {job.type}    {age}")
    room = writer.width - taken
    state = writer.paint(job.status.ljust(8))
    writer.line(f"{short(job.id)}  {state} {job.type}  {cut(job.project, room)}  {age}")
    if job.why:
        paragraph(writer, job.why, indent=10)


def write_recent(writer: Writer, result: SyncRecent) -> None:
    """Print recently ended jobs for people."""
    write_figures(writer, result)
    write_ended(writer, result.jobs)


def write_failed(writer: Writer, result: SyncRecent) -> None:
    """Print recent failures for people: groups, then the newest jobs."""
    write_figures(writer, result)
    for group in result.groups:
        write_group(writer, group)
    if result.jobs:
        writer.line()
        write_ended(writer, result.jobs)


def write_figures(writer: Writer, result: SyncRecent) -> None:
    """Print counts and times of a period."""
    rate = "" if result.success_rate is None else f" · {result.success_rate:.1%} succeeded"
    stopped = f" · {result.stopped} stopped" if result.stopped else ""
    writer.line(f"Last {result.hours:g} h: {result.finished} finished · {result.failed} failed{stopped}{rate}")
    if result.seconds.p50 is not None:
        writer.line(f"Work  {_durations(result.seconds)}")
        writer.line(f"Wait  {_durations(result.wait_seconds)}")


def _durations(durations: Durations) -> str:
    shown = {"half within": durations.p50, "95 % within": durations.p95, "longest": durations.max}
    return " · ".join(f"{name} {seconds_text(seconds)}" for name, seconds in shown.items())


def write_group(writer: Writer, group: FailureGroup) -> None:
    """Print failures of one kind: how many, when, which projects and users, and the fix."""
    writer.line()
    paragraph(writer, f"{group.count} × {group.signature} (cause: {group.cause})")
    paragraph(writer, _period(group), indent=4)
    paragraph(writer, f"in {named(group.projects)}; by {named(group.people)}", indent=4)
    if group.error and group.error not in group.signature:
        paragraph(writer, group.error, indent=4)
    paragraph(writer, f"Fix: {group.fix}", indent=4)


def _period(group: FailureGroup) -> str:
    newest = f"{time_text(group.last)} UTC (job {short(group.job_id)})"
    return newest if group.count == 1 else f"{time_text(group.first)} UTC to {newest}"


def named(names: tuple[str, ...]) -> str:
    """Return the first names of many, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (", ".join(names[:NAMED]) or "unknown") + more


def write_ended(writer: Writer, jobs: tuple[EndedJob, ...]) -> None:
    """Print a table of ended jobs."""
    if not jobs:
        return
    rows = [
        (
            short(job.id),
            job.status,
            job.type,
            job.project,
            seconds_text(job.seconds),
            time_text(job.finished_at)[5:],
            job.cause or "",
        )
        for job in jobs
    ]
    writer.table(("JOB", "STATUS", "TYPE", "PROJECT", "TOOK", "ENDED (UTC)", "CAUSE"), rows, right=(4,), folded=(3,))
