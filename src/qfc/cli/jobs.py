"""`qfc jobs`: list, retry and cancel jobs, free stuck ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import click

from ..operations.jobs_change import JobSelection, jobs_cancel, jobs_retry
from ..operations.jobs_cleanup import Cleaned, jobs_cleanup
from ..operations.jobs_list import JobShown, JobsList, jobs_list, jobs_show
from ..operations.logs import span
from ..operations.queue_change import count
from ..stack.model import JobStatus
from ..stack.queue import short
from . import complete
from .changes import write_change
from .output import Writer, brief_text, seconds_text, time_text
from .session import Session, pass_session
from .tables import facts, paragraph

#: How servers mark the start and the end of a step in a job's output: `::<<<::ID NAME` and `::>>>::ID STAGE`.
STEP = re.compile(r"::(?:<<<::\S+ (?P<name>.*)|>>>::.*)")
TYPES = ("package", "delta_apply", "process_projectfile", "create_project")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that filter jobs."""
    options: list[Decorator] = [
        complete.project_option("Jobs of this project: id or OWNER/NAME."),
        click.option("--type", type=click.Choice(TYPES), help="Jobs of this type."),
        click.option(
            "--status", "statuses", multiple=True, type=click.Choice([str(one) for one in JobStatus]),
            help="Jobs with this status; repeatable.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.group("jobs")
def command() -> None:
    """List, retry and cancel jobs; free stuck ones. The first characters of an id are enough to name a job."""


@command.command("list")
@filters
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="Hours to look back.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Number of jobs to list.")
@pass_session
def list_command(
    session: Session, project: str | None, type: str | None, statuses: tuple[str, ...], hours: float | None, limit: int
) -> None:
    """List jobs, newest first."""
    chosen = [JobStatus(status) for status in statuses]
    result = jobs_list(session.ports, statuses=chosen, project=project, type=type, hours=hours, limit=limit)
    ids = "\n".join(job.id for job in result.jobs)
    session.writer.result(result, lambda writer: write_list(writer, result), quiet=ids)


@command.command("show")
@click.argument("job")
@pass_session
def show_command(session: Session, job: str) -> None:
    """Show one job with its output and its field edits."""
    result = jobs_show(session.ports, job)
    document = {**vars(result.job), **{name: value for name, value in vars(result).items() if name != "job"}}
    session.writer.result(document, lambda writer: write_job(writer, result), quiet=result.job.status)


@command.command("retry")
@click.argument("jobs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All jobs that failed or were stopped, at most 1000.")
@filters
@pass_session
def retry_command(
    session: Session,
    jobs: tuple[str, ...],
    everything: bool,
    project: str | None,
    type: str | None,
    statuses: tuple[str, ...],
) -> int:
    """Requeue failed or stopped jobs, with those of their edits that were not applied."""
    selection = JobSelection(jobs, everything, [JobStatus(status) for status in statuses], project, type)
    return write_change(session, jobs_retry(session.ports, selection, session.options), "retried", "failed jobs")


@command.command("cancel")
@click.argument("jobs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All jobs that are waiting or running, at most 1000.")
@filters
@pass_session
def cancel_command(
    session: Session,
    jobs: tuple[str, ...],
    everything: bool,
    project: str | None,
    type: str | None,
    statuses: tuple[str, ...],
) -> int:
    """Cancel jobs that are waiting or running. Their edits are kept; apply them with: qfc deltas reapply"""
    selection = JobSelection(jobs, everything, [JobStatus(status) for status in statuses], project, type)
    return write_change(session, jobs_cancel(session.ports, selection, session.options), "cancelled", "open jobs")


@command.command("cleanup")
@click.option(
    "--older",
    metavar="SPAN",
    default="24h",
    show_default=True,
    help="Jobs that a worker has held at least this long: 90s, 15m, 2h.",
)
@complete.project_option("Jobs of this project: id or OWNER/NAME.")
@click.option(
    "--unlock",
    is_flag=True,
    help="Also unlock projects that have waiting jobs and have been locked for more than an hour.",
)
@pass_session
def cleanup_command(session: Session, older: str, project: str | None, unlock: bool) -> int:
    """Requeue the jobs of dead workers, with their edits.

    A job is touched only if its worker is proven dead. If its edits may already be in the data, the job is set to
    failed instead, and you decide about the edits: qfc deltas list --status error

    Packages that have waited that long are cancelled if the same user has requested a later one of the same project.
    """
    older_s = span(older).total_seconds()
    result = jobs_cleanup(session.ports, session.options, older_s=older_s, project=project, unlock=unlock)
    ids = "\n".join((*result.requeued, *result.failed, *result.superseded))
    session.writer.result(result, lambda writer: write_cleaned(writer, result, older), quiet=ids)
    return 0


def write_cleaned(writer: Writer, result: Cleaned, older: str) -> None:
    """Print what was done about stuck jobs and locked projects."""
    if result.examined or result.reasons:
        write_released(writer, result, older)
    elif not result.superseded:
        writer.line(f"No job has been held for longer than {older}; nothing to do.")
    would = "would be " if result.dry_run else ""
    for job in result.superseded:
        writer.line(f"  {short(job)} {would}cancelled: the same user has requested a later package")
    for project in result.unlocked:
        writer.line(f"  project {short(project)} {would}unlocked")
    for left in result.locked:
        paragraph(writer, f"project {short(left.id)}: {left.reason}", indent=2)


def write_released(writer: Writer, result: Cleaned, older: str) -> None:
    """Print what was done about jobs that were held too long."""
    would = "would be " if result.dry_run else ""
    writer.line(f"{count(result.examined, 'job')} held for longer than {older}:")
    for job in result.requeued:
        writer.line(f"  {short(job)} {would}requeued")
    for job in result.failed:
        writer.line(f"  {short(job)} {would}set to failed: its edits may already be in the data")
    for left in result.reasons:
        paragraph(writer, f"{short(left.id)} left unchanged. {left.reason}", indent=2)
    if result.deltas_reset:
        writer.line(f"{count(result.deltas_reset, 'edit')} {would}requeued")
    if result.deltas_doubtful:
        edits = count(len(result.deltas_doubtful), "edit")
        paragraph(writer, f"{edits} may already be in the data. Compare, then type: qfc deltas reapply ID")


def write_list(writer: Writer, result: JobsList) -> None:
    """Print a table of jobs."""
    rows = [
        (short(job.id), job.status, job.type, job.project, job.created_by, f"{brief_text(job.age_s)} ago",
         seconds_text(job.seconds))
        for job in result.jobs
    ]  # fmt: skip
    if not rows:
        writer.line("No jobs.")
        return
    writer.table(
        ("JOB", "STATUS", "TYPE", "PROJECT", "BY", "CREATED", "TOOK"), rows, right=(6,), folded=(3,), optional=(4,)
    )


def write_job(writer: Writer, result: JobShown) -> None:
    """Print one job."""
    job = result.job
    pairs = [
        ("Job", job.id),
        ("Type", job.type),
        ("Status", job.status),
        ("Why", job.why),
        ("Project", f"{job.project} ({job.project_id})"),
        ("Created", f"{time_text(job.created_at)} UTC by {job.created_by}"),
        ("Started", _moment(job.started_at and time_text(job.started_at))),
        ("Ended", _moment(job.finished_at and time_text(job.finished_at))),
        ("Took", None if job.seconds is None else seconds_text(job.seconds)),
        ("Worker", job.worker_id),
        ("Attempts", job.attempts or None),
        ("Not before", _moment(result.not_before and time_text(result.not_before))),
        ("Cause", result.cause),
        ("Signature", result.signature),
        ("Error", result.error),
        ("Fix", result.fix),
    ]
    facts(writer, pairs)
    if result.deltas:
        writer.line("\nEdits")
        rows = [(short(delta.id), delta.status, delta.method, delta.layer_id) for delta in result.deltas]
        writer.table(("DELTA", "STATUS", "METHOD", "LAYER"), rows, folded=(3,))
    if result.feedback and result.cause:
        writer.line("\nFeedback\n" + json.dumps(result.feedback, indent=2, ensure_ascii=False, default=str))
    if result.output:
        writer.line("\nOutput\n" + "\n".join(readable(result.output)))


def readable(output: str) -> Iterator[str]:
    """Yield the lines of a job's output; a step becomes one line with its name, without its end."""
    for line in output.rstrip().splitlines():
        step = STEP.match(line)
        if step is None:
            yield line
        elif step["name"]:
            yield f"· {step['name']}"


def _moment(text: str | None) -> str | None:
    return f"{text} UTC" if text else None
