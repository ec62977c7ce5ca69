"""A stack leg by leg: each way to its API, its cache, its workers, and a file that goes up and comes down."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import NotFoundError, QfcError, RefusedError, UnknownNameError
from ..stack.health import Finding
from ..stack.model import ApiAnswer, Capability, Verdict
from ..stack.ports import Ports
from .probe import probe_project, session
from .workers_list import workers_list

STATUS = "/api/v1/status/"
#: An answer through the whole world may take longer than one from here.
ANSWER_S = 15.0
RANDOM_BYTES = 64 * 1024


@dataclass(frozen=True)
class Check:
    """One leg. `latency_ms` is how long the answer took, None where nothing was asked."""

    name: str
    verdict: Verdict
    latency_ms: float | None
    detail: str


def legs(ports: Ports) -> tuple[Check, ...]:
    """Probe every leg that the stack has."""
    routes = (*_routes(ports), *_cache(ports)) if ports.offers(Capability.CONTAINERS) else ()
    return (*routes, _workers(ports), _round_trip(ports))


def _routes(ports: Ports) -> list[Check]:
    """Ask the API by each way: what fails outside and answers inside is between the two."""
    found = ports.deployment.legs()
    checks = [
        probe(f"leg {name}", lambda api=api: api.get(STATUS, timeout_s=ANSWER_S), judge_status)
        for name, api in found.items()
    ]
    missing = [name for name in ("public", "nginx", "app") if name not in found]
    return checks + [Check(f"leg {name}", Verdict.UNKNOWN, None, "not reached from here") for name in missing]


def _cache(ports: Ports) -> list[Check]:
    try:
        latency = ports.deployment.cache_latency_ms()
    except QfcError as error:
        return [Check("cache", Verdict.DEGRADED, None, error.message)]
    return [] if latency is None else [Check("cache", Verdict.OK, latency, "memcached answers")]


def _workers(ports: Ports) -> Check:
    """Compare workers that live with those that should."""
    try:
        found = workers_list(ports)
    except QfcError as error:
        return Check("workers", Verdict.UNKNOWN, None, error.message)
    living = [one for one in found.workers if one.state not in ("dead", "stopped", "exited")]
    busy = sum(one.job_id is not None for one in living)
    detail = f"{len(living)} of {found.wanted} live, {busy} busy"
    verdict = Verdict.OK if len(living) >= found.wanted else Verdict.DEGRADED if living else Verdict.DOWN
    return Check("workers", verdict, None, detail)


def _round_trip(ports: Ports) -> Check:
    """Send a file as a device does, fetch it again, compare every byte; the project for it goes afterwards."""
    content = secrets.token_bytes(RANDOM_BYTES)
    try:
        with session(ports) as (person, token), probe_project(ports.api, person, token) as project:
            seconds = project.round_trip("random.bin", content)
    except (NotFoundError, RefusedError) as error:
        return Check("file round trip", Verdict.UNKNOWN, None, error.message)
    except QfcError as error:
        return Check("file round trip", Verdict.DOWN, None, error.message)
    detail = f"{RANDOM_BYTES // 1024} KiB up and down, every byte the same"
    return Check("file round trip", Verdict.OK, round(seconds * 1000, 1), detail)


def probe(name: str, ask: Callable[[], Any], judge: Callable[[Any], Finding]) -> Check:
    """Ask and judge; who cannot be reached is down."""
    began = time.perf_counter()
    try:
        finding = judge(ask())
    except UnknownNameError as error:
        finding = Finding(Verdict.UNKNOWN, error.message)
    except QfcError as error:
        finding = Finding(Verdict.DOWN, error.message)
    return Check(name, finding.verdict, round((time.perf_counter() - began) * 1000, 1), finding.reason)


def judge_status(answer: ApiAnswer) -> Finding:
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
