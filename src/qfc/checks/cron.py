"""D08: the application's periodic tasks, which something else has to start."""

from __future__ import annotations

import re
from datetime import timedelta

from ..errors import QfcError, RefusedError
from ..stack.model import ServiceState
from ..stack.schedules import MINUTE_S, period_s
from .base import Auto, Check, DeploymentCheck, Severity
from .containers import containers
from .evidence import Evidence

APP, CRON = "app", "ofelia"
#: So long after a task was due, nothing starts it.
CRON_STOPPED = timedelta(minutes=5)
#: Tasks that run more rarely, in seconds, never remove obsolete packages.
CRON_RARE_S = 70 * MINUTE_S
CRON_COMMAND = "runcrons"
COMMAND_S = 120.0
_SCHEDULE = re.compile(r"(ofelia\.job-exec\.[^.]+)\.schedule")


class CronStopped(Check):
    """D08: jobs of dead workers are never ended, and no mail is sent.

    How rarely tasks may start is what the labels of ofelia say: operators make them rarer on purpose.
    """

    id = "D08-cron"
    title = "The application's periodic tasks do not run"
    severity = Severity.WARNING
    fix = "Restart the service that starts them: qfc services restart --service ofelia"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Read when the last periodic task started, if one ever did and jobs wait or run."""
        depth = seen.queue().depth
        if not depth.pending + depth.queued + depth.started:
            return None
        runs = seen.conditions.server.cron_runs()
        last = max((one.last_start for one in runs or ()), default=None)
        if last is None or seen.queue().at - last <= CRON_STOPPED:
            return None
        late_s, every_s = (seen.queue().at - last).total_seconds(), cron_period_s(seen)
        if late_s <= every_s + CRON_STOPPED.total_seconds():
            return None
        return f"The last task started {late_s / 60:.0f} min ago. One is due every {every_s / 60:.0f} min."

    def repair(self, seen: Evidence) -> None:
        """Restart the service, and run the tasks that are due."""
        service = seen.services().get(CRON)
        if service is None:
            raise RefusedError(
                "The deployment has no service ofelia.", hint="Run this from cron every minute: manage.py runcrons"
            )
        if service.state is ServiceState.RUNNING:
            seen.ports.runtime.stop([CRON])
        seen.ports.runtime.start([CRON])
        seen.ports.runtime.execute(APP, ["runcrons"], timeout_s=COMMAND_S)


class CronRare(DeploymentCheck):
    """D08: what obsolete packages and lost jobs need to go away in time."""

    id = "D08-rare"
    title = "The application's periodic tasks run too rarely"
    severity = Severity.INFO
    fix = "Run them at least every hour: the label ofelia.job-exec.runcrons.schedule of app, in your override file"

    def look(self, seen: Evidence) -> str | None:
        """Read the schedule in the labels of the application's container."""
        if not _schedules(seen):
            return None
        every_s = cron_period_s(seen)
        if every_s <= CRON_RARE_S:
            return None
        return (
            f"They run every {every_s / 60:.0f} min; above {CRON_RARE_S / 60:.0f} min, obsolete packages stay for ever."
        )


def cron_period_s(seen: Evidence) -> float:
    """Return how rarely periodic tasks may start, in seconds. Raises QfcError for an unknown schedule.

    Without labels of ofelia somebody else starts them, as rarely as is any good.
    """
    if not seen.is_deployment:
        return MINUTE_S
    schedules = _schedules(seen)
    if not schedules:
        return MINUTE_S if CRON in seen.services() else CRON_RARE_S
    periods = [period_s(one) for one in schedules]
    known = [one for one in periods if one is not None]
    if not known:
        raise QfcError(f"The schedule of periodic tasks is not understood: {schedules[0]}.")
    return min(known)


def _schedules(seen: Evidence) -> list[str]:
    """Return the schedules of `runcrons` in the labels of running containers."""
    found = [one for one in containers(seen) if one.is_own and one.is_running]
    return [
        one.labels[name]
        for one in found
        for name in sorted(one.labels)
        if (job := _SCHEDULE.fullmatch(name)) and CRON_COMMAND in one.labels.get(f"{job[1]}.command", CRON_COMMAND)
    ]
