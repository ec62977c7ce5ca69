"""`qfc metrics`: queue, failures and durations, now and over time."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TextIO

import click

from ..config import MetricsConfig
from ..errors import ConfigError
from ..operations.metrics import (
    MetricsImported,
    MetricsShown,
    measure,
    metrics_history,
    metrics_import,
    metrics_show,
)
from ..operations.queue_change import count
from ..stack.metrics import COLUMNS, Sample, Thresholds, row
from .bars import bars, by_time
from .output import Writer, bytes_text, moment_text, seconds_text
from .session import Session, pass_session

#: Columns of a plot.
WIDTH = 48
#: The plots: what each shows, and of what.
PLOTS: tuple[tuple[str, Callable[[Sample], float | None]], ...] = (
    ("Waiting", lambda one: one.queue),
    ("Running", lambda one: one.processing),
    ("Failed", lambda one: one.failed),
    ("Took, p50", lambda one: one.run_p50_s),
    ("Took, p95", lambda one: one.run_p95_s),
)
hours_option = click.option("--hours", type=float, default=24.0, show_default=True, help="Hours to look back.")


@click.group("metrics")
def command() -> None:
    """Show queue, failures and durations, now and over time; export them for other programs."""


@command.command("show")
@hours_option
@pass_session
def show_command(session: Session, hours: float) -> None:
    """Measure now, record that, and show it with the recorded hours. Good, warning and bad are configurable."""
    limits = Thresholds(**asdict(session.config.table(MetricsConfig)))
    result = metrics_show(session.ports, limits, hours=hours)
    session.writer.result(result, lambda writer: _write(writer, result), quiet=result.grade)


@command.command("export")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values: timestamp,queue,processing,failed,…")
@click.option("--header", is_flag=True, help="With --csv: print the names of the columns first.")
@hours_option
@pass_session
def export_command(session: Session, as_csv: bool, header: bool, hours: float) -> None:
    """Print the recorded measurements; without --csv as JSON."""
    samples = metrics_history(session.ports, hours=hours)
    if as_csv and not session.json:
        _write_csv(sys.stdout, samples, header=header)
        return
    writer = Writer(as_json=True, quiet=False, stack=session.stack)
    writer.result({"samples": samples}, lambda _: None)


@command.command("import")
@click.argument("log", type=click.File(encoding="utf-8", errors="replace"))
@pass_session
def import_command(session: Session, log: TextIO) -> None:
    """Take the measurements of LOG over, a queue_metrics.log of the earlier script; - reads standard input."""
    result = metrics_import(session.ports, log, session.options)
    session.writer.result(result, lambda writer: _write_imported(writer, result), quiet=str(result.imported))


@command.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=9840, show_default=True, help="The port to listen at.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@pass_session
def serve_command(session: Session, port: int, host: str) -> None:
    """Serve the measurements for Prometheus, at /metrics, until interrupted. It has no password."""
    try:
        from .metrics_endpoint import serve
    except ImportError as error:
        raise ConfigError(
            ["The package prometheus-client is not installed."], hint="Type: pip install 'qfieldcloud-suite[metrics]'"
        ) from error
    ports = session.ports
    session.writer.remark(f"Serving http://{host}:{port}/metrics; stop with Ctrl-C.")
    serve(ports.name, lambda: measure(ports), host=host, port=port, record=ports.metrics_history.record)


def _write(writer: Writer, result: MetricsShown) -> None:
    now = result.now
    rate = "" if now.success_rate is None else f" · {now.success_rate:.0%} succeeded"
    writer.line(f"Now  {now.queue} waiting · {now.processing} running · {now.failed} failed in the last hour{rate}")
    writer.line(
        f"Oldest wait  {seconds_text(now.oldest_no_free_worker_s)} for a free worker · "
        f"{seconds_text(now.oldest_project_busy_s)} for a busy project · "
        f"{seconds_text(now.oldest_project_locked_s)} for a locked project"
    )
    writer.line(f"Took  half within {seconds_text(now.run_p50_s)} · 95 % within {seconds_text(now.run_p95_s)}")
    workers = "unknown" if now.workers is None else f"{now.workers_busy} of {now.workers} busy"
    disk = f"{bytes_text(now.disk_free_bytes)} of {bytes_text(now.disk_total_bytes)} free"
    restarts = "" if now.restarts is None else f"   Restarts  {now.restarts}"
    writer.line(f"Workers  {workers}   Disk  {disk}{restarts}")
    writer.line()
    for one in result.judged:
        writer.line(f"{one.grade.ljust(8)} {one.sentence}")
    _write_plots(writer, result)


def _write_plots(writer: Writer, result: MetricsShown) -> None:
    writer.line()
    begin, end = result.history[0].at, result.now.at
    writer.line(f"{count(len(result.history), 'measurement')} since {moment_text(begin)}:")
    for name, value in PLOTS:
        points = [(one.at, value(one)) for one in result.history]
        highest = max((found for _, found in points if found is not None), default=None)
        line = bars(by_time(points, begin, end, min(WIDTH, len(points))))
        writer.line(f"{name.ljust(10)} {line} {'' if highest is None else f'at most {highest:g}'}".rstrip())


def _write_csv(out: TextIO, samples: Sequence[Sample], *, header: bool) -> None:
    rows = csv.writer(out, lineterminator="\n")
    if header:
        rows.writerow(COLUMNS)
    rows.writerows(row(one) for one in samples)


def _write_imported(writer: Writer, result: MetricsImported) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    writer.line(f"{result.imported} measurements from {moment_text(result.first)} to {moment_text(result.last)}.")
    if result.skipped:
        writer.line(f"{result.skipped} lines are no measurements; they were left out.")
