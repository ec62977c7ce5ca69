"""`qfc capacity benchmark`: a load test of a stack of one's own."""

from __future__ import annotations

import click

from ..operations.benchmark.run import Benchmarked, LoadTest, Step, capacity_benchmark
from ..stack.capacity import PROFILES
from .numbers import numbers_of
from .output import Writer, seconds_text
from .session import Session, pass_session
from .tables import paragraph

HEADS = ("WORKERS", "JOBS/MIN", "WORK P50", "WAIT P50", "WAIT P95", "PREDICTED", "OFF", "SYNC P95")


@click.command("benchmark")
@click.option("--workers", default="1,2,4", show_default=True, metavar="N,M", help="Numbers of workers to try.")
@click.option("--minutes", type=float, default=5.0, show_default=True, help="Minutes with each number of workers.")
@click.option("--agents", type=int, default=20, show_default=True, help="People in the field.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="heavy",
    show_default=True,
    help="How often they synchronise: every hour, every 20 or every 5 minutes.",
)
@click.option("--pace", type=float, default=1.0, show_default=True, help="So many times as often as the profile says.")
@click.option("--projects", type=int, help="Projects they work on, most people on the first; by default one for four.")
@click.option("--yes-really", metavar="NAME", help="Load the stack NAME although it has projects of people.")
@pass_session
def benchmark_command(
    session: Session,
    workers: str,
    minutes: float,
    agents: int,
    profile: str,
    pace: float,
    projects: int | None,
    yes_really: str | None,
) -> None:
    """Load a stack of your own with simulated people in the field, and compare it with the simulation.

    They push edits and photos, wait for packages and download them, through the API as phones do. The projects of the
    test are removed and the number of workers is put back, also after the test was killed.
    """
    test = LoadTest(numbers_of(workers), minutes, agents, PROFILES[profile], pace, projects, yes_really)
    result = capacity_benchmark(session.ports, test, session.options)
    rates = " ".join(f"{step.jobs.jobs_per_min:.1f}" for step in result.levels)
    session.writer.result(result, lambda writer: write_benchmarked(writer, result), quiet=rates)


def write_benchmarked(writer: Writer, result: Benchmarked) -> None:
    """Print what was observed beside what the simulation says."""
    if result.dry_run:
        writer.plan(result.steps)
        return
    pace = "" if result.pace == 1 else f", {result.pace:g} × as often"
    writer.line(f"{result.agents} agents on {result.projects} projects, {result.profile} use{pace}")
    writer.table(HEADS, [_cells(step) for step in result.levels], right=tuple(range(8)))
    problems = sum(step.problems for step in result.levels)
    if problems:
        first = next(step.problem for step in result.levels if step.problem)
        paragraph(writer, f"{problems} synchronisations failed, the first with: {first}")
    if result.remark:
        paragraph(writer, result.remark)


def _cells(step: Step) -> tuple[object, ...]:
    seen = step.jobs
    off = "-" if seen.error is None else f"{seen.error:.0%}"
    waits = (seen.service_p50_s, seen.wait_p50_s, seen.wait_p95_s, seen.predicted_p95_s)
    sync = "-" if step.sync_p95_s is None else seconds_text(step.sync_p95_s)
    return (seen.n, f"{seen.jobs_per_min:.1f}", *map(short_text, waits), off, sync)


def short_text(seconds: float) -> str:
    """Return a duration that may be far below a second."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else seconds_text(seconds)
