"""The database itself: whether it can be written, what blocks it, whether it matches the application's release."""

from __future__ import annotations

from pathlib import PurePath

from ..errors import RefusedError
from ..stack.deploy_records import ENV, FOLDER, past
from .base import Auto, Check, DeploymentCheck, Severity
from .cron import CronRare, CronStopped
from .evidence import Evidence, counted, named
from .shipped import SEALS, ShippedAtFirst

APP = "app"
#: Transactions of this age, in seconds, block others.
STUCK_S = 600.0
#: Share of the connections from which a shortage is reported.
TIGHT = 0.9
MIGRATE_S = 24 * 3600.0
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
RECORDS: tuple[Check, ...] = (GeodbInUse(), SealChanged(), CronRare())
