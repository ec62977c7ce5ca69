"""Measurements: what is measured, how it is judged, kept, exported, and taken over from an earlier script."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, start_http_server

from qfc.cli.bars import bars, by_time
from qfc.cli.metrics_endpoint import GAUGES, UP, StackCollector
from qfc.drivers.metrics_history import DAMAGED, FILE, SqliteMetricsHistory
from qfc.errors import UnreachableError, UsageError
from qfc.operations.guard import Options
from qfc.operations.metrics import measure, metrics_import, metrics_show
from qfc.stack.metrics import (
    COLUMNS,
    Grade,
    OldestWaits,
    Sample,
    Thresholds,
    judge,
    oldest_waits,
    parse_log,
    row,
)
from qfc.stack.model import Job, JobStatus, QueueDepth, QueueSnapshot, WaitingCounts
from qfc.stack.ports import MetricsHistory
from requirements import require
from twins import memory_stack
from twins.records import MemoryMetricsHistory

EXTRAS = Path(__file__).parents[2] / "extras"
NOW = datetime.now(UTC).replace(microsecond=0)
LOG = """2026-01-08 09:00:00,3,1,0
2026-01-08 09:05:00,      12,      4,      1
2026-01-08 09:10:00,,,
Error response from daemon: no such container
2026-01-08 09:15:00,0,2,0

"""


def sample(queue: int = 0, *, minutes: float = 0, **more: Any) -> Sample:
    return Sample(NOW - timedelta(minutes=minutes), queue, 0, 0, **more)


def job(name: str, project: str, minutes: float, **more: Any) -> Job:
    created = NOW - timedelta(minutes=minutes)
    return Job(name, "package", JobStatus.PENDING, project, f"anna/{project}", "anna", created, **more)


def test_the_oldest_waits_are_told_apart_by_reason() -> None:
    """More workers help only a job that waits for one; the other reasons hide behind a single number."""
    active = (replace(job("a", "one", 50), status=JobStatus.STARTED),)
    pending = (
        job("b", "one", 40),
        job("c", "two", 30, project_locked_at=NOW),
        job("d", "three", 20, not_before=NOW + timedelta(minutes=1)),
        job("e", "four", 10),
        job("f", "four", 5),
    )
    snapshot = QueueSnapshot(NOW, QueueDepth(5, 0, 1, 2400), WaitingCounts(1, 1, 1, 2), active, pending, None)
    assert oldest_waits(snapshot) == OldestWaits(600.0, 2400.0, 1800.0)
    assert oldest_waits(replace(snapshot, pending=())) == OldestWaits(0.0, 0.0, 0.0)


def grade_of(name: str, now: Sample, *history: Sample, limits: Thresholds | None = None) -> Grade:
    return next(one.grade for one in judge(now, history, limits or Thresholds()) if one.name == name)


@pytest.mark.parametrize(
    ("queue", "grade"), [(0, "good"), (4, "good"), (5, "warning"), (10, "warning"), (11, "warning")]
)
def test_a_queue_is_judged_by_its_length(queue: int, grade: str) -> None:
    assert grade_of("queue", sample(queue)) == grade


def test_a_long_queue_is_bad_only_if_it_lasts() -> None:
    long = [sample(11, minutes=minutes) for minutes in range(35, 0, -5)]
    assert grade_of("queue", sample(11), *long) is Grade.BAD
    assert grade_of("queue", sample(11), *long[3:]) is Grade.WARNING, "not watched for long enough"
    once_short = [*long[:4], sample(3, minutes=12), *long[5:]]
    assert grade_of("queue", sample(11), *once_short) is Grade.WARNING
    assert grade_of("queue", sample(11), sample(11, minutes=500)) is Grade.WARNING, "nobody looked for hours"
    assert grade_of("queue", sample(11), *long, limits=Thresholds(queue_bad=20)) is Grade.WARNING


@pytest.mark.parametrize(
    ("rate", "grade"), [(1.0, "good"), (0.91, "good"), (0.9, "warning"), (0.8, "bad"), (0.0, "bad"), (None, "unknown")]
)
def test_the_success_rate_is_judged(rate: float | None, grade: str) -> None:
    assert grade_of("success", sample(success_rate=rate)) == grade


@pytest.mark.parametrize(
    ("seconds", "grade"), [(1.0, "good"), (119.9, "good"), (120.0, "warning"), (240.0, "bad"), (None, "unknown")]
)
def test_the_duration_is_judged(seconds: float | None, grade: str) -> None:
    assert grade_of("duration", sample(run_p50_s=seconds)) == grade


@pytest.fixture(params=["memory", "file"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> MetricsHistory:
    return MemoryMetricsHistory() if request.param == "memory" else SqliteMetricsHistory(tmp_path / "new" / "stack")


def test_measurements_are_kept_in_order(history: MetricsHistory) -> None:
    assert history.samples(NOW - timedelta(days=9)) == ()
    known = [sample(1, minutes=30, run_p50_s=3.5, workers=2), sample(2, minutes=20), sample(3)]
    for one in (known[2], known[0]):
        history.record(one)
    assert history.record_all([known[1]]) == 1
    assert history.samples(NOW - timedelta(days=9)) == tuple(known)
    assert history.samples(known[1].at) == tuple(known[1:])
    history.record(replace(known[2], queue=9))
    assert [one.queue for one in history.samples(NOW - timedelta(days=9))] == [1, 2, 9]


def test_old_measurements_are_thinned(tmp_path: Path) -> None:
    history, day = SqliteMetricsHistory(tmp_path), 24 * 60.0
    spans = {1 * day: 60, 8 * day: 60, 100 * day: 240, 800 * day: 60}
    history.record_all(sample(1, minutes=begin + minute) for begin, many in spans.items() for minute in range(many))
    history.record(sample(7))
    ages = [(NOW - one.at).total_seconds() / 60 for one in history.samples(NOW - timedelta(days=1000))]
    counts = {begin: sum(begin <= age < begin + 300 for age in ages) for begin in spans}
    assert counts[1 * day] == 60
    assert 12 <= counts[8 * day] <= 13
    assert 4 <= counts[100 * day] <= 5
    assert counts[800 * day] == 0


def test_a_measurement_of_the_future_is_dropped(tmp_path: Path) -> None:
    """The clock was wrong: it would be the newest one for years."""
    history = SqliteMetricsHistory(tmp_path)
    history.record(sample(1, minutes=-3 * 24 * 60))
    history.record(sample(2))
    assert [one.queue for one in history.samples(NOW - timedelta(days=9))] == [2]


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all " * 200)
    history = SqliteMetricsHistory(tmp_path)
    assert history.samples(NOW - timedelta(days=9)) == ()
    history.record(sample(4))
    assert [one.queue for one in history.samples(NOW - timedelta(days=9))] == [4]
    assert (tmp_path / DAMAGED).read_bytes().startswith(b"no database")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_used_stops_nothing(tmp_path: Path) -> None:
    history = SqliteMetricsHistory(tmp_path)
    history.record(sample(1))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("begin exclusive")
        assert history.record_all([sample(2)]) == 0
    (tmp_path / "file").write_text("")
    assert SqliteMetricsHistory(tmp_path / "file" / "below").record_all([sample(1)]) == 0


def test_a_row_of_another_release_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    history = SqliteMetricsHistory(tmp_path)
    history.record(sample(1))
    rows = [(1, "{}"), (2, "x"), (int(NOW.timestamp()) - 9, json.dumps({**sample(2, minutes=1).document(), "new": 3}))]
    with closing(sqlite3.connect(tmp_path / FILE)) as other, other:
        other.executemany("insert into sample values (?, ?)", rows)
    assert [one.queue for one in history.samples(datetime(1970, 1, 1, tzinfo=UTC))] == [2, 1]


def test_a_stack_is_measured_recorded_and_shown() -> None:
    ports = memory_stack()
    ports.runtime.start(None)
    shown = metrics_show(ports, Thresholds(), hours=24)
    assert shown.now == replace(measure(ports), at=shown.now.at)
    assert (shown.now.queue, shown.grade) == (0, Grade.GOOD)
    ports.clock.sleep(60)
    assert metrics_show(ports, Thresholds(), hours=24).history[0] == shown.now
    with pytest.raises(UsageError, match="look back"):
        metrics_show(ports, Thresholds(), hours=0)


def test_the_log_of_the_earlier_script_is_taken_over() -> None:
    ports = memory_stack()
    planned = metrics_import(ports, LOG.splitlines(), Options(dry_run=True))
    assert (planned.imported, ports.metrics_history.samples(datetime(2020, 1, 1, tzinfo=UTC))) == (3, ())
    for _ in range(2):
        done = metrics_import(ports, LOG.splitlines(), Options())
        assert (done.imported, done.skipped) == (3, 2)
    kept = ports.metrics_history.samples(datetime(2020, 1, 1, tzinfo=UTC))
    assert [(one.queue, one.processing, one.failed) for one in kept] == [(3, 1, 0), (12, 4, 1), (0, 2, 0)]
    with pytest.raises(UsageError, match="no measurement"):
        metrics_import(ports, ["timestamp,queue,processing,failed"], Options())


WHOLE = st.integers(0, 10**6)
SAMPLES = st.builds(Sample, st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)), WHOLE, WHOLE, WHOLE)


@given(st.lists(SAMPLES, max_size=5), st.integers(-12, 12))
def test_what_is_exported_is_read_again(samples: list[Sample], hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    found, skipped = parse_log((",".join(row(one, zone)) for one in samples), zone)
    assert (found, skipped) == (tuple(replace(one, at=one.at.replace(microsecond=0)) for one in samples), 0)


def test_the_awk_lines_of_the_earlier_script_read_the_export(tmp_path: Path) -> None:
    """Its users calculate an average and find the peak with these two lines."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(row(sample(queue, run_p50_s=2.5)) for queue in (3, 12, 0))
    path = tmp_path / "queue_metrics.log"
    path.write_text(written.getvalue())

    def awk(program: str) -> str:
        return subprocess.run(["awk", "-F,", program, path], check=True, capture_output=True, text=True).stdout.strip()

    assert awk('{sum+=$2; count++} END {print "Avg queue:", sum/count}') == "Avg queue: 5"
    assert awk('{if($2>max) max=$2} END {print "Peak queue:", max}') == "Peak queue: 12"
    assert COLUMNS[:4] == ("timestamp", "queue", "processing", "failed")
    assert len(row(sample())) == len(COLUMNS)


def test_plots_show_gaps_and_every_value_above_nothing() -> None:
    assert bars([None, 0, 0.001, 8]) == "· ▁█"
    begin = NOW - timedelta(minutes=40)
    points = [(NOW - timedelta(minutes=minutes), float(minutes)) for minutes in (39, 35, 5, 0)]
    assert by_time(points, begin, NOW, 4) == [39.0, None, None, 5.0]
    assert by_time([(NOW, 3.0)], NOW, NOW, 1) == [3.0]


def scraped(collector: StackCollector) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
            return answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def endpoint(measured: Callable[[], Sample]) -> tuple[StackCollector, list[Sample]]:
    recorded: list[Sample] = []
    return StackCollector("field", measured, recorded.append), recorded


def test_prometheus_scrapes_the_measurements() -> None:
    collector, recorded = endpoint(lambda: sample(3, success_rate=0.5, run_p95_s=2.0, oldest_project_busy_s=9.0))
    text = scraped(collector)
    assert 'qfc_up{stack="field"} 1.0' in text
    assert 'qfc_queue_jobs{stack="field",state="waiting"} 3.0' in text
    assert 'qfc_queue_oldest_wait_seconds{reason="project_busy",stack="field"} 9.0' in text
    assert 'qfc_job_duration_seconds{quantile="0.95",stack="field"} 2.0' in text
    assert 'quantile="0.5"' not in text, "what was not measured is left out"
    scraped(collector)
    assert len(recorded) == 1, "scrapers do not fill the history"


def test_a_stack_that_cannot_be_measured_is_not_well() -> None:
    def fail() -> Sample:
        raise UnreachableError("The database does not answer.")

    text = scraped(endpoint(fail)[0])
    assert 'qfc_up{stack="field"} 0.0' in text
    assert "qfc_queue_jobs{" not in text


NAMES = {UP, *(name for name, *_ in GAUGES)}


def test_dashboard_and_rules_use_only_metrics_that_exist() -> None:
    rules = yaml.safe_load((EXTRAS / "prometheus/qfc.rules.yml").read_text())
    dashboard = json.loads((EXTRAS / "grafana/qfc.json").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for used in (expressions, shown):
        assert set(re.findall(r"\bqfc_\w+", " ".join(used))) <= NAMES
    assert set(re.findall(r"\bqfc_\w+", " ".join(shown))) == NAMES
    assert {one.name for one in fields(Thresholds)} >= {"queue_bad", "success_warning"}


def test_promtool_accepts_the_rules() -> None:
    """Debian has promtool in its package prometheus; CI installs it."""
    import shutil

    require("promtool", shutil.which("promtool") is not None, "the program promtool, of Debian's package prometheus")
    folder = EXTRAS / "prometheus"
    for words in (["check", "rules", "qfc.rules.yml"], ["test", "rules", "qfc.rules.test.yml"]):
        done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
