"""The schedule of a stack's jobs, as lines of cron and as timers of systemd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import RefusedError
from ..cron import escaped, shell
from ..unit import argv, quoted
from .jobs import JOBS
from .times import OFF, calendar_of, cron_of

if TYPE_CHECKING:
    from ..ports.crontab import Crontab
    from ..ports.units import Units

#: Seconds to wait for the lock: an operator's change is short; a backup may still be running.
WAIT_S = 900


@dataclass(frozen=True)
class SchedulePlan:
    """What is to run: the stack, how to call qfc, and when each job runs."""

    stack: str
    program: Sequence[str]
    times: Mapping[str, str]
    zone: str = ""
    account: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """The name of its block in cron."""
        return f"qfc-maintenance-{self.stack}"

    def jobs(self) -> Iterator[tuple[str, str]]:
        """Yield name and time of each job that is not off."""
        for job in JOBS:
            if self.times[job.name] != OFF:
                yield job.name, self.times[job.name]

    def command(self, job: str) -> tuple[str, ...]:
        """Return the command of a job."""
        words = ("--stack", self.stack, "--wait", str(WAIT_S), "--yes", "--quiet", "maintenance", "run", job)
        return (*self.program, *words)


def cron_lines(plan: SchedulePlan, account: str = "") -> str:
    """Return the lines of cron; those of the system's table name the account. Nothing is mailed but errors."""
    lines = (
        " ".join(
            filter(None, (cron_of(time), account, escaped(shell(plan.command(job), plan.environment)), ">/dev/null"))
        )
        for job, time in plan.jobs()
    )
    return "".join(f"{line}\n" for line in lines)


def unit_name(plan: SchedulePlan, job: str, kind: str) -> str:
    """Return the name of a unit: `service` or `timer`."""
    return f"qfc-{plan.stack}-{job}.{kind}"


def service_text(plan: SchedulePlan, job: str, *, is_system: bool) -> str:
    """Return the unit that runs a job once."""
    account = [f"User={plan.account}"] if is_system and plan.account else []
    lines = [
        "# Written by `qfc maintenance install`, which writes it again.",
        "[Unit]",
        f"Description=Maintenance of the qfc stack {plan.stack}: {job}",
        "",
        "[Service]",
        "Type=oneshot",
        *account,
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in plan.environment.items()),
        f"ExecStart={argv(plan.command(job))}",
        "Nice=5",
    ]
    return "\n".join(lines) + "\n"


def timer_text(plan: SchedulePlan, job: str) -> str:
    """Return the unit that starts it. A run that was missed because the machine was off is made up for."""
    lines = [
        "# Written by `qfc maintenance install`, which writes it again.",
        "[Unit]",
        f"Description=When to run {job} of the qfc stack {plan.stack}",
        "",
        "[Timer]",
        f"OnCalendar={calendar_of(plan.times[job], plan.zone)}",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def timers_of(plan: SchedulePlan, units: Units) -> tuple[str, ...]:
    """Return the jobs that a timer starts."""
    return tuple(job.name for job in JOBS if units.text(unit_name(plan, job.name, "timer")) is not None)


def lines_of(plan: SchedulePlan, crontab: Crontab) -> str | None:
    """Return our lines of cron; None without them, and where there is no cron."""
    try:
        return crontab.block(plan.name)
    except RefusedError:
        return None
