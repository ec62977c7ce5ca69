"""Derives services from containers and a plan: what runs, what should run, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ....stack.model import Health, Instance, Service, ServiceState
from ...docker.containers import Container
from ...docker.restarts import Past
from ...docker.snapshot import Snapshot, Use
from .plan import ComposePlan, ServicePlan

STATES = {
    "running": ServiceState.RUNNING,
    "paused": ServiceState.STOPPED,
    "restarting": ServiceState.RESTARTING,
    "created": ServiceState.STOPPED,
    "exited": ServiceState.STOPPED,
    "dead": ServiceState.STOPPED,
    "removing": ServiceState.STOPPED,
}
HEALTHS = {"healthy": Health.HEALTHY, "unhealthy": Health.UNHEALTHY, "starting": Health.UNKNOWN}
#: The order in which services are shown: those that all others need, then those that users see, then helpers.
ORDER = ("db", "geodb", "memcached", "minio", "rustfs", "webdav", "app", "worker_wrapper", "nginx", "ofelia", "certbot")

#: By task, the service that cannot run without what the task makes: while it runs, the result exists.
USES_RESULT = {"mkcert": "nginx"}


def services(snapshot: Snapshot, plan: ComposePlan, pasts: Mapping[str, Past]) -> tuple[Service, ...]:
    """Return every service of the plan, and those that only have leftover containers, in a fixed order."""
    found: dict[str, list[Container]] = {name: [] for name in plan.services}
    for container in snapshot.containers:
        if not container.is_one_off:
            found.setdefault(container.service, []).append(container)
    names = sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    # If the files can be read, a service that they lack is a leftover: nothing waits for it.
    unplanned = 0 if plan.services else None
    return tuple(_service(name, plan.services.get(name), found[name], snapshot, pasts, unplanned) for name in names)


def _service(
    name: str,
    plan: ServicePlan | None,
    containers: list[Container],
    snapshot: Snapshot,
    pasts: Mapping[str, Past],
    unplanned: int | None,
) -> Service:
    ordered = sorted(containers, key=lambda one: one.number)
    instances = tuple(_instance(one, snapshot, pasts.get(one.name, Past())) for one in ordered)
    is_task = plan.is_task if plan else False
    wanted = 0 if is_task else plan.replicas if plan else len(ordered) if unplanned is None else unplanned
    state = _state(instances, wanted)
    health = _health(ordered) if state is ServiceState.RUNNING else Health.UNKNOWN
    user = USES_RESULT.get(name) if is_task else None
    has_result = any(one.service == user and one.is_running and not one.is_one_off for one in snapshot.containers)
    return Service(name, state, health, wanted, instances, is_task, has_result)


def _state(instances: tuple[Instance, ...], wanted: int) -> ServiceState:
    states = {instance.state for instance in instances}
    order = (ServiceState.RUNNING, ServiceState.RESTARTING, ServiceState.STOPPED, ServiceState.UNKNOWN)
    return next((one for one in order if one in states), ServiceState.MISSING if wanted else ServiceState.STOPPED)


def _health(containers: list[Container]) -> Health:
    """Return the worst result of the running containers' health checks; none without a health check."""
    said = {HEALTHS.get(one.health or "", Health.NONE) for one in containers if one.is_running}
    order = (Health.UNHEALTHY, Health.UNKNOWN, Health.HEALTHY, Health.NONE)
    return next((one for one in order if one in said), Health.NONE)


def _instance(container: Container, snapshot: Snapshot, past: Past) -> Instance:
    running = container.status == "running"
    use = snapshot.uses.get(container.pid or 0, Use()) if running else Use()
    return Instance(
        id=container.name,
        state=STATES.get(container.status, ServiceState.UNKNOWN),
        pid=container.pid,
        uptime_s=_seconds(container.started_at, snapshot.at) if running else None,
        cpu_percent=use.cpu_percent,
        memory_bytes=use.memory_bytes,
        restarts=past.restarts,
        exit_code=None if running or container.status == "created" else container.exit_code,
        oom_kills=past.oom_kills,
        image=container.image,
        host=container.id[:12],
    )


def _seconds(since: datetime | None, now: datetime) -> float | None:
    return round(max((now - since).total_seconds(), 0.0), 1) if since else None
