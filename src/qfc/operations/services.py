"""Restart or recreate services; what the stack takes on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import NotFoundError, RefusedError
from ..stack.model import Disk, Kind, Service
from ..stack.ports import Ports
from .guard import Options, guarded


@dataclass(frozen=True)
class ServicesChanged:
    """Services that were stopped and started again, and how all are now."""

    names: tuple[str, ...]
    steps: tuple[str, ...]
    dry_run: bool
    services: tuple[Service, ...]


@dataclass(frozen=True)
class DiskUsage:
    """What the stack takes, in bytes by its parts, and what its disk has left."""

    stack: str
    folder: str
    parts: tuple[tuple[str, int], ...]
    disk: Disk


def services_restart(
    ports: Ports, names: Sequence[str], options: Options, *, command: str, now: bool = False
) -> ServicesChanged:
    """Stop services and start them with the configuration of now; workers finish their jobs first unless `now`.

    `command` is restart or recreate; recreate without names also renews what supervises the services.
    """
    known = tuple(service.name for service in ports.runtime.services())
    require_known(known, names)
    chosen = tuple(names) or known
    stopped = () if command == "recreate" and not names else chosen
    with guarded(ports, f"services {command}", target=", ".join(chosen), options=options) as guard:
        if guard.step(f"Stop {', '.join(chosen)}"):
            ports.runtime.stop(stopped, now=now)
        if guard.step(f"Start {', '.join(chosen)}"):
            ports.runtime.start(chosen)
    return ServicesChanged(chosen, guard.steps, guard.dry_run, ports.runtime.services())


def require_known(known: Sequence[str], names: Sequence[str]) -> None:
    """Check names of services. Raises NotFoundError."""
    for name in names:
        if name not in known:
            raise NotFoundError(f"There is no service {name}.", hint=f"Services: {', '.join(known)}")


def not_for_this_kind(ports: Ports, command: str) -> RefusedError:
    """Return the error for a command that only stacks of containers have."""
    return RefusedError(
        f"services {command} is for stacks of containers; {ports.name} is {ports.kind}: it has no images.",
        hint="For new configuration: qfc services recreate --all"
        if ports.kind is Kind.EMBEDDED
        else "See: qfc services --help",
    )


def services_disk(ports: Ports) -> DiskUsage:
    """Measure the stack's folders."""
    return DiskUsage(ports.name, str(ports.folder), ports.footprint.parts(), ports.host.disk(ports.folder))
