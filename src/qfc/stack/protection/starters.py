"""The parts that start by themselves on the operator's machine: the monitor and the schedule of maintenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import RefusedError
from ..maintenance.schedule import SchedulePlan, cron_lines, lines_of, service_text, timer_text, timers_of, unit_name
from ..monitor_unit import CRON, NAME, MonitorPlan, is_about, monitor_line, monitor_unit, watched
from .part import MONITOR, SCHEDULE, Part

if TYPE_CHECKING:
    from ..ports import Ports
    from ..ports.crontab import Crontab
    from ..ports.units import Units


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

    def is_whole(self, ports: Ports) -> bool:
        text = _block(ports.here.crontab(self.cron_account), CRON)
        return (text is not None and self.covers(text)) or any(map(self._starts, _all_units(ports)))

    def _starts(self, units: Units) -> bool:
        text = units.text(NAME)
        return text is not None and self.covers(text) and units.enabled(NAME)

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

    def is_whole(self, ports: Ports) -> bool:
        lines, jobs = lines_of(self.plan, self.crontab(ports)) or "", [job for job, _ in self.plan.jobs()]
        in_cron = all(f"maintenance run {job} " in lines for job in jobs)
        return in_cron or any(self._starts(jobs, units) for units in _all_units(ports))

    def _starts(self, jobs: Sequence[str], units: Units) -> bool:
        """Return whether a timer starts each of these jobs: the file of one stays when somebody disables it."""
        return set(jobs) <= set(timers_of(self.plan, units)) and units.enabled(
            *(unit_name(self.plan, job, "timer") for job in jobs)
        )

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


def _all_units(ports: Ports) -> tuple[Units, Units]:
    return ports.here.units(system=True), ports.here.units(system=False)


def _block(crontab: Crontab, name: str) -> str | None:
    try:
        return crontab.block(name)
    except RefusedError:
        return None
