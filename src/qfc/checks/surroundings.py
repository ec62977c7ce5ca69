"""Services, the API, the disk, images, the cache: what synchronisation stands on."""

from __future__ import annotations

from ..errors import QfcError
from ..stack.api_status import STATUS, judge_status
from ..stack.health import LONG_WAIT_S, VITAL, of_disk, of_service
from ..stack.images import full_name, qgis_names
from ..stack.model import Service, ServiceState, Verdict
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence
from .synchronisation import WORKER


class ServiceDown(Check):
    """A11: without it nothing works."""

    id = "A11"
    title = "A service that everything needs does not run"
    severity = Severity.CRITICAL
    fix = "Start it: qfc up; its last words: qfc logs --service NAME"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look at database, application, nginx."""
        down = self._down(seen)
        return f"Down: {', '.join(down)}." if down else None

    def repair(self, seen: Evidence) -> None:
        """Start them."""
        seen.ports.runtime.start(self._down(seen))

    def _down(self, seen: Evidence) -> list[str]:
        return [name for name, one in seen.services().items() if _is_down(one)]


class ServiceAiling(Check):
    """Another service is not as it should be."""

    id = "A11-other"
    title = "A service is not as it should be"
    severity = Severity.WARNING
    fix = "Its last words: qfc logs --service NAME; then qfc services restart --service NAME"

    def look(self, seen: Evidence) -> str | None:
        """Look at every service but those of other checks."""
        others = [one for name, one in seen.services().items() if name != WORKER and not _is_down(one)]
        found = [of_service(one) for one in others]
        reasons = [one.evidence for one in found if one.verdict in (Verdict.DOWN, Verdict.DEGRADED)]
        return " ".join(reasons) if reasons else None


class DatabaseAway(Check):
    """Everything else asks it."""

    id = "D12-away"
    title = "The database does not answer"
    severity = Severity.CRITICAL
    fix = "See: qfc logs --service db; disk and memory: qfc services disk"

    def look(self, seen: Evidence) -> str | None:
        """Ask it anything."""
        try:
            seen.ports.directory.database()
        except QfcError as error:
            return error.message
        return None


class MigrationsMissing(Check):
    """A13: the application wants tables that are not there."""

    id = "A13"
    title = "The database has no tables of the application"
    severity = Severity.CRITICAL
    fix = "Make them: qfc db migrate"

    def look(self, seen: Evidence) -> str | None:
        """Count the migrations that were ever applied."""
        applied = seen.ports.directory.applied_migrations()
        return None if applied else "No migration was ever applied."


class ApiAiling(Check):
    """A17: the API says of itself what is wrong, with the status 200."""

    id = "A17"
    title = "The API does not answer as it should"
    severity = Severity.CRITICAL
    fix = "Leg by leg: qfc health --verbose"

    def look(self, seen: Evidence) -> str | None:
        """Ask for its own judgement of itself."""
        try:
            found = judge_status(seen.ports.api.get(STATUS))
        except QfcError as error:
            return error.message
        return None if found.is_well else found.evidence


class LongWait(Check):
    """Jobs wait longer than people do."""

    id = "D11-wait"
    title = "Jobs wait for long"
    severity = Severity.WARNING
    fix = "What for: qfc sync queue. More workers: qfc workers scale N"

    def look(self, seen: Evidence) -> str | None:
        """Look at the oldest."""
        depth = seen.queue().depth
        if depth.oldest_pending_s < LONG_WAIT_S:
            return None
        return f"{depth.pending} jobs wait, the oldest for {depth.oldest_pending_s / 60:.0f} min."


class DiskShort(Check):
    """A15, C02: a full disk stops everything at once."""

    id = "A15"
    title = "The disk is short of space"
    severity = Severity.CRITICAL
    fix = "What takes it: qfc services disk; qfc services prune"

    def look(self, seen: Evidence) -> str | None:
        """Look at the file system with the least left."""
        found = of_disk(seen.ports.runtime.disk())
        return found.evidence if found.verdict in (Verdict.DOWN, Verdict.DEGRADED) else None


class ImageMissing(DeploymentCheck):
    """D02: every job fails while the QGIS image is not there."""

    id = "D02"
    title = "The QGIS image is missing"
    severity = Severity.CRITICAL
    fix = "qfc image load, or qfc image rebuild"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare the names that workers are told with the images that there are."""
        missing = self._missing(seen)
        return f"Not there: {', '.join(missing)}." if missing else None

    def repair(self, seen: Evidence) -> None:
        """Build what services build, and pull the rest."""
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


class CacheAway(DeploymentCheck):
    """A11: the status and many settings come through the cache."""

    id = "A11-cache"
    title = "The cache does not answer"
    severity = Severity.CRITICAL
    fix = "qfc services restart --service memcached"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Ask for its version."""
        try:
            seen.ports.deployment.cache_latency_ms()
        except QfcError as error:
            return error.message
        return None

    def repair(self, seen: Evidence) -> None:
        """Start it."""
        seen.ports.runtime.start(["memcached"])


def _is_down(service: Service) -> bool:
    return service.name in VITAL and service.state in (ServiceState.STOPPED, ServiceState.MISSING)


SURROUNDINGS: tuple[Check, ...] = (
    ServiceDown(),
    ServiceAiling(),
    DatabaseAway(),
    MigrationsMissing(),
    ApiAiling(),
    CacheAway(),
    DiskShort(),
    ImageMissing(),
    LongWait(),
)
