"""The endpoint for Prometheus. The names of its metrics do not change; dashboards and rules rely on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..errors import QfcError, UsageError
from ..stack.metrics import Sample

#: Seconds for which a measurement is current: several scrapers cost no more than one.
FRESH_S = 5.0
#: Seconds from one record to the next.
RECORD_S = 60.0
Gauge = tuple[str, str, str, dict[str, Callable[[Sample], float | None]]]
#: Name, meaning, name of the label ("" without one), and the value by each value of the label.
GAUGES: tuple[Gauge, ...] = (
    ("qfc_queue_jobs", "Jobs that wait or run, by state.", "state",
     {"waiting": lambda one: one.queue, "processing": lambda one: one.processing}),
    ("qfc_queue_oldest_wait_seconds", "How long the oldest job has waited, by reason; 0 without one.", "reason",
     {"no_free_worker": lambda one: one.oldest_no_free_worker_s,
      "project_busy": lambda one: one.oldest_project_busy_s,
      "project_locked": lambda one: one.oldest_project_locked_s}),
    ("qfc_jobs_last_hour", "Jobs that ended in the last hour, by result.", "result",
     {"finished": lambda one: one.finished, "failed": lambda one: one.failed}),
    ("qfc_jobs_success_ratio", "Share of the jobs of the last hour that succeeded.", "",
     {"": lambda one: one.success_rate}),
    ("qfc_job_duration_seconds", "Start to end of jobs of the last hour, by quantile.", "quantile",
     {"0.5": lambda one: one.run_p50_s, "0.95": lambda one: one.run_p95_s}),
    ("qfc_job_wait_seconds", "Creation to start of jobs of the last hour, by quantile.", "quantile",
     {"0.95": lambda one: one.wait_p95_s}),
    ("qfc_workers", "Workers, by state.", "state",
     {"running": lambda one: one.workers, "busy": lambda one: one.workers_busy}),
    ("qfc_disk_free_bytes", "Free space of the fullest disk.", "", {"": lambda one: one.disk_free_bytes}),
    ("qfc_disk_size_bytes", "Size of that disk.", "", {"": lambda one: one.disk_total_bytes}),
    ("qfc_service_restarts", "Unrequested restarts of the present processes or containers.", "",
     {"": lambda one: one.restarts}),
)  # fmt: skip
UP = "qfc_up"


class StackCollector(Collector):
    """Measures a stack when it is scraped. `qfc_up` is 0, and nothing else is told, while it cannot be measured."""

    def __init__(self, stack: str, measure: Callable[[], Sample], record: Callable[[Sample], None]) -> None:
        self._stack, self._measure, self._record = stack, measure, record
        self._lock = threading.Lock()
        self._known: tuple[float, Sample | None] | None = None
        self._recorded = float("-inf")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all metrics; one without a value is left out."""
        sample = self._current()
        up = GaugeMetricFamily(UP, "Whether the stack could be measured.", labels=["stack"])
        up.add_metric([self._stack], float(sample is not None))
        yield up
        for name, meaning, label, values in GAUGES if sample else ():
            family = GaugeMetricFamily(name, meaning, labels=["stack", *([label] if label else [])])
            for value, read in values.items():
                number = read(sample) if sample else None
                if number is not None:
                    family.add_metric([self._stack, *([value] if label else [])], number)
            yield family

    def _current(self) -> Sample | None:
        with self._lock:
            now = time.monotonic()
            if self._known is None or now - self._known[0] > FRESH_S:
                self._known = (now, self._measured(now))
            return self._known[1]

    def _measured(self, now: float) -> Sample | None:
        try:
            sample = self._measure()
        except QfcError:
            return None
        if now - self._recorded >= RECORD_S:
            self._recorded = now
            self._record(sample)
        return sample


def serve(stack: str, measure: Callable[[], Sample], *, host: str, port: int, record: Callable[[Sample], None]) -> None:
    """Serve until interrupted. Raises UsageError if the port cannot be used."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StackCollector(stack, measure, record))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise UsageError(f"Cannot listen at {host}:{port}: {error.strerror}.", hint="Choose another --port.") from error
    try:
        thread.join()
    except KeyboardInterrupt:
        server.shutdown()
    finally:
        server.server_close()
