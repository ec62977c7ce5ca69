"""Measure a stack: now, over time, as a table; and take over the measurements of an earlier script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import QfcError, UsageError
from ..stack.metrics import Grade, Judged, Sample, Thresholds, judge, oldest_waits, parse_log
from ..stack.model import Disk, QueueSnapshot, Service
from ..stack.ports import Ports
from ..stack.queue import living_workers
from .guard import Options, guarded
from .sync_recent import success_rate

WORKER = "worker_wrapper"
#: The span of failures, rates and durations.
SPAN = timedelta(hours=1)
#: As many waiting jobs are looked at; those behind them are younger.
MOST_JOBS = 1000


@dataclass(frozen=True)
class MetricsShown:
    """The present measurement with its grades, and those of the last hours, the oldest first."""

    hours: float
    now: Sample
    grade: Grade
    judged: tuple[Judged, ...]
    history: tuple[Sample, ...]


@dataclass(frozen=True)
class MetricsImported:
    """Measurements that were taken over from a log; `skipped` lines of it are none."""

    dry_run: bool
    steps: tuple[str, ...]
    imported: int
    skipped: int
    first: datetime | None
    last: datetime | None


def measure(ports: Ports) -> Sample:
    """Measure a stack now. Raises UnreachableError where its queue cannot be read."""
    snapshot = ports.jobs.snapshot(limit=MOST_JOBS)
    ended = ports.jobs.statistics(since=ports.clock.now() - SPAN)
    services, disk = _services(ports), _disk(ports)
    workers, busy = _workers(snapshot, services)
    waits = oldest_waits(snapshot)
    return Sample(
        at=ports.clock.now(),
        queue=snapshot.depth.pending + snapshot.depth.queued,
        processing=snapshot.depth.started,
        failed=ended.failed,
        finished=ended.finished,
        success_rate=success_rate(ended),
        run_p50_s=ended.run.p50,
        run_p95_s=ended.run.p95,
        wait_p95_s=ended.wait.p95,
        oldest_no_free_worker_s=waits.no_free_worker_s,
        oldest_project_busy_s=waits.project_busy_s,
        oldest_project_locked_s=waits.project_locked_s,
        workers=workers,
        workers_busy=busy,
        disk_free_bytes=disk and disk.free_bytes,
        disk_total_bytes=disk and disk.total_bytes,
        restarts=_restarts(services),
    )


def metrics_show(ports: Ports, limits: Thresholds, *, hours: float) -> MetricsShown:
    """Measure a stack, record that, and return it with the measurements of the last hours."""
    _check(hours)
    now = measure(ports)
    lasting = timedelta(hours=max(hours, 2 * limits.queue_bad_minutes / 60))
    history = ports.metrics_history.samples(now.at - lasting)
    ports.metrics_history.record(now)
    judged = judge(now, history, limits)
    shown = tuple(one for one in history if one.at >= now.at - timedelta(hours=hours))
    return MetricsShown(hours, now, _worst(judged), judged, (*shown, now))


def metrics_history(ports: Ports, *, hours: float) -> tuple[Sample, ...]:
    """Return the measurements of the last hours, the oldest first."""
    _check(hours)
    return ports.metrics_history.samples(ports.clock.now() - timedelta(hours=hours))


def metrics_import(ports: Ports, lines: Iterable[str], options: Options) -> MetricsImported:
    """Take the measurements of a `queue_metrics.log` over. Doing it again changes nothing. Raises UsageError."""
    found, skipped = parse_log(lines)
    if not found:
        raise UsageError("The file has no measurement.", hint="Its lines are like: 2026-01-08 09:05:00,3,1,0")
    with guarded(ports, "metrics import", target="", options=options, of_moved=True) as guard:
        if guard.step(f"Take {len(found)} measurements over") and not ports.metrics_history.record_all(found):
            raise QfcError("The measurements cannot be stored.", hint=f"Check free space and rights of {ports.folder}.")
        times = [one.at for one in found]
        return MetricsImported(guard.dry_run, guard.steps, len(found), skipped, min(times), max(times))


def _check(hours: float) -> None:
    if not 0 < hours <= 24 * 366 * 2:
        raise UsageError(f"Cannot look back {hours:g} hours.", hint="Give more than 0, at most two years.")


def _worst(judged: Iterable[Judged]) -> Grade:
    grades = [one.grade for one in judged]
    return next((one for one in (Grade.BAD, Grade.WARNING, Grade.GOOD) if one in grades), Grade.UNKNOWN)


def _services(ports: Ports) -> tuple[Service, ...]:
    try:
        return ports.runtime.services()
    except QfcError:
        return ()


def _disk(ports: Ports) -> Disk | None:
    try:
        return ports.runtime.disk()
    except QfcError:
        return None


def _workers(snapshot: QueueSnapshot, services: Iterable[Service]) -> tuple[int | None, int]:
    """Return the number of running workers, and of those that hold a job."""
    if snapshot.workers is not None:
        living = living_workers(snapshot)
        return len(living), sum(one.state == "busy" for one in living)
    running = next((one.running for one in services if one.name == WORKER), None)
    return running, snapshot.depth.queued + snapshot.depth.started


def _restarts(services: Iterable[Service]) -> int | None:
    known = [one.restarts for service in services for one in service.instances if one.restarts is not None]
    return sum(known) if known else None
