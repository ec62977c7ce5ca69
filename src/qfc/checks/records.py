"""The database itself: whether it can be written, what blocks it, whether it matches the application's release."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePath

from ..errors import QfcError, RefusedError
from ..stack.deploy_records import ENV, FOLDER, past
from ..stack.model import ServiceState
from ..stack.schedules import MINUTE_S, period_s
from .base import Auto, Check, DeploymentCheck, Severity
from .containers import containers
from .evidence import Evidence, counted, named
from .shipped import SEALS, ShippedAtFirst

APP, CRON = "app", "ofelia"
#: So long after a task was due, nothing starts it.
CRON_STOPPED = timedelta(minutes=5)
#: Tasks that run more rarely, in seconds, never remove obsolete packages.
CRON_RARE_S = 70 * MINUTE_S
CRON_COMMAND = "runcrons"
_SCHEDULE = re.compile(r"(ofelia\.job-exec\.[^.]+)\.schedule")
#: Transactions of this age, in seconds, block others.
STUCK_S = 600.0
#: Share of the connections from which a shortage is reported.
TIGHT = 0.9
#: Fewer expired sessions than these slow nothing down.
MANY_SESSIONS = 50_000
MIGRATE_S = 24 * 3600.0
COMMAND_S = 120.0
#: Where dumps from before migrations are kept, below our own folder.
DUMPS = "migrations"


class MigrationsPending(Check):
    """A13: the application expects tables and columns that do not exist."""

    id = "A13-pending"
    title = "The database lacks migrations of the application"
    severity = Severity.CRITICAL
    fix = "Dump the database, then apply the migrations: qfc db migrate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare the application's migrations with the applied ones."""
        known, missing = seen.migrations()
        if not missing or len(missing) == len(known):
            return None
        return f"{len(missing)} of {len(known)} migrations are not applied: {named(missing)}."

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the migrations that would be applied, and where the previous database is kept."""
        dump = (f"keep a dump of the present database in {self._dump(seen)}",) if seen.is_deployment else ()
        return tuple(f"apply {name}" for name in seen.migrations()[1]) + dump

    def repair(self, seen: Evidence) -> None:
        """Apply the migrations, after a dump of a deployment's database. Raises RefusedError where it has no dump."""
        if seen.is_deployment:
            dumps = seen.ports.deployment.dumps
            refusal = dumps.refusal()
            if refusal is not None:
                raise RefusedError(f"qfc does not migrate a database that it cannot dump: {refusal}", hint=self.fix)
            dumps.dump(self._dump(seen))
        seen.ports.runtime.execute(APP, ["migrate", "--noinput"], timeout_s=MIGRATE_S)

    def _dump(self, seen: Evidence) -> PurePath:
        at = seen.once("moment", seen.ports.clock.now)
        return seen.ports.records.folder(DUMPS) / f"{at:%Y%m%d-%H%M%S}.dump"


class DatabaseNew(Check):
    """A13: the setup of the server was never finished."""

    id = "A13-new"
    title = "The database is new and has no tables yet"
    severity = Severity.CRITICAL
    fix = "Create the tables: qfc db migrate"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare the application's migrations with the applied ones."""
        known, missing = seen.migrations()
        return f"None of the {len(known)} migrations is applied." if known and known == missing else None

    def repair(self, seen: Evidence) -> None:
        """Create the tables."""
        seen.ports.runtime.execute(APP, ["migrate", "--noinput"], timeout_s=MIGRATE_S)


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


class ReadOnly(Check):
    """D12: a replica accepts no writes."""

    id = "D12-readonly"
    title = "The database is read-only"
    severity = Severity.CRITICAL
    fix = "Point POSTGRES_HOST to the primary server, or set default_transaction_read_only = off"

    def look(self, seen: Evidence) -> str | None:
        """Ask the database server whether it is read-only."""
        is_read_only = seen.conditions.server.is_read_only()
        return "The server is a replica, or default_transaction_read_only is on." if is_read_only else None


class StuckTransactions(Check):
    """Locks that are never released."""

    id = "D12-locks"
    title = "Open transactions block others"
    severity = Severity.WARNING
    fix = "End the program that holds them; or in psql: select pg_terminate_backend(pid)"

    def look(self, seen: Evidence) -> str | None:
        """Look for transactions older than 10 minutes."""
        found = seen.conditions.server.stuck_sessions(older_s=STUCK_S)
        listed = named(f"{one.program or 'an unnamed program'} {one.what}" for one in found)
        return f"{len(found)} for up to {found[0].seconds / 60:.0f} min: {listed}." if found else None


class FewConnections(Check):
    """Without a free connection, no request and no job works."""

    id = "connections"
    title = "The database is running out of connections"
    severity = Severity.WARNING
    fix = "Raise max_connections, or run fewer workers and fewer GUNICORN_WORKERS"

    def look(self, seen: Evidence) -> str | None:
        """Compare the open connections with max_connections."""
        status = seen.ports.directory.database()
        if status.connections < TIGHT * status.max_connections:
            return None
        return f"{status.connections} of {status.max_connections} connections are in use."


class ExpiredSessions(Check):
    """Every request without a session cookie leaves a row, also one with a token; nothing removes them."""

    id = "sessions"
    title = "Expired sessions fill the database"
    severity = Severity.WARNING
    fix = "Remove them: qfc doctor --fix; then every week from cron: manage.py clearsessions"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Count the sessions that have ended."""
        number = seen.conditions.server.expired_sessions()
        return f"{number} sessions have ended and are still stored." if (number or 0) >= MANY_SESSIONS else None

    def repair(self, seen: Evidence) -> None:
        """Let the application remove the sessions that have ended."""
        seen.ports.runtime.execute(APP, ["clearsessions"], timeout_s=MIGRATE_S)


class GeodbInUse(Check):
    """I01: later releases remove these databases with all their data."""

    id = "I01"
    title = "Users have databases that later releases remove"
    severity = Severity.WARNING
    fix = "Before v25.27, have their owners move the data away, then empty core_geodb"

    def look(self, seen: Evidence) -> str | None:
        """Count the rows of core_geodb."""
        rows = seen.ports.directory.rows_of("core_geodb")
        return f"core_geodb has {counted(rows, 'row')}." if rows else None


class SealChanged(DeploymentCheck):
    """E08: secrets that were encrypted with another key cannot be read."""

    id = "E08"
    title = "Secrets of projects were encrypted with another key"
    severity = Severity.CRITICAL
    fix = "Restore the old values in .env (copies: .qfc/deployments/*/env), or enter the secrets again"

    def look(self, seen: Evidence) -> str | None:
        """Compare .env with its copies that are younger than the oldest secret; no value is shown."""
        oldest, ports = seen.conditions.server.oldest_secret(), seen.ports
        for record in past(ports.records) if oldest else ():
            text = ports.records.read_text(f"{FOLDER}/{record.id}/{ENV}")
            changed = ports.deployment.settings.changed_since(text, SEALS) if text else ()
            if changed and oldest and oldest <= record.began_at:
                at = f"{record.began_at:%Y-%m-%d %H:%M} UTC"
                return f"{', '.join(changed)} had another value on {at}, and secrets are older."
        return None


#: Problems that can keep a sync from finishing.
RECORDS_FOR_SYNC: tuple[Check, ...] = (
    MigrationsPending(),
    # Before the tables are created: afterwards, secrets may be encrypted with these keys.
    ShippedAtFirst(),
    DatabaseNew(),
    ReadOnly(),
    StuckTransactions(),
    FewConnections(),
    CronStopped(),
)
RECORDS: tuple[Check, ...] = (ExpiredSessions(), GeodbInUse(), SealChanged(), CronRare())
