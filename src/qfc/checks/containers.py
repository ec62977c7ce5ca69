"""Containers of a deployment, and the engine and the Compose that run them."""

from __future__ import annotations

import re

from ..errors import CommandError
from ..stack.health import VITAL
from ..stack.images import QGIS_SERVICES
from ..stack.model import ComposeFacts, ContainerFacts, EngineFacts
from .base import Auto, Check, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import LOOK_BACK, Evidence, named
from .settings import free_port, published

#: Services that keep files.
STORE_SERVICES = ("minio", "rustfs", "webdav")
GRIDS = "mirror_transformation_grids"
#: For which official images are made, as engines and images call it.
OFFICIAL_ARCHITECTURES = ("x86_64", "amd64")
_TAKEN = re.compile(r"port is already allocated|address already in use", re.I)
_PORT = re.compile(r"[\d\]]:(\d+)\b")
_NEEDS_V2 = re.compile(r"contains an invalid type|Unsupported config option|Additional properties|is unsupported", re.I)


def containers(seen: Evidence) -> tuple[ContainerFacts, ...]:
    """Return all containers of the deployment."""
    return seen.once("containers", lambda: seen.inspection.containers.all())


def facts(seen: Evidence) -> ComposeFacts:
    """Return what the files come to. Raises CommandError when they are faulty."""
    return seen.once("facts", lambda: seen.ports.deployment.rollout.facts())


def engine(seen: Evidence) -> EngineFacts:
    """Return what the engine is."""
    return seen.once("engine", lambda: seen.inspection.engine.facts())


class PortTaken(DeploymentCheck, RepairsEnv):
    """A05: the engine cannot start a container, since something else has its port."""

    id = "A05"
    title = "A port of a service that everything needs is taken"
    severity = Severity.CRITICAL
    fix = "See what has it (ss -ltnp on the host) and end that, or give the service another port in .env; then qfc up"
    auto = Auto.ASK
    is_vital = True

    def look(self, seen: Evidence) -> str | None:
        """Read what the engine said when it started containers."""
        found = [self._told(one) for one in self._refused(seen)]
        return f"{named(found)}." if found else None

    def corrected(self, seen: Evidence) -> Values:
        """Give them the next ports that no line of `.env` has, where one has theirs."""
        values, wanted = seen.settings(), {port[1] for one in self._refused(seen) if (port := _PORT.search(one.error))}
        return {name: free_port(int(port), values) for name, port in published(values).items() if port in wanted}

    def readers(self, seen: Evidence) -> list[str]:
        """Return those that could not be started."""
        return [one.service for one in self._refused(seen)]

    def _refused(self, seen: Evidence) -> list[ContainerFacts]:
        refused = [one for one in containers(seen) if not one.is_running and _TAKEN.search(one.error)]
        return [one for one in refused if self._is_vital(one.service) is self.is_vital]

    def _is_vital(self, service: str) -> bool:
        return service in VITAL or service in STORE_SERVICES

    def _told(self, one: ContainerFacts) -> str:
        port = _PORT.search(one.error)
        return f"{one.service} cannot have port {port[1]}" if port else f"{one.service} cannot have its port"


class OtherPortTaken(PortTaken):
    """A05, of a service without which people can work."""

    id = "A05-other"
    title = "A port of a service is taken"
    severity = Severity.WARNING
    is_vital = False


class OldCompose(DeploymentCheck):
    """A07: files of a release that an old Compose does not understand."""

    id = "A07"
    title = "Compose is too old for the deployment's files"
    severity = Severity.WARNING
    fix = "Install the package docker-compose-plugin on the host"

    def look(self, seen: Evidence) -> str | None:
        """Let the old one read the files."""
        version, major = engine(seen).compose, engine(seen).compose_major
        if major is None:
            return "The host has no Compose: nothing can be changed."
        if major >= 2:
            return None
        try:
            facts(seen)
        except CommandError as error:
            needed = _NEEDS_V2.search(f"{error.said} {error.message}")
            return f"Compose {version} says of the files: {needed[0]}." if needed else None
        return None


class Orphans(DeploymentCheck):
    """A09: containers of services that the files do not have any more."""

    id = "A09"
    title = "Containers of services that are no longer there"
    severity = Severity.WARNING
    fix = "Remove them, never with their volumes: docker compose up -d --remove-orphans"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare containers with the files."""
        found = self._found(seen)
        return f"Left of earlier files: {named(one.name for one in found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what would go."""
        return tuple(f"remove the container {one.name} ({one.state}); its volumes stay" for one in self._found(seen))

    def repair(self, seen: Evidence) -> None:
        """Remove them."""
        seen.inspection.containers.remove([one.id for one in self._found(seen)])

    def _found(self, seen: Evidence) -> tuple[ContainerFacts, ...]:
        return seen.once("orphans", lambda: seen.inspection.containers.orphans())


class NotKeptRunning(DeploymentCheck):
    """A11, before it happens: after a restart of the host the service would be missing."""

    id = "A11-policy"
    title = "A service would not come back after a restart of the host"
    severity = Severity.WARNING
    fix = "Put restart: unless-stopped for it into an override file; the containers of now are told at once by --fix"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look for lasting services without a restart policy."""
        found = self._found(seen)
        return f"Their restart policy is no: {named(found)}." if found else None

    def repair(self, seen: Evidence) -> None:
        """Change the policy of the containers that are there."""
        for service in self._found(seen):
            seen.inspection.containers.keep_running(service)

    def _found(self, seen: Evidence) -> list[str]:
        lasting = {name for name, one in seen.services().items() if not one.is_task and one.wanted}
        own = (one for one in containers(seen) if one.is_own and not one.is_one_off)
        return sorted({one.service for one in own if one.service in lasting and one.restart_policy in ("", "no")})


class OtherArchitecture(DeploymentCheck):
    """A14: official images are not made for this processor."""

    id = "A14"
    title = "There are no official images for this processor"
    severity = Severity.INFO
    fix = "Build all images on the host, or use a host with an amd64 processor"

    def look(self, seen: Evidence) -> str | None:
        """Ask the engine; the node's images can be built anywhere."""
        architecture = engine(seen).architecture
        if architecture in OFFICIAL_ARCHITECTURES or not set(QGIS_SERVICES) & set(facts(seen).images):
            return None
        return f"The host is {architecture}."


class GridsFailed(DeploymentCheck):
    """A16: it fetches hundreds of megabytes at every start."""

    id = "A16"
    title = "Transformation grids were not fetched"
    severity = Severity.WARNING
    fix = "Let the host reach cdn.proj.org, or switch the service off in an override file"

    def look(self, seen: Evidence) -> str | None:
        """Look how it ended."""
        codes = [one.exit_code for one in containers(seen) if one.service == GRIDS and not one.is_running]
        failed = [code for code in codes if code]
        return f"{GRIDS} ended with exit code {failed[0]}." if failed else None


class OutOfMemory(DeploymentCheck):
    """D05: the kernel ended something for lack of memory."""

    id = "D05-oom"
    title = "A container ran out of memory lately"
    severity = Severity.WARNING
    fix = "For jobs raise WORKER_QGIS_MEMORY_LIMIT in the admin; on a small host take fewer workers (qfc workers scale)"

    def look(self, seen: Evidence) -> str | None:
        """Look for containers that the kernel ended."""
        since = seen.ports.clock.now() - LOOK_BACK
        killed = (one for one in containers(seen) if one.oom_killed)
        lately = [one for one in killed if one.is_running or (one.finished_at is not None and one.finished_at > since)]
        return f"Ended for lack of memory: {named(map(self._told, lately))}." if lately else None

    def _told(self, one: ContainerFacts) -> str:
        at = f" at {one.finished_at:%Y-%m-%d %H:%M} UTC" if one.finished_at else ""
        return (f"the container of job {one.job_id[:8]}" if one.job_id else one.name) + at


#: What keeps services from running, and what besides.
CONTAINERS: tuple[Check, ...] = (PortTaken(), OutOfMemory())
CONTAINERS_ADVISORY: tuple[Check, ...] = (
    OtherPortTaken(),
    OldCompose(),
    Orphans(),
    NotKeptRunning(),
    OtherArchitecture(),
    GridsFailed(),
)
