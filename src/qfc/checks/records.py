"""The database itself: whether it can be written, what holds it up, whether it is of the application's release."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePath

from ..errors import RefusedError
from ..stack.deploy_records import ENV, FOLDER, past
from ..stack.model import ServiceState
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence, named
from .shipped import SEALS, ShippedAtFirst

APP, CRON = "app", "ofelia"
#: Tasks begin every minute.
CRON_STOPPED = timedelta(minutes=5)
#: Transactions of that many seconds hold up others.
STUCK_S = 600.0
#: Share of the connections at which it gets tight.
TIGHT = 0.9
MIGRATE_S = 24 * 3600.0
COMMAND_S = 120.0
#: Where the database of before a migration is kept, below our own folder.
DUMPS = "migrations"


class MigrationsPending(Check):
    """A13: the application knows tables and columns that are not there."""

    id = "A13-pending"
    title = "The database lacks migrations of the application"
    severity = Severity.CRITICAL
    fix = "Make a dump, then apply them: qfc db migrate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Ask the application what it knows and what was applied."""
        known, missing = seen.migrations()
        if not missing or len(missing) == len(known):
            return None
        return f"{len(missing)} of {len(known)} are not applied: {named(missing)}."

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the migrations, and where the database of before is kept."""
        dump = (f"the database of before is kept as {self._dump(seen)}",) if seen.is_deployment else ()
        return tuple(f"apply {name}" for name in seen.migrations()[1]) + dump

    def repair(self, seen: Evidence) -> None:
        """Apply them; a deployment's database is dumped before. Raises RefusedError where it cannot be."""
        if seen.is_deployment:
            dumps = seen.ports.deployment.dumps
            refusal = dumps.refusal()
            if refusal is not None:
                raise RefusedError(f"It is not migrated without a dump: {refusal}", hint=self.fix)
            dumps.dump(self._dump(seen))
        seen.ports.runtime.execute(APP, ["migrate", "--noinput"], timeout_s=MIGRATE_S)

    def _dump(self, seen: Evidence) -> PurePath:
        at = seen.once("moment", seen.ports.clock.now)
        return seen.ports.records.folder(DUMPS) / f"{at:%Y%m%d-%H%M%S}.dump"


class DatabaseNew(Check):
    """A13: a server that was never set up to its end."""

    id = "A13-new"
    title = "The database is new and has no tables yet"
    severity = Severity.CRITICAL
    fix = "Make them: qfc db migrate"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Ask the application what it knows and what was applied."""
        known, missing = seen.migrations()
        return f"None of {len(known)} migrations was applied." if known and known == missing else None

    def repair(self, seen: Evidence) -> None:
        """Make the tables."""
        seen.ports.runtime.execute(APP, ["migrate", "--noinput"], timeout_s=MIGRATE_S)


class CronStopped(Check):
    """D08: nobody ends jobs whose workers died, and no mail is sent."""

    id = "D08-cron"
    title = "The application's periodic tasks do not run"
    severity = Severity.WARNING
    fix = "Start what begins them: qfc services restart --service ofelia"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look when the last one began, where there ever was one and where there is work."""
        depth = seen.queue().depth
        if not depth.pending + depth.queued + depth.started:
            return None
        runs = seen.conditions.server.cron_runs()
        last = max((one.last_start for one in runs or ()), default=None)
        if last is None or seen.queue().at - last <= CRON_STOPPED:
            return None
        return f"The last one began {(seen.queue().at - last).total_seconds() / 60:.0f} min ago."

    def repair(self, seen: Evidence) -> None:
        """Start the service, and let the tasks that are due run now."""
        service = seen.services().get(CRON)
        if service is None:
            raise RefusedError("The deployment has no service ofelia.", hint="Let cron call: manage.py runcrons")
        if service.state is ServiceState.RUNNING:
            seen.ports.runtime.stop([CRON])
        seen.ports.runtime.start([CRON])
        seen.ports.runtime.execute(APP, ["runcrons"], timeout_s=COMMAND_S)


class ReadOnly(Check):
    """D12: a copy of a database takes no writes."""

    id = "D12-readonly"
    title = "Nothing can be written to the database"
    severity = Severity.CRITICAL
    fix = "Let POSTGRES_HOST name the primary server; or take back default_transaction_read_only"

    def look(self, seen: Evidence) -> str | None:
        """Ask the server."""
        is_read_only = seen.conditions.server.is_read_only()
        return "It is a copy of another one, or was told to be read-only." if is_read_only else None


class StuckTransactions(Check):
    """Locks that nobody gives back."""

    id = "D12-locks"
    title = "Transactions hold up others"
    severity = Severity.WARNING
    fix = "End the program that holds them; in psql: select pg_terminate_backend(pid)"

    def look(self, seen: Evidence) -> str | None:
        """Look for old transactions."""
        found = seen.conditions.server.stuck_sessions(older_s=STUCK_S)
        told = named(f"{one.program or 'a program without a name'} {one.what}" for one in found)
        return f"{len(found)} for up to {found[0].seconds / 60:.0f} min: {told}." if found else None


class FewConnections(Check):
    """No connection left means no request and no job."""

    id = "connections"
    title = "The database is short of connections"
    severity = Severity.WARNING
    fix = "Raise max_connections, or have fewer workers and fewer GUNICORN_WORKERS"

    def look(self, seen: Evidence) -> str | None:
        """Compare their number with what the server allows."""
        status = seen.ports.directory.database()
        if status.connections < TIGHT * status.max_connections:
            return None
        return f"{status.connections} of {status.max_connections} are in use."


class GeodbInUse(Check):
    """I01: later releases remove it with all that is in it."""

    id = "I01"
    title = "People have databases that later releases remove"
    severity = Severity.WARNING
    fix = "Before v25.27 let them move their data away, then empty core_geodb"

    def look(self, seen: Evidence) -> str | None:
        """Count them."""
        rows = seen.ports.directory.rows_of("core_geodb")
        return f"core_geodb has {rows} rows." if rows else None


class SealChanged(DeploymentCheck):
    """E08: what was sealed with another key cannot be opened."""

    id = "E08"
    title = "Secrets of projects were sealed with another key"
    severity = Severity.CRITICAL
    fix = "Put the old values back into .env (copies: .qfc/deployments/*/env), or enter the secrets anew"

    def look(self, seen: Evidence) -> str | None:
        """Compare with the copies that are younger than the oldest secret. No value is told."""
        oldest, ports = seen.conditions.server.oldest_secret(), seen.ports
        for record in past(ports.records) if oldest else ():
            text = ports.records.read_text(f"{FOLDER}/{record.id}/{ENV}")
            changed = ports.deployment.settings.changed_since(text, SEALS) if text else ()
            if changed and oldest and oldest <= record.began_at:
                at = f"{record.began_at:%Y-%m-%d %H:%M} UTC"
                return f"{', '.join(changed)} was another one on {at}, and secrets are older."
        return None


#: What keeps a sync from its end.
RECORDS_FOR_SYNC: tuple[Check, ...] = (
    MigrationsPending(),
    # Before the tables are made: afterwards things may be sealed.
    ShippedAtFirst(),
    DatabaseNew(),
    ReadOnly(),
    StuckTransactions(),
    FewConnections(),
    CronStopped(),
)
RECORDS: tuple[Check, ...] = (GeodbInUse(), SealChanged())
