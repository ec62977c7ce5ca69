"""`qfc maintenance`: five jobs that run by themselves."""

from __future__ import annotations

import os
import pwd
import sys

import click

from .. import wiring
from ..config import MaintenanceConfig, NotifyConfig
from ..operations.maintenance.run import (
    MaintenanceHistory,
    MaintenanceRun,
    maintenance_history,
    maintenance_run,
)
from ..operations.maintenance.schedule import (
    MaintenanceList,
    MaintenanceScheduled,
    install_cron,
    install_timers,
    maintenance_list,
    maintenance_uninstall,
)
from ..stack.maintenance import JOBS, Run
from ..stack.maintenance.schedule import SchedulePlan
from ..stack.ports.crontab import Crontab
from ..stack.ports.units import Units
from .output import Writer, time_text
from .session import Session, pass_session

#: Jobs of which people are told.
TOLD = ("stats", "daily")
NAMES = tuple(job.name for job in JOBS)


@click.group("maintenance")
def command() -> None:
    """Run jobs of maintenance by hand or by schedule. Their times are in [maintenance] of the configuration."""


@command.command("list")
@pass_session
def list_command(session: Session) -> None:
    """List the jobs: when they run, what starts them, how the last run ended."""
    result = maintenance_list(session.ports, schedule_plan(session), _units(), _crontab(session))
    session.writer.result(result, lambda writer: _write_list(writer, result), quiet="\n".join(NAMES))


@command.command("run")
@click.argument("name", type=click.Choice(NAMES))
@pass_session
def run_command(session: Session, name: str) -> int:
    """Run a job now. Exit code 1 if a step failed; 4 while somebody else changes the stack."""
    posts = wiring.posts(session.config.table(NotifyConfig)) if name in TOLD else ()
    result = maintenance_run(session.ports, name, session.options, posts=posts)
    session.writer.result(result, lambda writer: _write_run(writer, result), quiet="")
    return result.exit_code


@command.command("install")
@click.option("--cron", is_flag=True, help="Use cron instead of systemd: your crontab, for root a file in /etc/cron.d.")
@pass_session
def install_command(session: Session, cron: bool) -> None:
    """Let systemd or cron start the jobs. Again after a change of their times."""
    plan, options = schedule_plan(session), session.options
    if cron:
        result = install_cron(session.ports, plan, _crontab(session), options)
    else:
        result = install_timers(session.ports, plan, _units(), options)
    session.writer.result(result, lambda writer: _write_scheduled(writer, result), quiet=result.place)


@command.command("uninstall")
@pass_session
def uninstall_command(session: Session) -> None:
    """Remove what starts the jobs, of systemd and of cron. Their history stays."""
    result = maintenance_uninstall(session.ports, schedule_plan(session), _units(), _crontab(session), session.options)
    session.writer.result(result, lambda writer: _write_scheduled(writer, result), quiet="")


@command.command("history")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many runs to show.")
@pass_session
def history_command(session: Session, limit: int) -> None:
    """Show the last runs, the newest first."""
    result = maintenance_history(session.ports)
    shown = MaintenanceHistory(result.runs[:limit], result.unended)
    session.writer.result(shown, lambda writer: _write_history(writer, shown), quiet=str(len(shown.runs)))


def _units() -> Units:
    return wiring.units(system=os.geteuid() == 0)


def _crontab(session: Session) -> Crontab:
    return wiring.crontab(_owner(session) if os.geteuid() == 0 else "")


def _owner(session: Session) -> str:
    """Return the account that owns the configuration: jobs run as it."""
    path = session.config.path
    return pwd.getpwuid(path.stat().st_uid if path.exists() else os.geteuid()).pw_name


def schedule_plan(session: Session) -> SchedulePlan:
    """Return when the jobs run, and how they are called."""
    config = session.config
    table, owner = config.table(MaintenanceConfig), _owner(session)
    times = {job.name: str(getattr(table, job.setting)) for job in JOBS}
    environment = {"QFC_CONFIG": str(config.path.absolute()), "QFC_HOME": str(config.home)}
    account = None if owner == "root" else owner
    program = (sys.executable, "-m", "qfc")
    return SchedulePlan(session.ports.name, program, times, table.time_zone or "", account, environment)


def _write_list(writer: Writer, result: MaintenanceList) -> None:
    rows = [
        (one.name, one.time, one.started_by, time_text(one.last_at),
         "never ended" if one.unended else one.last_result, one.meaning)
        for one in result.jobs
    ]  # fmt: skip
    writer.table(("JOB", "WHEN", "STARTED BY", "LAST RUN (UTC)", "RESULT", "WHAT"), rows, folded=(5,), optional=(5,))
    if not any(one.started_by for one in result.jobs):
        writer.line("Nothing starts them by itself. Type: qfc maintenance install")


def _write_run(writer: Writer, result: MaintenanceRun) -> None:
    for one in result.steps:
        writer.line(f"{writer.paint(one.result)}  {one.name}{f': {one.sentence}' if one.sentence else ''}")


def _write_scheduled(writer: Writer, result: MaintenanceScheduled) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        for line in result.text.splitlines():
            writer.quoted(line)
        return
    for step in result.steps:
        writer.line(step)


def _write_history(writer: Writer, result: MaintenanceHistory) -> None:
    if not result.runs:
        writer.line("No job has run yet.")
        return
    rows = [(run.job, time_text(run.began_at), run.result, _failures(run)) for run in result.runs]
    writer.table(("JOB", "BEGAN (UTC)", "RESULT", "FAILED"), rows, folded=(3,))
    for name in result.unended:
        writer.line(f"{name} began and never ended. Type: qfc maintenance run {name}")


def _failures(run: Run) -> str:
    return " ".join(one.sentence for one in run.steps if one.result == "failed")
