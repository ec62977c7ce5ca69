"""Services, API, disk, images, cache: everything that synchronisation depends on."""

from __future__ import annotations

from ..errors import QfcError
from ..stack.api_status import STATUS, judge_status
from ..stack.health import LONG_WAIT_S, VITAL, of_disk, of_service
from ..stack.images import full_name, qgis_names
from ..stack.model import Service, ServiceState, Verdict
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence, counted
from .synchronisation import WORKER


class ServiceDown(Check):
    """A11: without this service, nothing works."""

    id = "A11"
    title = "A vital service is down"
    severity = Severity.CRITICAL
    fix = "Read its log: qfc logs --service NAME; then start it: qfc up"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Read the state of database, application and nginx."""
        down = self._down(seen)
        return f"Down: {', '.join(down)}." if down else None

    def repair(self, seen: Evidence) -> None:
        """Start the services."""
        seen.ports.runtime.start(self._down(seen))

    def _down(self, seen: Evidence) -> list[str]:
        return [name for name, one in seen.services().items() if _is_down(one)]


class ServiceUnhealthy(Check):
    """A service is down, incomplete or unhealthy, without stopping everything."""

    id = "A11-other"
    title = "A service is down or unhealthy"
    severity = Severity.WARNING
    fix = "Read its log: qfc logs --service NAME; then: qfc services restart --service NAME"

    def look(self, seen: Evidence) -> str | None:
        """Read the state and health of every service without a check of its own."""
        others = [one for name, one in seen.services().items() if name != WORKER and not _is_down(one)]
        found = [of_service(one) for one in others]
        reasons = [one.evidence for one in found if one.verdict in (Verdict.DOWN, Verdict.DEGRADED)]
        return " ".join(reasons) if reasons else None


class DatabaseUnreachable(Check):
    """Everything else needs the database."""

    id = "D12-away"
    title = "The database does not answer"
    severity = Severity.CRITICAL
    fix = "Read its log: qfc logs --service db; see the disk: qfc services disk"

    def look(self, seen: Evidence) -> str | None:
        """Send the database a query."""
        try:
            seen.ports.directory.database()
        except QfcError as error:
            return error.message
        return None


class MigrationsMissing(Check):
    """A13: the application needs tables that do not exist."""

    id = "A13"
    title = "The database has no tables of the application"
    severity = Severity.CRITICAL
    fix = "Create the tables: qfc db migrate"

    def look(self, seen: Evidence) -> str | None:
        """Count the applied migrations."""
        applied = seen.ports.directory.applied_migrations()
        return None if applied else "No migration is applied."


class ApiUnhealthy(Check):
    """A17: the API reports its own faults, with the status 200."""

    id = "A17"
    title = "The API does not answer, or reports a fault"
    severity = Severity.CRITICAL
    fix = "Probe each leg from client to database: qfc health --verbose"

    def look(self, seen: Evidence) -> str | None:
        """Ask the API for its status."""
        try:
            found = judge_status(seen.ports.api.get(STATUS))
        except QfcError as error:
            return error.message
        return None if found.is_well else found.evidence


class LongWait(Check):
    """Jobs wait longer than users do."""

    id = "D11-wait"
    title = "Jobs wait too long"
    severity = Severity.WARNING
    fix = "See why they wait: qfc sync queue; run more workers: qfc workers scale N"

    def look(self, seen: Evidence) -> str | None:
        """Read how long the oldest job has waited."""
        depth = seen.queue().depth
        if depth.oldest_pending_s < LONG_WAIT_S:
            return None
        return f"{counted(depth.pending, 'job')} waiting, the oldest for {depth.oldest_pending_s / 60:.0f} min."


class DiskShort(Check):
    """A15, C02: a full disk stops everything at once."""

    id = "A15"
    title = "The disk is full or nearly full"
    severity = Severity.CRITICAL
    fix = "See what uses the space: qfc services disk; free some, on a deployment with: qfc services prune"

    def look(self, seen: Evidence) -> str | None:
        """Read the free space of the fullest file system."""
        found = of_disk(seen.ports.runtime.disk())
        return found.evidence if found.verdict in (Verdict.DOWN, Verdict.DEGRADED) else None


class ImageMissing(DeploymentCheck):
    """D02: every job fails while the QGIS image is missing."""

    id = "D02"
    title = "The QGIS image is missing"
    severity = Severity.CRITICAL
    fix = "Load a saved image: qfc image load; or rebuild it: qfc image rebuild"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare the images that workers start with the images on the host."""
        missing = self._missing(seen)
        return f"Missing: {', '.join(missing)}." if missing else None

    def repair(self, seen: Evidence) -> None:
        """Build the images that services build, and pull the others."""
        images, missing = seen.ports.deployment.images, self._missing(seen)
        facts = seen.ports.deployment.rollout.facts()
        by_image = {full_name(facts.images[service]): service for service in facts.built}
        built = [by_image[full_name(name)] for name in missing if full_name(name) in by_image]
        if built:
            images.build(built)
        for name in missing:
            if full_name(name) not in by_image:
                images.fetch(name)

    def _missing(self, seen: Evidence) -> list[str]:
        deployment = seen.ports.deployment
        wanted = qgis_names(deployment.rollout.facts().images, seen.settings())
        present = {name for image in deployment.images.all() for name in image.names}
        return [name for name in wanted if full_name(name) not in present]


class CacheUnreachable(DeploymentCheck):
    """A11: the status and many settings pass through the cache."""

    id = "A11-cache"
    title = "The cache does not answer"
    severity = Severity.CRITICAL
    fix = "Restart it: qfc services restart --service memcached"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Ask the cache for its version."""
        try:
            seen.ports.deployment.cache_latency_ms()
        except QfcError as error:
            return error.message
        return None

    def repair(self, seen: Evidence) -> None:
        """Start the cache."""
        seen.ports.runtime.start(["memcached"])


def _is_down(service: Service) -> bool:
    return service.name in VITAL and service.state in (ServiceState.STOPPED, ServiceState.MISSING)


SURROUNDINGS: tuple[Check, ...] = (
    ServiceDown(),
    ServiceUnhealthy(),
    DatabaseUnreachable(),
    MigrationsMissing(),
    ApiUnhealthy(),
    CacheUnreachable(),
    DiskShort(),
    ImageMissing(),
    LongWait(),
)
