"""Probe a stack leg by leg, as its clients reach it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from ..errors import NotFoundError, QfcError
from ..stack.health import Finding, of_queue, of_service, worst
from ..stack.model import ApiAnswer, Service, Verdict
from ..stack.ports import Ports
from .health_legs import STATUS, Check, judge_status, legs, probe

#: An answer that takes longer, in milliseconds, is worth a look.
SLOW_MS = 1000
SAMPLES = 5


@dataclass(frozen=True)
class HealthReport:
    """All checks; the worst of them is the verdict. A leg that cannot be told from here says nothing and counts not."""

    stack: str
    verdict: Verdict
    checks: tuple[Check, ...]


def health(ports: Ports, *, thorough: bool = False) -> HealthReport:
    """Probe processes, API, database, storage, queue and response time.

    A `thorough` look goes leg by leg: public address, nginx, application, cache, workers, and a file up and down.
    """
    services = {service.name: service for service in ports.runtime.services()}
    answer = probe("api", lambda: ports.api.get(STATUS), judge_status)
    further = legs(ports) if thorough else ()
    checks = (
        *(_service(service) for service in services.values()),
        answer,
        probe("database", ports.directory.database, lambda facts: Finding(Verdict.OK, f"PostgreSQL {facts.version}")),
        _storage(ports),
        probe("queue", ports.workload.depth, lambda depth: _described(of_queue(depth), f"{depth.pending} jobs wait")),
        _response_time(ports),
    )
    told = [check for check in further if check.verdict is not Verdict.UNKNOWN]
    return HealthReport(ports.name, worst(check.verdict for check in (*checks, *told)), (*checks, *further))


def endpoint(ports: Ports, path: str) -> HealthReport:
    """Probe one address of the API."""
    check = probe("endpoint", lambda: ports.api.get(path), lambda answer: _judge_answer(path, answer))
    return HealthReport(ports.name, check.verdict, (check,))


def _service(service: Service) -> Check:
    finding = of_service(service)
    good = "did its work" if service.is_task else f"{service.running} of {service.wanted} run"
    return Check(service.name, finding.verdict, None, finding.reason or good)


def _judge_answer(path: str, answer: ApiAnswer) -> Finding:
    detail = f"{path} answered {answer.status}, {len(answer.content)} bytes"
    return Finding(
        Verdict.OK if answer.status < 400 else Verdict.DEGRADED if answer.status < 500 else Verdict.DOWN, detail
    )


def _storage(ports: Ports) -> Check:
    """Find out whether what is stored can be read: the first object there is, if any."""

    def look() -> str:
        key, size = next(iter(ports.objects.keys()), ("", 0))
        if not key:
            return "nothing is stored yet"
        try:
            with ports.objects.get(key) as content:
                content.read(1)
        except NotFoundError:
            return "readable; the object was removed meanwhile"
        return f"readable; first object has {size} bytes"

    return probe("storage", look, lambda detail: Finding(Verdict.OK, detail))


def _response_time(ports: Ports) -> Check:
    """Measure what a client waits for an answer that needs no work."""
    try:
        times = sorted(ports.api.get(STATUS).seconds * 1000 for _ in range(SAMPLES))
    except QfcError as error:
        return Check("latency", Verdict.DOWN, None, error.message)
    middle = round(median(times), 1)
    verdict = Verdict.DEGRADED if middle > SLOW_MS else Verdict.OK
    return Check("latency", verdict, middle, f"median of {SAMPLES} answers; {times[0]:.0f} to {times[-1]:.0f} ms")


def _described(finding: Finding, detail: str) -> Finding:
    return Finding(finding.verdict, finding.reason or detail)
