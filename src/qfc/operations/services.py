"""Restart, recreate or rebuild services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import NotFoundError, RefusedError
from ..stack import drains
from ..stack.model import Service
from ..stack.names import did_you_mean
from ..stack.ports import Ports
from .guard import Options, guarded
from .status import require_running
from .workers_list import SERVICE as WORKER


@dataclass(frozen=True)
class ServicesChanged:
    """The names of the changed services, and the state of all services."""

    names: tuple[str, ...]
    steps: tuple[str, ...]
    dry_run: bool
    services: tuple[Service, ...]


def services_restart(
    ports: Ports, names: Sequence[str] | None, options: Options, *, now: bool = False
) -> ServicesChanged:
    """Stop services and start them as they are; workers finish their jobs first unless `now`. None means all.

    Raises NotRunningError if nothing of the stack runs.
    """
    chosen = _chosen(ports, names)
    require_running(ports)
    with guarded(ports, "services restart", target=", ".join(chosen), options=options) as guard:
        ports.runtime.check_settings()
        if guard.step(f"Stop {', '.join(chosen)}"):
            ports.runtime.stop(chosen, now=now)
        if guard.step(f"Start {', '.join(chosen)}"):
            _end_drain(ports, chosen)
            ports.runtime.start(chosen)
    return ServicesChanged(chosen, guard.steps, guard.dry_run, ports.runtime.services())


def services_recreate(
    ports: Ports, names: Sequence[str] | None, options: Options, *, now: bool = False
) -> ServicesChanged:
    """Recreate services with the current configuration; None means all, with their supervisor."""
    chosen = _chosen(ports, names)
    with guarded(ports, "services recreate", target=", ".join(chosen), options=options) as guard:
        if guard.step(f"Recreate {', '.join(chosen)}"):
            _end_drain(ports, chosen)
            ports.runtime.recreate(names, now=now)
    return ServicesChanged(chosen, guard.steps, guard.dry_run, ports.runtime.services())


def services_rebuild(
    ports: Ports, names: Sequence[str] | None, options: Options, *, fresh: bool = False
) -> ServicesChanged:
    """Rebuild the images of services, then recreate those services. Raises RefusedError without containers.

    Services keep running until their images are built; an image that cannot be built changes nothing.
    """
    deployment = ports.deployment
    chosen = _chosen(ports, names)
    built = tuple(name for name in deployment.rollout.facts().built if names is None or name in chosen)
    require_known(built, names or ())
    if not built:
        raise RefusedError("This deployment builds no images.", hint="Pull newer ones: qfc deploy --pull")
    with guarded(ports, "services rebuild", target=", ".join(built), options=options) as guard:
        if guard.step(f"Build images of {', '.join(built)}" + (" without any cache" if fresh else "")):
            deployment.images.build(built, fresh=fresh)
        lasting = [
            service.name for service in ports.runtime.services() if service.name in built and not service.is_task
        ]
        # A task is recreated when it is needed.
        if lasting and guard.step(f"Recreate {', '.join(lasting)}"):
            _end_drain(ports, lasting)
            ports.runtime.recreate(lasting)
    return ServicesChanged(built, guard.steps, guard.dry_run, ports.runtime.services())


def _end_drain(ports: Ports, names: Sequence[str]) -> None:
    if WORKER in names:
        drains.clear(ports.records)


def _chosen(ports: Ports, names: Sequence[str] | None) -> tuple[str, ...]:
    known = tuple(service.name for service in ports.runtime.services())
    if names is None:
        return known
    require_known(known, names)
    return tuple(names)


def require_known(known: Sequence[str], names: Sequence[str]) -> None:
    """Check names of services. Raises NotFoundError."""
    for name in names:
        if name not in known:
            said = f"There is no service {name}.{did_you_mean(name, known)}"
            raise NotFoundError(said, hint=f"Services: {', '.join(known)}")
