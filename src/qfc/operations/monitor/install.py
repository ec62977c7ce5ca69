"""Start the monitor with the machine: install and remove its systemd unit, or its line of cron."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import RefusedError
from ...stack.monitor_unit import CRON, LOCK, NAME, PID, MonitorPlan, monitor_line, monitor_unit
from ...stack.ports import ThisMachine
from ...stack.ports.crontab import Crontab
from ...stack.ports.units import Units
from ..guard import Options


@dataclass(frozen=True)
class MonitorUnit:
    """The monitor's unit. `state` is systemd's word, None if it was not asked; `text` is the content of its file.

    With cron, `unit` is "cron", `path` None and `text` its line.
    """

    unit: str
    path: Path | None
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


def install_monitor_line(crontab: Crontab, plan: MonitorPlan, options: Options) -> MonitorUnit:
    """Write the line of cron: the monitor starts within a minute. Raises RefusedError where there is no cron."""
    step = f"Write the monitor's line to {crontab.place}"
    line = monitor_line(plan, crontab.account)
    if not options.dry_run:
        options.report(step)
        crontab.put(CRON, line)
    return MonitorUnit("cron", None, bool(crontab.account), not options.dry_run, None, line, (step,), options.dry_run)


def remove_monitor_line(crontab: Crontab, here: ThisMachine, plan: MonitorPlan, options: Options) -> MonitorUnit:
    """Remove the line, and end the monitor that it started."""
    step = f"Remove the monitor's line from {crontab.place}, and end the monitor"
    if not options.dry_run:
        options.report(step)
        crontab.put(CRON, "")
        end_monitor(here, plan)
    return MonitorUnit("cron", None, bool(crontab.account), False, None, "", (step,), options.dry_run)


def end_monitor(here: ThisMachine, plan: MonitorPlan) -> None:
    """End the monitor that cron started. While its line stands, it starts again within a minute."""
    home = Path(plan.environment["QFC_HOME"])
    here.end(home / PID, "monitor")
    for name in (PID, LOCK):
        (home / name).unlink(missing_ok=True)


def _seen(units: Units, plan: MonitorPlan, step: str, options: Options) -> MonitorUnit:
    path = units.path(NAME)
    state = units.state(NAME) if path.exists() and not options.dry_run else None
    return MonitorUnit(NAME, path, units.is_system, path.exists(), state, monitor_unit(plan), (step,), options.dry_run)
