"""The legs of a stack: each route to its API, its cache, its workers, and a file round trip."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from ..errors import NotFoundError, QfcError, RefusedError, UnknownNameError
from ..stack.api_status import STATUS, judge_status
from ..stack.box import of_box
from ..stack.findings import Finding, Severity, clear, problem, unknown
from ..stack.model import Capability
from ..stack.ports import Ports
from .probe import probe_project, session
from .workers_list import workers_list

#: Seconds for an answer; the public address may lead around the world.
ANSWER_S = 15.0
Answer = TypeVar("Answer")
RANDOM_BYTES = 64 * 1024


def legs(ports: Ports) -> tuple[Finding, ...]:
    """Probe every leg that the stack has."""
    routes = (*_routes(ports), *_cache(ports)) if ports.offers(Capability.CONTAINERS) else ()
    return (*routes, _workers(ports), *_box(ports), _round_trip(ports))


def _routes(ports: Ports) -> list[Finding]:
    """Probe the API by each route: if it fails outside and answers inside, the fault is in between."""
    found = ports.deployment.legs()
    checks = [
        probe(f"leg {name}", lambda api=api: api.get(STATUS, timeout_s=ANSWER_S), judge_status)
        for name, api in found.items()
    ]
    missing = [name for name in ("public", "nginx", "app") if name not in found]
    return checks + [unknown(f"leg {name}", "not reachable from here") for name in missing]


def _cache(ports: Ports) -> list[Finding]:
    try:
        latency = ports.deployment.cache_latency_ms()
    except QfcError as error:
        return [problem("cache", Severity.WARNING, error.message)]
    return [] if latency is None else [replace(clear("cache", "memcached answers"), latency_ms=latency)]


def _workers(ports: Ports) -> Finding:
    """Compare the number of living workers with the number wanted."""
    try:
        found = workers_list(ports)
    except QfcError as error:
        return unknown("workers", error.message)
    living = [one for one in found.workers if one.state not in ("dead", "stopped", "exited")]
    busy = sum(one.job_id is not None for one in living)
    detail = f"{len(living)} of {found.wanted} alive, {busy} busy"
    if len(living) >= found.wanted:
        return clear("workers", detail)
    return problem("workers", Severity.WARNING if living else Severity.CRITICAL, detail)


def _box(ports: Ports) -> list[Finding]:
    """Name the layers that hold the jobs of the node's workers; official workers use containers instead."""
    try:
        found = of_box(ports.workload.workers())
    except QfcError as error:
        return [unknown("box", error.message)]
    return [] if found is None else [found]


def _round_trip(ports: Ports) -> Finding:
    """Upload a file as a device does, download it, compare every byte; then remove its project."""
    content = secrets.token_bytes(RANDOM_BYTES)
    try:
        with session(ports) as (person, token), probe_project(ports.api, person, token) as project:
            seconds = project.round_trip("random.bin", content)
    except (NotFoundError, RefusedError) as error:
        return unknown("file round trip", error.message)
    except QfcError as error:
        return problem("file round trip", Severity.CRITICAL, error.message)
    detail = f"{RANDOM_BYTES // 1024} KiB uploaded and downloaded, identical"
    return replace(clear("file round trip", detail), latency_ms=round(seconds * 1000, 1))


def probe(name: str, ask: Callable[[], Answer], judge: Callable[[Answer], Finding]) -> Finding:
    """Ask, judge the answer and measure how long it took; an error means down."""
    began = time.perf_counter()
    try:
        finding = replace(judge(ask()), id=name)
    except UnknownNameError as error:
        finding = unknown(name, error.message)
    except QfcError as error:
        finding = problem(name, Severity.CRITICAL, error.message)
    return replace(finding, latency_ms=round((time.perf_counter() - began) * 1000, 1))
