"""When jobs run by themselves: lines of cron, or timers of systemd; installed, removed, and seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...errors import RefusedError
from ...stack.maintenance import JOBS, OFF
from ...stack.maintenance.schedule import (
    SchedulePlan,
    cron_lines,
    lines_of,
    service_text,
    timer_text,
    timers_of,
    unit_name,
)
from ...stack.ports import Ports
from ...stack.ports.crontab import Crontab
from ...stack.ports.units import Units
from ..guard import Options, guarded
from .run import is_unended, runs_of


@dataclass(frozen=True)
class ListedJob:
    """A job: when it runs by the configuration, what starts it (cron, systemd, or nothing), and its last run."""

    name: str
    meaning: str
    time: str
    started_by: str | None
    last_at: datetime | None
    last_result: str | None
    unended: bool


@dataclass(frozen=True)
class MaintenanceList:
    """All jobs."""

    jobs: tuple[ListedJob, ...]


@dataclass(frozen=True)
class MaintenanceScheduled:
    """What starts the jobs now: `place` is where it is written, `text` what is written there."""

    place: str
    jobs: tuple[str, ...]
    text: str
    steps: tuple[str, ...]
    dry_run: bool


def maintenance_list(ports: Ports, plan: SchedulePlan, units: Units, crontab: Crontab) -> MaintenanceList:
    """Return all jobs with what starts them, and their last runs."""
    return MaintenanceList(tuple(_listed(ports, plan, units, crontab, job.name, job.meaning) for job in JOBS))


def install_cron(ports: Ports, plan: SchedulePlan, crontab: Crontab, options: Options) -> MaintenanceScheduled:
    """Write the lines of cron. Raises RefusedError for times in another zone than the machine's."""
    if plan.zone:
        raise RefusedError(
            "cron knows only the time zone of the machine.",
            hint="Remove time_zone from [maintenance], or type: qfc maintenance install, without --cron",
        )
    lines = cron_lines(plan, crontab.account)
    with guarded(ports, "maintenance install", target="cron", options=options) as guard:
        if guard.step(f"Write {len(tuple(plan.jobs()))} jobs to {crontab.place}"):
            crontab.put(plan.name, lines)
    return MaintenanceScheduled(crontab.place, _names(plan), lines, guard.steps, guard.dry_run)


def install_timers(ports: Ports, plan: SchedulePlan, units: Units, options: Options) -> MaintenanceScheduled:
    """Write the units of each job and start its timer; remove those of jobs that are off."""
    is_system = units.is_system
    texts = {name: (service_text(plan, name, is_system=is_system), timer_text(plan, name)) for name in _names(plan)}
    with guarded(ports, "maintenance install", target="systemd", options=options) as guard:
        for name, (service, timer) in texts.items():
            if guard.step(f"Write and start {unit_name(plan, name, 'timer')}"):
                units.place(unit_name(plan, name, "service"), service)
                units.install(unit_name(plan, name, "timer"), timer)
        for name in timers_of(plan, units):
            if name not in texts and guard.step(f"Remove {unit_name(plan, name, 'timer')}"):
                _remove(plan, units, name)
    text = "\n".join(part for pair in texts.values() for part in pair)
    place = str(units.path(unit_name(plan, "quick-check", "timer")).parent)
    return MaintenanceScheduled(place, _names(plan), text, guard.steps, guard.dry_run)


def maintenance_uninstall(
    ports: Ports, plan: SchedulePlan, units: Units | None, crontab: Crontab | None, options: Options
) -> MaintenanceScheduled:
    """Remove whatever starts the jobs; None: that of systemd or of cron stays. Raises RefusedError if nothing does."""
    timers, lines = timers_of(plan, units) if units else (), lines_of(plan, crontab) if crontab else None
    if not timers and not lines:
        raise RefusedError("Nothing starts the jobs of this stack.", hint="Type: qfc maintenance list")
    with guarded(ports, "maintenance uninstall", target=ports.name, options=options, of_moved=True) as guard:
        for name in timers:
            if units and guard.step(f"Remove {unit_name(plan, name, 'timer')}"):
                _remove(plan, units, name)
        if lines and crontab and guard.step(f"Remove our lines from {crontab.place}"):
            crontab.put(plan.name, "")
    return MaintenanceScheduled("", (), "", guard.steps, guard.dry_run)


def _listed(ports: Ports, plan: SchedulePlan, units: Units, crontab: Crontab, name: str, meaning: str) -> ListedJob:
    runs = runs_of(ports, name)
    last = runs[-1] if runs else None
    return ListedJob(
        name=name,
        meaning=meaning,
        time=plan.times[name],
        started_by=_started_by(plan, units, crontab, name),
        last_at=last.began_at if last else None,
        last_result=last.result if last else None,
        unended=is_unended(ports, runs),
    )


def _started_by(plan: SchedulePlan, units: Units, crontab: Crontab, name: str) -> str | None:
    if name in timers_of(plan, units):
        return "systemd"
    return "cron" if f"maintenance run {name} " in (lines_of(plan, crontab) or "") else None


def _remove(plan: SchedulePlan, units: Units, name: str) -> None:
    units.uninstall(unit_name(plan, name, "timer"))
    units.path(unit_name(plan, name, "service")).unlink(missing_ok=True)


def _names(plan: SchedulePlan) -> tuple[str, ...]:
    return tuple(name for name, time in plan.jobs() if time != OFF)
