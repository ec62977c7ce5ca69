"""Start a stack with the machine: install, remove and inspect its systemd unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from ..stack.ports.units import Units
from ..stack.unit import UnitPlan, unit_text
from .guard import Options, guarded
from .status import is_running


@dataclass(frozen=True)
class ServiceUnit:
    """The unit of a stack. `state` is systemd's word, None if it was not asked; `text` is the content of its file."""

    stack: str
    unit: str
    path: Path
    is_system: bool
    installed: bool
    state: str | None
    running: bool
    text: str
    steps: tuple[str, ...] = ()
    dry_run: bool = False


def plan_of(
    ports: Ports, units: Units, program: Sequence[str], environment: Mapping[str, str], account: str | None
) -> UnitPlan:
    """Return the unit of a stack. Raises RefusedError for one that its Docker engine starts."""
    if not ports.offers(Capability.PROCESSES):
        raise RefusedError(
            f"{ports.name} is {ports.kind}: its Docker engine starts it with the machine.",
            hint="Check that its services have restart: unless-stopped, and type: systemctl enable docker",
        )
    pid_file = ports.folder / "run" / "supervisord.pid"
    return UnitPlan(ports.name, tuple(program), pid_file, account, units.is_system, environment)


def service_install(ports: Ports, units: Units, plan: UnitPlan, options: Options) -> ServiceUnit:
    """Install, enable and start the unit. A stack that runs already is stopped first: systemd watches what it starts.

    The lock is free again when systemd calls `qfc up`.
    """
    if not options.dry_run:
        units.state(plan.name)  # Refuses before anything is stopped.
    text, running = unit_text(plan), is_running(ports.runtime.services())
    question = f"{ports.name} is restarted under systemd; workers finish their jobs first. Go on?" if running else ""
    with guarded(ports, "service install", target=plan.name, options=options, question=question) as guard:
        if running and guard.step(f"Stop {ports.name}; workers finish their jobs first"):
            ports.runtime.stop(None)
        install = guard.step(f"Write {units.path(plan.name)}, enable and start it")
    if install:
        units.install(plan.name, text)
    return _seen(ports, units, plan, guard.steps, dry_run=guard.dry_run)


def service_uninstall(ports: Ports, units: Units, plan: UnitPlan, options: Options) -> ServiceUnit:
    """Disable and remove the unit. The stack itself goes on as it is. Raises RefusedError if there is no unit."""
    if not units.path(plan.name).exists():
        raise RefusedError(f"{ports.name} has no unit {units.path(plan.name)}.", hint="Type: qfc service status")
    with guarded(ports, "service uninstall", target=plan.name, options=options, of_moved=True) as guard:
        if guard.step(f"Disable {plan.name} and remove {units.path(plan.name)}"):
            units.uninstall(plan.name)
    return _seen(ports, units, plan, guard.steps, dry_run=guard.dry_run)


def service_status(ports: Ports, units: Units, plan: UnitPlan) -> ServiceUnit:
    """Return whether the unit is installed, and its state."""
    return _seen(ports, units, plan)


def _seen(
    ports: Ports, units: Units, plan: UnitPlan, steps: tuple[str, ...] = (), *, dry_run: bool = False
) -> ServiceUnit:
    path = units.path(plan.name)
    state = units.state(plan.name) if path.exists() and not dry_run else None
    running = is_running(ports.runtime.services())
    text = unit_text(plan)
    return ServiceUnit(
        ports.name, plan.name, path, units.is_system, path.exists(), state, running, text, steps, dry_run
    )
