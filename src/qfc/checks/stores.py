"""The file stores of a deployment: whether they run, and whether everything that needs them can reach them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..errors import NotFoundError
from ..stack.model import Health, Reached, ServiceState, StoreFacts, Vantage
from .base import Auto, Check, DeploymentCheck, Severity
from .containers import STORE_SERVICES, facts
from .evidence import Evidence, named

#: Names by which containers reach their host; the host itself cannot resolve them.
HOST_NAMES = ("host.docker.internal", "gateway.docker.internal")
NEW_STORE = "rustfs"


def stores(seen: Evidence) -> tuple[StoreFacts, ...]:
    """Return the stores in the settings."""
    return seen.once("stores", lambda: seen.inspection.environment.stores())


class StoreNotReached(DeploymentCheck):
    """C01: the application writes files to the store, nginx serves them from there."""

    id = "C01"
    title = "The file store cannot be reached"
    severity = Severity.CRITICAL
    fix = "Open its port in the host's firewall, or correct STORAGES or STORAGE_ENDPOINT_URL in .env"

    def look(self, seen: Evidence) -> str | None:
        """Send a request to each store from the host, the application and nginx."""
        endpoints = {one.endpoint: one.name for one in stores(seen) if one.endpoint}
        unreached = [self._unreached(seen, name, endpoint) for endpoint, name in endpoints.items()]
        return " ".join(one for one in unreached if one) or None

    def _unreached(self, seen: Evidence, name: str, endpoint: str) -> str | None:
        legs = self._legs(seen, endpoint)
        needed = [one.status for vantage, one in legs.items() if vantage is not Vantage.HOST]
        if not needed:
            raise NotFoundError("Neither app nor nginx runs, so the store was not tested.", hint="Type: qfc up")
        if all(needed):
            return None
        results = "; ".join(f"{leg}: {one.error or f'answered {one.status}'}" for leg, one in legs.items())
        return f"{endpoint} ({name}) from {results}."

    def _legs(self, seen: Evidence, endpoint: str) -> Mapping[Vantage, Reached]:
        """Return the result of a request from each available vantage point, all in parallel: each may be slow."""
        vantages = [one for one in Vantage if one is not Vantage.HOST or _is_known_to_host(endpoint)]
        with ThreadPoolExecutor(len(vantages)) as pool:
            asked = {vantage: pool.submit(self._reach, seen, vantage, endpoint) for vantage in vantages}
        answers = ((vantage, one.result()) for vantage, one in asked.items())
        return {vantage: answer for vantage, answer in answers if answer is not None}

    def _reach(self, seen: Evidence, vantage: Vantage, endpoint: str) -> Reached | None:
        try:
            return seen.inspection.network.reach(vantage, endpoint)
        except NotFoundError:
            return None


class StoreDown(DeploymentCheck):
    """C02: without the store, no file can be uploaded or downloaded."""

    id = "C02-down"
    title = "The file store is down"
    severity = Severity.CRITICAL
    fix = "Read its log: qfc logs --service NAME; then start it: qfc up"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Read the state of the services that keep files."""
        down = self._down(seen)
        return f"Down: {', '.join(down)}." if down else None

    def repair(self, seen: Evidence) -> None:
        """Start the stores."""
        seen.ports.runtime.start(self._down(seen))

    def _down(self, seen: Evidence) -> list[str]:
        services = [one for name, one in seen.services().items() if name in STORE_SERVICES and one.wanted]
        stopped = [one.name for one in services if one.state is not ServiceState.RUNNING]
        return [name for name in stopped if is_used(seen, name)]


class StoreUnhealthy(DeploymentCheck):
    """C02: the store runs, but its own check fails."""

    id = "C02"
    title = "The file store is unhealthy"
    severity = Severity.CRITICAL
    fix = "A full disk (qfc services disk) or odd characters in its secret can cause this: qfc logs --service NAME"

    def look(self, seen: Evidence) -> str | None:
        """Read the results of the stores' own health checks."""
        services = [one for name, one in seen.services().items() if name in STORE_SERVICES]
        ill = [one.name for one in services if one.health is Health.UNHEALTHY and is_used(seen, one.name)]
        return f"The health check fails: {', '.join(ill)}." if ill else None


class OldStoreLeft(DeploymentCheck):
    """C04: the new store lacks the files of the old one."""

    id = "C04"
    title = "Files may be left in the store of an earlier release"
    severity = Severity.WARNING
    fix = "Run both, copy the bucket (mc mirror, rclone), compare number and bytes, then remove the old volumes"

    def look(self, seen: Evidence) -> str | None:
        """Look for volumes of the old store next to the new one."""
        if NEW_STORE not in facts(seen).images:
            return None
        old = [name for name in seen.inspection.engine.volumes() if "minio" in name]
        return f"The store is {NEW_STORE}, but old volumes exist: {named(old)}." if old else None


class YoungStore(DeploymentCheck):
    """C05: the makers of this store do not recommend it for production yet."""

    id = "C05"
    title = "The file store is not yet recommended for production"
    severity = Severity.INFO
    fix = "Keep dumps and copies of the bucket, or use an S3 store of your own"

    def look(self, seen: Evidence) -> str | None:
        """Look for the store among the deployment's services."""
        return f"The store is {NEW_STORE}." if NEW_STORE in facts(seen).images else None


class WebDavStore(DeploymentCheck):
    """C09: some releases write wrong names into a WebDAV store."""

    id = "C09"
    title = "Files are kept in a WebDAV store"
    severity = Severity.INFO
    fix = "Use S3, which is more robust, or a release of August 2026 or later: earlier ones break names with spaces"

    def look(self, seen: Evidence) -> str | None:
        """Read the kinds of stores in the settings."""
        found = [one.name for one in stores(seen) if one.kind == "webdav"]
        return f"WebDAV stores in STORAGES: {named(found)}." if found else None


def _is_known_to_host(endpoint: str) -> bool:
    """Return whether the host can resolve an address: names without a dot are those of services."""
    name = urlsplit(endpoint).hostname or ""
    return name not in HOST_NAMES and (_is_address(name) or "." in name)


def is_used(seen: Evidence, service: str) -> bool:
    """Return whether a service keeps files: an address in the settings is its name, or one of the host's."""
    names = [urlsplit(one.endpoint).hostname or "" for one in stores(seen)]
    return any(name in (service, "localhost", *HOST_NAMES) or _is_address(name) for name in names)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


#: Problems that stop all file transfers, then all others.
STORES: tuple[Check, ...] = (StoreDown(), StoreUnhealthy(), StoreNotReached())
STORES_ADVISORY: tuple[Check, ...] = (OldStoreLeft(), YoungStore(), WebDavStore())
