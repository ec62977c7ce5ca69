"""`qfc capacity`: how many workers a stack needs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ..errors import QfcError, UsageError
from ..files import replace_file
from ..operations.capacity_advise import Advised, capacity_advise
from ..operations.capacity_history import Observed
from ..operations.capacity_report import Report, capacity_report
from ..operations.capacity_simulate import Question, Simulated, capacity_simulate
from ..operations.queue_change import count
from ..stack.capacity import Backtest, Row, Served, Target
from .bars import bars
from .capacity_benchmark import benchmark_command
from .capacity_page import page
from .numbers import numbers_of
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import paragraph

_TARGET = re.compile(r"p(\d{1,2}(?:\.\d+)?)\s*<\s*(\d+(?:\.\d+)?)\s*(s|min|m)?")


@click.group("capacity")
def command() -> None:
    """Predict how long jobs wait with other numbers of workers, from the work that was recorded."""


@command.command("report")
@click.option("--days", type=float, default=14.0, show_default=True, help="Days to look back.")
@click.option("--html", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with plots, too.")
@pass_session
def report_command(session: Session, days: float, path: Path | None) -> None:
    """Show when jobs come, how long they take, what they wait for, and which projects need most."""
    result = capacity_report(session.ports, days=days)
    if path is not None:
        _write_page(path, page(result, session.ports.name))
    session.writer.result(result, lambda writer: write_report(writer, result), quiet=f"{result.figures.load:.3f}")


@command.command("simulate")
@click.option("--workers", default="1-12", show_default=True, metavar="N-M", help="Numbers of workers to compare.")
@click.option("--growth", type=float, default=1.0, show_default=True, help="So many times the recorded work.")
@click.option(
    "--projects", type=int, default=0, show_default=True, metavar="+N", help="More projects, like those there are."
)
@click.option("--agents", type=int, help="Scale the recorded work to so many people.")
@click.option("--slo", default="p95<60s", show_default=True, help="The target for the wait of a job.")
@click.option("--days", type=float, default=14.0, show_default=True, help="Days to look back.")
@click.option("--rounds", type=int, default=20, show_default=True, help="Periods to draw from the past.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same numbers.")
@pass_session
def simulate_command(
    session: Session,
    workers: str,
    growth: float,
    projects: int,
    agents: int | None,
    slo: str,
    days: float,
    rounds: int,
    seed: int,
) -> None:
    """Simulate the queue with 1 to 12 workers and say how many are needed.

    The recorded jobs are drawn again, day by day, and served by the server's own rules: the oldest job first, and one
    job of a project at a time. The last day, predicted from the days before, shows how far that can be trusted.
    """
    question = Question(numbers_of(workers), growth, projects, agents, target_of(slo), days, rounds, seed)
    result = capacity_simulate(session.ports, question)
    quiet = "" if result.workers_for_target is None else str(result.workers_for_target)
    session.writer.result(result, lambda writer: write_simulated(writer, result), quiet=quiet)


@command.command("advise")
@click.option("--slo", default="p95<60s", show_default=True, help="The target for the wait of a job.")
@click.option("--days", type=float, default=28.0, show_default=True, help="Days to look back.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same numbers.")
@pass_session
def advise_command(session: Session, slo: str, days: float, seed: int) -> None:
    """Say how many workers are needed now, in 30 and in 90 days, at the growth that was seen."""
    question = Question(target=target_of(slo), days=days, seed=seed)
    result = capacity_advise(session.ports, question)
    needed = result.outlook[0].workers_for_target
    quiet = "" if needed is None else str(needed)
    session.writer.result(result, lambda writer: write_advised(writer, result), quiet=quiet)


command.add_command(benchmark_command)


def _write_page(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode(), mode=None)
    except OSError as error:
        raise QfcError(f"{path} cannot be written: {error.strerror}.") from error


def target_of(text: str) -> Target:
    """Read a target such as `p95<60s` or `p99 < 2 min`."""
    match = _TARGET.fullmatch(text.strip())
    if not match or not float(match[1]):
        raise UsageError(f"{text} is no target for the wait.", hint='Give a share and a time: --slo "p95<60s"')
    return Target(float(match[1]) / 100, float(match[2]) * (60 if (match[3] or "s") != "s" else 1))


def write_simulated(writer: Writer, result: Simulated) -> None:
    """Print the comparison for people."""
    write_observed(writer, result.observed)
    rows = [_cells(row, result.now) for row in result.workers]
    writer.table(("WORKERS", "BUSY", "P50", "P95", "9 OF 10", "P99", "ERLANG", ""), rows, right=tuple(range(7)))
    writer.line(f"With any number of workers, p95 of the wait is {seconds_text(result.floor_p95_s)}.")
    paragraph(writer, result.advice)
    paragraph(writer, trust_text(result.backtest))


def write_observed(writer: Writer, seen: Observed) -> None:
    """Print what was recorded, in two lines."""
    writer.line(f"Recorded: {seen.jobs} jobs in {seen.hours / 24:.1f} days, {seen.arrival_per_h:.1f} per hour")
    writer.line(
        f"Work  half within {seconds_text(seen.service_p50_s)} · 95 % within {seconds_text(seen.service_p95_s)}   "
        f"Wait  95 % within {seconds_text(seen.wait_p95_s)}"
    )


def write_report(writer: Writer, result: Report) -> None:
    """Print what a stack has worked, for people."""
    write_observed(writer, result.observed)
    shown = result.figures
    used = "" if result.utilisation is None else f", {result.utilisation:.0%} of {result.workers} workers"
    writer.line(f"Load  {shown.load:.2f} workers busy on average{used}")
    if result.success_rate is not None:
        writer.line(f"Succeeded  {result.success_rate:.1%}")
    waited = shown.wait_no_free_worker_s + shown.wait_project_busy_s
    if waited:
        share = shown.wait_project_busy_s / waited
        writer.line(f"Waiting  {1 - share:.0%} for a free worker · {share:.0%} for a job of the same project")
    seen = result.queue
    writer.line(
        f"Queue  {seen.average:.1f} on average, at most {seen.peak}, at {count(seen.number, 'look')} ({seen.source})"
    )
    if result.locked_looks:
        writer.line(f"Locked  a locked project made jobs wait at {count(result.locked_looks, 'look')}")
    if shown.peak:
        writer.line(f"Peak  {shown.peak.jobs} jobs in the hour from {time_text(shown.peak.hour)} UTC")
    writer.line(f"Hours (UTC)  0 {bars(shown.by_hour)} 23   Monday {bars(shown.by_weekday)} Sunday")
    _write_tables(writer, result)
    if result.scenario:
        chosen = result.scenario
        writer.line()
        paragraph(writer, f"Scenario {chosen.letter} ({chosen.when}): {chosen.action} {chosen.capacity}")
    for text in result.missing:
        paragraph(writer, f"Missing: {text}")
    if result.backtest.trusted is False:
        paragraph(writer, trust_text(result.backtest))


def _write_tables(writer: Writer, result: Report) -> None:
    types = [(one.type, one.jobs, seconds_text(one.service_p50_s), seconds_text(one.service_p95_s))
             for one in result.figures.types]  # fmt: skip
    projects = [(one.name, one.jobs, f"{one.load:.3f}") for one in result.figures.projects]
    if types:
        writer.line()
        writer.table(("TYPE", "JOBS", "P50", "P95"), types, right=(1, 2, 3))
        writer.line()
        writer.table(("PROJECT", "JOBS", "LOAD"), projects, right=(1, 2), folded=(0,))


def _cells(row: Row, now: int) -> tuple[object, ...]:
    erlang = "∞" if row.erlang_p95_s is None else seconds_text(row.erlang_p95_s)
    note = " · ".join(word for word, is_so in (("now", row.n == now), ("meets the target", row.meets)) if is_so)
    between = f"{seconds_text(row.low)} – {seconds_text(row.high)}"
    return (row.n, f"{row.utilisation:.0%}", seconds_text(row.wait_p50_s), seconds_text(row.wait_p95_s), between,
            seconds_text(row.wait_p99_s), erlang, note)  # fmt: skip


def write_advised(writer: Writer, result: Advised) -> None:
    """Print the advice for now and for later."""
    for one in result.outlook:
        when = f"In {one.in_days} days, {one.growth:.1f} × the work" if one.in_days else "Now"
        paragraph(writer, f"{when}: {one.advice}")
    if result.agents:
        paragraph(
            writer,
            f"Made jobs: {count(result.people, 'user')}. How many like them would be served, and a rule of thumb:",
        )
        rows = [(one.workers, _people(one), _rule(one)) for one in result.agents]
        writer.table(("WORKERS", "USERS HERE", "RULE"), rows, right=(0, 1, 2))
    if result.growth_per_day is None:
        paragraph(writer, "Later: not known. Two weeks of work show how fast it grows.")
    paragraph(writer, trust_text(result.backtest))


def _people(one: Served) -> str:
    return "-" if one.people is None else f"{one.people}{'+' if one.or_more else ''}"


def _rule(one: Served) -> str:
    return f"{one.rule_from}+" if one.rule_to is None else f"{one.rule_from}–{one.rule_to}"


def trust_text(test: Backtest) -> str:
    """Say how the prediction of the last day compares with it."""
    if test.predicted_p95_s is None or test.observed_p95_s is None:
        return f"How far this can be trusted is not known: {test.why}"
    compared = f"p95 of the last day: predicted {test.predicted_p95_s:.1f} s, observed {test.observed_p95_s:.1f} s."
    return f"Tried on the past: {compared}" if test.trusted else f"Do not trust this. {compared} {test.why}"
