"""The stores of a deployment's files: whether they run, and are reached from everywhere that needs them."""

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

#: Names by which containers call their host; the host itself does not know them.
HOST_NAMES = ("host.docker.internal", "gateway.docker.internal")
NEW_STORE = "rustfs"


def stores(seen: Evidence) -> tuple[StoreFacts, ...]:
    """Return the stores that the settings name."""
    return seen.once("stores", lambda: seen.inspection.environment.stores())


class StoreNotReached(DeploymentCheck):
    """C01: the application writes files there, nginx hands them out from there."""

    id = "C01"
    title = "The store of files is not reached"
    severity = Severity.CRITICAL
    fix = "Correct its address in .env (STORAGES or STORAGE_ENDPOINT_URL), or open the port in the host's firewall"

    def look(self, seen: Evidence) -> str | None:
        """Send a request from each side."""
        endpoints = {one.endpoint: one.name for one in stores(seen) if one.endpoint}
        told = [self._told(seen, name, endpoint) for endpoint, name in endpoints.items()]
        return " ".join(one for one in told if one) or None

    def _told(self, seen: Evidence, name: str, endpoint: str) -> str | None:
        legs = self._legs(seen, endpoint)
        needed = [one.status for vantage, one in legs.items() if vantage is not Vantage.HOST]
        if not needed:
            raise NotFoundError("Neither app nor nginx runs: nobody could reach the store.", hint="Type: qfc up")
        if all(needed):
            return None
        said = "; ".join(f"{leg}: {one.error or f'answered {one.status}'}" for leg, one in legs.items())
        return f"{endpoint} ({name}) from {said}."

    def _legs(self, seen: Evidence, endpoint: str) -> Mapping[Vantage, Reached]:
        """Return what came of a request from each vantage that there is, all at once: each may take its time."""
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
    """C02: without it no file goes up or down."""

    id = "C02-down"
    title = "The store of files does not run"
    severity = Severity.CRITICAL
    fix = "Its last words: qfc logs --service NAME; then qfc up"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look at the services that keep files."""
        down = self._down(seen)
        return f"Down: {', '.join(down)}." if down else None

    def repair(self, seen: Evidence) -> None:
        """Start them."""
        seen.ports.runtime.start(self._down(seen))

    def _down(self, seen: Evidence) -> list[str]:
        services = [one for name, one in seen.services().items() if name in STORE_SERVICES and one.wanted]
        stopped = [one.name for one in services if one.state is not ServiceState.RUNNING]
        return [name for name in stopped if _is_used(seen, name)]


class StoreUnhealthy(DeploymentCheck):
    """C02: it runs, and says itself that it does not work."""

    id = "C02"
    title = "The store of files is unhealthy"
    severity = Severity.CRITICAL
    fix = "See: qfc logs --service NAME; a full disk (qfc services disk) and odd characters in its secret do that"

    def look(self, seen: Evidence) -> str | None:
        """Look at what the stores' own checks say."""
        services = [one for name, one in seen.services().items() if name in STORE_SERVICES]
        ill = [one.name for one in services if one.health is Health.UNHEALTHY and _is_used(seen, one.name)]
        return f"Its own check fails: {', '.join(ill)}." if ill else None


class OldStoreLeft(DeploymentCheck):
    """C04: the new store does not have what is in the old one."""

    id = "C04"
    title = "Files may be left in the store of an earlier release"
    severity = Severity.WARNING
    fix = "Run both and copy the bucket (mc mirror, rclone), compare number and bytes, then remove the old volumes"

    def look(self, seen: Evidence) -> str | None:
        """Look for volumes of the old store beside the new one."""
        if NEW_STORE not in facts(seen).images:
            return None
        old = [name for name in seen.inspection.engine.volumes() if "minio" in name]
        return f"{NEW_STORE} is the store, and there are {named(old)}." if old else None


class YoungStore(DeploymentCheck):
    """C05: those who make it do not yet recommend it."""

    id = "C05"
    title = "The store is one that is not meant for production yet"
    severity = Severity.INFO
    fix = "Keep dumps and copies of the bucket, or use an S3 store of your own"

    def look(self, seen: Evidence) -> str | None:
        """Look whether the deployment brings it."""
        return f"Files are kept by {NEW_STORE}." if NEW_STORE in facts(seen).images else None


class WebDavStore(DeploymentCheck):
    """C09: some releases write odd names into it."""

    id = "C09"
    title = "Files are kept in a WebDAV store"
    severity = Severity.INFO
    fix = "Use a release of August 2026 or later: earlier ones break names with blanks. S3 has fewer surprises"

    def look(self, seen: Evidence) -> str | None:
        """Look at the settings."""
        found = [one.name for one in stores(seen) if one.kind == "webdav"]
        return f"In STORAGES: {named(found)}." if found else None


def _is_known_to_host(endpoint: str) -> bool:
    """Tell whether an address can mean anything to the host: names without a dot are those of services."""
    name = urlsplit(endpoint).hostname or ""
    return name not in HOST_NAMES and (_is_address(name) or "." in name)


def _is_used(seen: Evidence, service: str) -> bool:
    """Tell whether a service keeps files: an address of the settings is its name, or one of the host's."""
    names = [urlsplit(one.endpoint).hostname or "" for one in stores(seen)]
    return any(name in (service, "localhost", *HOST_NAMES) or _is_address(name) for name in names)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


#: Without these no file moves, and what is worth knowing besides.
STORES: tuple[Check, ...] = (StoreDown(), StoreUnhealthy(), StoreNotReached())
STORES_ADVISORY: tuple[Check, ...] = (OldStoreLeft(), YoungStore(), WebDavStore())
