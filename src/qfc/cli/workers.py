"""`qfc workers`: list workers, change their number, drain or restart them."""

from __future__ import annotations

import click

from ..operations.queue_change import count
from ..operations.workers_change import WorkersChanged, workers_drain, workers_restart, workers_scale
from ..operations.workers_list import WorkersList, workers_list
from ..stack.queue import short
from .output import Writer, bytes_text, seconds_text
from .session import Session, pass_session


@click.group("workers")
def command() -> None:
    """List workers; change their number, drain or restart them. A worker finishes its job before it stops."""


@command.command("list")
@pass_session
def list_command(session: Session) -> None:
    """List workers and the jobs they hold."""
    result = workers_list(session.ports)
    session.writer.result(result, lambda writer: write_list(writer, result), quiet=str(len(result.workers)))


@command.command("scale")
@click.argument("number", type=int, metavar="N")
@click.option("--force", is_flag=True, help="Scale even if the host may not have enough memory.")
@pass_session
def scale_command(session: Session, number: int, force: bool) -> None:
    """Change the number of workers to N. Idle workers stop first; busy ones finish their jobs."""
    write_changed(session, workers_scale(session.ports, number, session.options, force=force))


@command.command("drain")
@pass_session
def drain_command(session: Session) -> None:
    """Stop all workers, each after its job. Jobs then wait until qfc workers restart or qfc up."""
    write_changed(session, workers_drain(session.ports, session.options))


@command.command("restart")
@click.option(
    "--now",
    is_flag=True,
    help="Do not wait for jobs; official workers leave their jobs unfinished.",
)
@pass_session
def restart_command(session: Session, now: bool) -> None:
    """Stop all workers, each after its job, and start them again."""
    write_changed(session, workers_restart(session.ports, session.options, now=now))


def write_list(writer: Writer, result: WorkersList) -> None:
    """Print a table of workers."""
    dead = sum(worker.state == "dead" for worker in result.workers)
    ended = f", {dead} dead" if dead else ""
    writer.line(f"{count(len(result.workers) - dead, 'worker')}, {result.wanted} wanted{ended}")
    if not result.workers:
        return
    rows = [
        (worker.process or short(worker.id), worker.state, worker.pid, short(worker.job_id) or None,
         seconds_text(worker.since_s), bytes_text(worker.memory_bytes))
        for worker in result.workers
    ]  # fmt: skip
    writer.table(("WORKER", "STATE", "PID", "JOB", "SINCE", "MEMORY"), rows, right=(2, 4, 5), folded=(0,))


def write_changed(session: Session, result: WorkersChanged) -> None:
    """Write the result of a change of workers."""
    document = {
        "before": result.before,
        "wanted": result.wanted,
        "dry_run": result.dry_run,
        "steps": result.steps,
        "workers": result.workers.workers,
        "remarks": result.remarks,
    }
    for remark in result.remarks:
        session.writer.remark(remark)

    def human(writer: Writer) -> None:
        if result.dry_run:
            for step in result.steps:
                writer.line(step)
        else:
            write_list(writer, result.workers)

    session.writer.result(document, human, quiet=str(result.wanted))
