"""Searching logs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qfc.errors import NotFoundError, UsageError
from qfc.operations.logs import Expression, LogQuery, logs, span
from qfc.stack.model import LogLine
from twins import MemoryPorts, memory_stack


@pytest.fixture
def ports() -> MemoryPorts:
    """A stack with six log lines, a minute apart; every second one is about a job."""
    made = memory_stack()
    for number in range(6):
        service, job = ("app", None) if number % 2 else ("worker_wrapper", f"job-{number}")
        made.runtime.lines.append(LogLine(service, service, made.clock.now(), "INFO", f"line {number}", job))
        made.clock.sleep(60)
    return made


def texts(ports: MemoryPorts, query: LogQuery) -> list[str]:
    return [line.text for line in logs(ports, query)]


def test_the_last_lines_that_fit_are_given(ports: MemoryPorts) -> None:
    assert texts(ports, LogQuery(lines=2)) == ["line 4", "line 5"]
    assert texts(ports, LogQuery(lines=1, grep="line [0-2]")) == ["line 2"]
    assert texts(ports, LogQuery(services=["app"], lines=2)) == ["line 3", "line 5"]


def test_lines_of_a_job_are_found_by_its_id_or_its_beginning(ports: MemoryPorts) -> None:
    assert texts(ports, LogQuery(job="job-2")) == ["line 2"]
    assert texts(ports, LogQuery(job="job-")) == ["line 0", "line 2", "line 4"]


def test_since_counts_back_from_now(ports: MemoryPorts) -> None:
    assert texts(ports, LogQuery(since=timedelta(minutes=2))) == ["line 4", "line 5"]


def test_a_service_that_is_not_there_is_told(ports: MemoryPorts) -> None:
    with pytest.raises(NotFoundError, match="nginx"):
        texts(ports, LogQuery(services=["nginx"]))


def test_a_wrong_expression_is_wrong_usage(ports: MemoryPorts) -> None:
    with pytest.raises(UsageError):
        logs(ports, LogQuery(grep="("))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("3d", 259200), ("1w", 604800), ("1h 30m", 5400)]
)
def test_spans(text: str, seconds: int) -> None:
    assert span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "h", "2", "yesterday", "2 hours", "-1h"])
def test_what_is_no_span_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="not a time span"):
        span(text)


def test_no_expression_takes_long(ports: MemoryPorts) -> None:
    pattern = Expression("(a+)+$")
    assert not pattern.is_in("a" * 100_000 + "b")
    assert pattern.is_in("ü" + "a" * 100_000)
