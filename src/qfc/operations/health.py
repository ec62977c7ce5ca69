"""Probe a stack the way its clients reach it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

from ..errors import NotFoundError, QfcError
from ..stack.api_status import STATUS, judge_status
from ..stack.findings import Finding, Severity, clear, problem, worst
from ..stack.health import of_disk, of_queue, of_service
from ..stack.model import ApiAnswer, Verdict
from ..stack.ports import Ports
from .health_legs import legs, probe

#: A median response time above this, in milliseconds, is a warning.
SLOW_MS = 1000
SAMPLES = 5


@dataclass(frozen=True)
class HealthReport:
    """All checks; the worst one is the verdict. A leg that cannot be probed from here does not count."""

    stack: str
    verdict: Verdict
    checks: tuple[Finding, ...]


def health(ports: Ports, *, thorough: bool = False) -> HealthReport:
    """Probe processes, API, database, storage, queue, disk and response time.

    `thorough` also probes each leg: public address, nginx, application, cache, workers, and a file round trip.
    """
    further = legs(ports) if thorough else ()
    checks = (
        *map(of_service, ports.runtime.services()),
        probe("api", lambda: ports.api.get(STATUS), judge_status),
        probe("database", ports.directory.database, lambda facts: clear("database", f"PostgreSQL {facts.version}")),
        _storage(ports),
        probe("queue", ports.workload.depth, of_queue),
        probe("disk", ports.runtime.disk, of_disk),
        _response_time(ports),
    )
    known = [check for check in further if check.verdict is not Verdict.UNKNOWN]
    return HealthReport(ports.name, worst([*checks, *known]), (*checks, *further))


def endpoint(ports: Ports, path: str) -> HealthReport:
    """Probe one address of the API."""
    check = probe("endpoint", lambda: ports.api.get(path), lambda answer: _judge_answer(path, answer))
    return HealthReport(ports.name, check.verdict, (check,))


def _judge_answer(path: str, answer: ApiAnswer) -> Finding:
    detail = f"{path} answered {answer.status}, {len(answer.content)} bytes"
    if answer.status < 400:
        return clear("endpoint", detail)
    return problem("endpoint", Severity.WARNING if answer.status < 500 else Severity.CRITICAL, detail)


def _storage(ports: Ports) -> Finding:
    """Check whether the store can be read: its first object, if any."""

    def look() -> str:
        key, size = next(iter(ports.objects.keys()), ("", 0))
        if not key:
            return "the store is empty"
        try:
            with ports.objects.get(key) as content:
                content.read(1)
        except NotFoundError:
            return "readable; the object has just been removed"
        return f"readable; first object has {size} bytes"

    return probe("storage", look, lambda detail: clear("storage", detail))


def _response_time(ports: Ports) -> Finding:
    """Measure the response time of a request that needs no work."""
    try:
        times = sorted(ports.api.get(STATUS).seconds * 1000 for _ in range(SAMPLES))
    except QfcError as error:
        return problem("latency", Severity.CRITICAL, error.message)
    middle = round(median(times), 1)
    detail = f"median of {SAMPLES} answers; {times[0]:.0f} to {times[-1]:.0f} ms"
    found = problem("latency", Severity.WARNING, detail) if middle > SLOW_MS else clear("latency", detail)
    return replace(found, latency_ms=middle)
