"""Probe a stack leg by leg, as its clients reach it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..errors import NotFoundError, QfcError
from ..stack.health import Finding, of_queue, of_service, worst
from ..stack.model import ApiAnswer, Service, Verdict
from ..stack.ports import Ports

STATUS = "/api/v1/status/"
#: An answer that takes longer, in milliseconds, is worth a look.
SLOW_MS = 1000
SAMPLES = 5


@dataclass(frozen=True)
class Check:
    """One leg. `latency_ms` is how long the answer took, None where nothing was asked."""

    name: str
    verdict: Verdict
    latency_ms: float | None
    detail: str


@dataclass(frozen=True)
class HealthReport:
    """All legs; the worst of them is the verdict."""

    stack: str
    verdict: Verdict
    checks: tuple[Check, ...]


def health(ports: Ports) -> HealthReport:
    """Probe processes, API, database, storage, queue, workers and response time."""
    services = {service.name: service for service in ports.runtime.services()}
    answer = _probe("api", lambda: ports.api.get(STATUS), _judge_status)
    checks = (
        *(_service(service) for service in services.values()),
        answer,
        _probe("database", ports.directory.database, lambda facts: Finding(Verdict.OK, f"PostgreSQL {facts.version}")),
        _storage(ports),
        _probe("queue", ports.jobs.depth, lambda depth: _described(of_queue(depth), f"{depth.pending} jobs wait")),
        _response_time(ports),
    )
    return HealthReport(ports.name, worst(check.verdict for check in checks), checks)


def endpoint(ports: Ports, path: str) -> HealthReport:
    """Probe one address of the API."""
    check = _probe("endpoint", lambda: ports.api.get(path), lambda answer: _judge_answer(path, answer))
    return HealthReport(ports.name, check.verdict, (check,))


def _service(service: Service) -> Check:
    finding = of_service(service)
    return Check(service.name, finding.verdict, None, finding.reason or f"{service.running} of {service.wanted} run")


def _probe(name: str, ask: Callable[[], Any], judge: Callable[[Any], Finding]) -> Check:
    """Ask and judge; who cannot be reached is down."""
    began = time.perf_counter()
    try:
        finding = judge(ask())
    except QfcError as error:
        finding = Finding(Verdict.DOWN, error.message)
    return Check(name, finding.verdict, round((time.perf_counter() - began) * 1000, 1), finding.reason)


def _judge_status(answer: ApiAnswer) -> Finding:
    """Judge what the API says about itself: 200 and every part ok."""
    try:
        document: dict[str, Any] = json.loads(answer.content)
    except ValueError:
        return Finding(Verdict.DOWN, f"{STATUS} answered {answer.status} without JSON")
    parts = {name: said for name, said in document.items() if isinstance(said, str) and name not in ("code", "message")}
    bad = [f"{name} {said}" for name, said in parts.items() if said != "ok"]
    if answer.status == 200 and not bad:
        return Finding(Verdict.OK, "all parts ok")
    said = [f"answered {answer.status}", *bad, *([str(document["message"])] if document.get("message") else [])]
    return Finding(Verdict.DEGRADED, ": ".join(said))


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

    return _probe("storage", look, lambda detail: Finding(Verdict.OK, detail))


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
