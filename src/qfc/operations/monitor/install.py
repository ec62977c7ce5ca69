"""Start the monitor with the machine: install and remove its systemd unit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import RefusedError
from ...stack.monitor_unit import NAME, MonitorPlan, monitor_unit
from ...stack.ports.units import Units
from ..guard import Options


@dataclass(frozen=True)
class MonitorUnit:
    """The monitor's unit. `state` is systemd's word, None if it was not asked; `text` is the content of its file."""

    unit: str
    path: Path
    is_system: bool
    installed: bool
    state: str | None
    text: str
    steps: tuple[str, ...] = ()
    dry_run: bool = False


def monitor_install(units: Units, plan: MonitorPlan, options: Options) -> MonitorUnit:
    """Write, enable and start the unit. No stack is touched."""
    step = f"Write {units.path(NAME)}, enable and start it"
    if not options.dry_run:
        options.report(step)
        units.install(NAME, monitor_unit(plan))
    return _seen(units, plan, step, options)


def monitor_uninstall(units: Units, plan: MonitorPlan, options: Options) -> MonitorUnit:
    """End the monitor, disable and remove its unit. Raises RefusedError if there is none."""
    if not units.path(NAME).exists():
        raise RefusedError(f"There is no unit {units.path(NAME)}.", hint="Type: qfc monitor status")
    step = f"Stop and disable {NAME}, and remove {units.path(NAME)}"
    if not options.dry_run:
        options.report(step)
        units.uninstall(NAME, stop=True)
    return _seen(units, plan, step, options)


def _seen(units: Units, plan: MonitorPlan, step: str, options: Options) -> MonitorUnit:
    path = units.path(NAME)
    state = units.state(NAME) if path.exists() and not options.dry_run else None
    return MonitorUnit(NAME, path, units.is_system, path.exists(), state, monitor_unit(plan), (step,), options.dry_run)
