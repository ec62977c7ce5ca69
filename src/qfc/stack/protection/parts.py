"""The parts of a protection: what each consists of, and whether it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ...errors import RefusedError
from ..maintenance.schedule import SchedulePlan, cron_lines, lines_of, service_text, timer_text, timers_of, unit_name
from ..monitor_unit import CRON, NAME, MonitorPlan, is_about, monitor_line, monitor_unit, watched

if TYPE_CHECKING:
    from ..ports import Ports
    from ..ports.crontab import Crontab
    from ..ports.units import Units

MONITOR, LIMITS, SCHEDULE, BACKUPS = "monitor", "limits", "schedule", "backups"
#: The table of the configuration that says where backups go, and its settings that do.
BACKUP_TABLE, PLACES = "backup", ("folder", "bucket_file")
#: In the order in which they are put in place: the monitor last, which would look at what is half done.
NAMES = (BACKUPS, LIMITS, SCHEDULE, MONITOR)


class Part(Protocol):
    """A part as it is wanted.

    What somebody else put there in another way is there, and as wanted: we leave it alone.
    """

    name: ClassVar[str]

    @property
    def sentence(self) -> str:
        """What is done to put it in place."""
        ...

    @property
    def what(self) -> str:
        """What it consists of."""
        ...

    def document(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        ...

    def is_there(self, ports: Ports) -> bool:
        """Return whether it works, put there by whomever. Raises QfcError where nobody can look."""
        ...

    def is_as_wanted(self, ports: Ports) -> bool:
        """Return whether that which we put there is what is wanted now."""
        ...


@dataclass(frozen=True)
class MonitorPart(Part):
    """A monitor that starts with the machine and watches the stack, by systemd or by cron."""

    name: ClassVar[str] = MONITOR
    stack: str
    plan: MonitorPlan
    by_cron: bool

    @property
    def sentence(self) -> str:
        return (
            f"Let {self._by} run a monitor that watches {self.stack}, repairs what is safe, and tells you of the rest"
        )

    @property
    def what(self) -> str:
        return f"{self._by} runs a monitor that watches {self.stack}"

    @property
    def _by(self) -> str:
        return "cron" if self.by_cron else f"systemd ({NAME})"

    def document(self) -> dict[str, Any]:
        return {"stack": self.stack, "plan": asdict(self.plan), "by_cron": self.by_cron}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> MonitorPart:
        """Read what `document` returns."""
        plan = MonitorPlan(**document["plan"])
        plan = replace(plan, program=tuple(plan.program), stacks=tuple(plan.stacks))
        return cls(document["stack"], plan, document["by_cron"])

    def text(self, ports: Ports) -> str | None:
        """Return what is in its place now, whoever wrote it."""
        if self.by_cron:
            return _block(ports.here.crontab(self.cron_account), CRON)
        return ports.here.units(system=self.plan.is_system).text(NAME)

    def with_stacks(self, stacks: tuple[str, ...]) -> MonitorPart:
        """Return one that watches these stacks."""
        return replace(self, plan=replace(self.plan, stacks=stacks))

    def is_there(self, ports: Ports) -> bool:
        here = ports.here
        texts = (
            here.units(system=True).text(NAME),
            here.units(system=False).text(NAME),
            _block(here.crontab(self.cron_account), CRON),
        )
        return any(self.covers(text) for text in texts if text is not None)

    def covers(self, text: str) -> bool:
        """Return whether a unit or a line watches the stack of this configuration."""
        stacks = watched(text)
        return is_about(text, self.plan) and stacks is not None and (not stacks or self.stack in stacks)

    def is_as_wanted(self, ports: Ports) -> bool:
        text = self.text(ports)
        return text is None or text == self.with_stacks(watched(text) or ()).own_text

    @property
    def own_text(self) -> str:
        """What we write."""
        return monitor_line(self.plan, self.cron_account) if self.by_cron else monitor_unit(self.plan)

    @property
    def cron_account(self) -> str:
        """The account for the system's table of cron; "" for a user's own."""
        return (self.plan.account or "root") if self.plan.is_system else ""


@dataclass(frozen=True)
class SchedulePart(Part):
    """What starts the jobs of maintenance, by systemd or by cron."""

    name: ClassVar[str] = SCHEDULE
    plan: SchedulePlan
    by_cron: bool
    is_system: bool

    @property
    def sentence(self) -> str:
        return f"Let {self._by} run maintenance: {self._times}"

    @property
    def what(self) -> str:
        return f"{self._by} runs maintenance: {self._times}"

    @property
    def _by(self) -> str:
        return "cron" if self.by_cron else "systemd"

    @property
    def _times(self) -> str:
        return ", ".join(f"{job} {time}" for job, time in self.plan.jobs())

    def document(self) -> dict[str, Any]:
        return {"plan": asdict(self.plan), "by_cron": self.by_cron, "is_system": self.is_system}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SchedulePart:
        """Read what `document` returns."""
        plan = SchedulePlan(**document["plan"])
        return cls(replace(plan, program=tuple(plan.program)), document["by_cron"], document["is_system"])

    def units(self, ports: Ports) -> Units:
        """Return the units that it is about."""
        return ports.here.units(system=self.is_system)

    def crontab(self, ports: Ports) -> Crontab:
        """Return the table of cron that it is about."""
        return ports.here.crontab((self.plan.account or "root") if self.is_system else "")

    def is_there(self, ports: Ports) -> bool:
        units = (self.units(ports), ports.here.units(system=not self.is_system))
        return any(timers_of(self.plan, one) for one in units) or lines_of(self.plan, self.crontab(ports)) is not None

    def is_as_wanted(self, ports: Ports) -> bool:
        if self.by_cron:
            crontab = self.crontab(ports)
            return lines_of(self.plan, crontab) in (cron_lines(self.plan, crontab.account), None)
        units = self.units(ports)
        timers, wanted = timers_of(self.plan, units), tuple(job for job, _ in self.plan.jobs())
        return not timers or (timers == wanted and all(self._is_as_wanted(job, units) for job in wanted))

    def _is_as_wanted(self, job: str, units: Units) -> bool:
        timer, service = (units.text(unit_name(self.plan, job, kind)) for kind in ("timer", "service"))
        return (timer, service) == (timer_text(self.plan, job), self._service(job))

    def _service(self, job: str) -> str:
        return service_text(self.plan, job, is_system=self.is_system)


@dataclass(frozen=True)
class LimitsPart(Part):
    """Limits on how often projects are synchronised."""

    name: ClassVar[str] = LIMITS
    all_per_minute: int
    project_per_minute: int

    @property
    def sentence(self) -> str:
        return f"Limit synchronisations: {self.what}"

    @property
    def what(self) -> str:
        return f"{self.all_per_minute} a minute in all, {self.project_per_minute} of each project"

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> LimitsPart:
        """Read what `document` returns."""
        return cls(**document)

    def is_there(self, ports: Ports) -> bool:
        limits = ports.rate_limits.wanted()
        is_set = limits.all_per_minute is not None or limits.project_per_minute is not None
        return is_set and ports.rate_limits.in_force()

    def is_as_wanted(self, ports: Ports) -> bool:
        limits = ports.rate_limits.wanted()
        return (limits.all_per_minute, limits.project_per_minute) == (self.all_per_minute, self.project_per_minute)


@dataclass(frozen=True)
class BackupsPart(Part):
    """A key, so that the daily job makes backups; and their place, if the operator named one: setting and value."""

    name: ClassVar[str] = BACKUPS
    config: str
    setting: str | None
    value: str | None
    place: str

    @property
    def sentence(self) -> str:
        if not self.setting:
            return f"Create the key of backups, which the daily job makes in {self.place}"
        return (
            f"Let the daily job back up to {self.place}, with a key that is created unless there is one; write "
            f"{self.setting} to [backup] in {self.config}, which holds for all its stacks"
        )

    @property
    def what(self) -> str:
        return f"the daily job backs up to {self.place}"

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> BackupsPart:
        """Read what `document` returns."""
        return cls(**document)

    def is_there(self, ports: Ports) -> bool:
        return ports.backups.keys.recipient() is not None and (not self.setting or self.has_place(ports))

    def has_place(self, ports: Ports) -> bool:
        """Return whether the configuration names a place, be it this one or one that somebody has chosen since."""
        table = ports.here.table(Path(self.config), BACKUP_TABLE)
        return any(table.get(name) for name in PLACES)

    def is_as_wanted(self, ports: Ports) -> bool:
        return self.is_there(ports)


_OF = {MONITOR: MonitorPart.of, SCHEDULE: SchedulePart.of, LIMITS: LimitsPart.of, BACKUPS: BackupsPart.of}


def part_of(name: str, document: Mapping[str, Any]) -> Part:
    """Read a part of a record."""
    return _OF[name](document)


def _block(crontab: Crontab, name: str) -> str | None:
    try:
        return crontab.block(name)
    except RefusedError:
        return None
