"""The report of capacity: series, scenarios, the numbers that operators get with awk, and the page."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.cli.capacity_page import page
from qfc.operations.capacity_report import Report, capacity_report
from qfc.stack.capacity import (
    History,
    Looks,
    PastJob,
    histogram,
    last_hours,
    looks,
    queue_at_looks,
    scenario,
)
from qfc.stack.metrics import Sample, row
from queue_world import MemoryWorld, moment
from twins import MemoryPorts, memory_stack

#: 2026-11-02, a Monday.
BEGIN_S = 1793577600.0

jobs_of_an_hour = st.lists(st.tuples(st.integers(0, 3500), st.integers(0, 900), st.integers(1, 300)), max_size=30)


def history_of(rows: Sequence[tuple[int, int, int]], seconds: float = 3600.0) -> History:
    jobs = [PastJob("p", "package", "u", BEGIN_S + at, BEGIN_S + at + wait, BEGIN_S + at + wait + work)
            for at, wait, work in sorted(rows)]  # fmt: skip
    return History(jobs, BEGIN_S, BEGIN_S + seconds)


@given(jobs_of_an_hour)
def test_the_queue_at_a_look_is_what_waits_then(rows: list[tuple[int, int, int]]) -> None:
    history = history_of(rows)
    moments = [BEGIN_S + 300.0 * look for look in range(1, 13)]
    waiting = [sum(job.created_s <= moment < job.started_s for job in history.jobs) for moment in moments]
    assert queue_at_looks(history) == waiting


def test_hours_have_their_jobs_waits_and_longest_queue() -> None:
    found = last_hours(history_of([(0, 100, 10), (50, 200, 10), (60, 30, 10), (7200, 0, 10)], 3 * 3600.0))
    assert [(hour.jobs, hour.wait_p95_s, hour.queue) for hour in found[:3]] == [(3, 200, 3), (0, 0, 0), (1, 0, 0)]
    assert found[0].begin.isoformat() == "2026-11-02T00:00:00+00:00"
    assert len(last_hours(history_of([(0, 1, 1)], 30 * 86400.0))) == 168


def test_service_times_are_counted_by_classes_that_double() -> None:
    found = histogram(history_of([(0, 0, 1), (1, 0, 3), (2, 0, 3), (3, 0, 9)]))
    assert [(one.below_s, one.jobs) for one in found] == [(2, 1), (4, 2), (8, 0), (16, 1)]
    assert histogram(history_of([(0, 0, 5000)]))[0].below_s is None
    assert histogram(history_of([])) == ()


@pytest.mark.parametrize(
    ("average", "peak", "rate", "used", "letter"),
    [
        (0.4, 3, 0.95, 0.5, "A"),
        (4.9, 9, 0.91, 0.5, "A"),
        (5.0, 20, 0.95, 0.5, "B"),
        (0.4, 3, 0.85, 0.5, "B"),
        (10.1, 30, 0.99, 0.9, "C"),
        (0.0, 0, 0.79, 0.5, "C"),
        (0.0, 0, 1.0, 0.02, "D"),
        (0.0, 0, None, 0.02, "D"),
        (0.0, 1, 1.0, 0.02, "A"),
        (0.0, 0, 1.0, 0.5, "A"),
    ],
)
def test_scenarios_have_the_borders_that_operators_know(
    average: float, peak: int, rate: float | None, used: float, letter: str
) -> None:
    found = scenario(Looks(100, average, peak, "jobs"), rate, used, 4)
    assert found is not None
    assert found.letter == letter


def test_one_worker_is_not_one_too_many() -> None:
    assert getattr(scenario(Looks(100, 0.0, 0, "jobs"), 1.0, 0.01, 1), "letter", "") == "A"
    assert scenario(looks([], "jobs"), None, None, 2) is None


@pytest.fixture
def ports() -> MemoryPorts:
    """A stack that worked for eight days."""
    stack = memory_stack("field")
    stack.clock.moment = moment()
    stack.runtime.start(None)
    world, random = MemoryWorld(stack.jobs, stack.directory), Random(3)
    projects = [world.project(f"survey <{number}>") for number in range(4)]
    for made in sorted((random.uniform(1, 8 * 24 * 60) for _ in range(600)), reverse=True):
        start = max(made - random.expovariate(1.0), 0.6)
        project = random.choices(projects, (8, 4, 2, 1))[0]
        world.job(project, "finished", made=made, started=start, ended=start - random.uniform(0.05, 0.5))
    return stack


def test_awk_over_the_export_gives_the_numbers_of_the_report(ports: MemoryPorts, tmp_path: Path) -> None:
    random = Random(5)
    samples = [Sample(at=moment() - timedelta(minutes=5 * look), queue=random.randrange(9), processing=1, failed=0)
               for look in range(8 * 288)]  # fmt: skip
    ports.metrics_history.record_all(reversed(samples))
    seen = capacity_report(ports).queue
    assert (seen.source, seen.number) == ("measurements", len(samples))
    exported = tmp_path / "queue_metrics.log"
    with exported.open("w", newline="") as file:
        csv.writer(file).writerows(row(sample) for sample in samples)
    assert float(awk('{sum+=$2; count++} END {print "Avg queue:", sum/count}', exported)) == pytest.approx(
        seen.average, rel=1e-5
    )
    assert int(awk('{if($2>max) max=$2} END {print "Peak queue:", max}', exported)) == seen.peak


def awk(program: str, path: Path) -> str:
    called = subprocess.run(["awk", "-F,", program, path], capture_output=True, text=True, check=True)
    return called.stdout.split()[-1]


def test_without_measurements_the_jobs_tell_the_queue(ports: MemoryPorts) -> None:
    ports.metrics_history.record(Sample(at=moment(), queue=50, processing=0, failed=0, oldest_project_locked_s=3.0))
    found = capacity_report(ports)
    assert found.queue.source == "jobs"
    assert found.queue.number == pytest.approx(8 * 288, abs=10)
    assert found.locked_looks == 1
    assert found.scenario is not None
    assert found.scenario.letter == "A"


def shown(ports: MemoryPorts) -> tuple[Report, str]:
    result = capacity_report(ports)
    return result, page(result, "a & b")


def test_the_page_is_one_file_that_loads_nothing(ports: MemoryPorts) -> None:
    _, text = shown(ports)
    for outside in ("http", "src=", "url(", "@import", "<script", "<link", "javascript:"):
        assert outside not in text
    assert "Capacity of a &amp; b" in text


def test_the_page_has_every_plot(ports: MemoryPorts) -> None:
    result, text = shown(ports)
    body = text[text.index("<body>") : text.index("</body>") + len("</body>")]
    root = ElementTree.fromstring(body.replace("class=chosen", 'class="chosen"').replace("class=n", 'class="n"'))
    plots = [one for one in root.iter("svg") if one.get("role") == "img"]
    assert len(plots) == 3
    depth, waits, service = (len(list(one.iter("rect"))) for one in plots)
    assert depth == sum(hour.queue > 0 for hour in result.week)
    assert waits == sum(hour.wait_p95_s > 0 for hour in result.week)
    assert service == sum(one.jobs > 0 for one in result.service_times)
    assert "alice/survey &lt;0&gt;" in text
    assert "8.0 of 14 days are recorded" in text
    assert "Scenario A" in text


def test_an_empty_stack_has_a_page() -> None:
    stack = memory_stack()
    stack.runtime.start(None)
    _, text = shown(stack)
    assert "Scenario not known" in text
