"""The containers of a deployment, and the Docker engine and Compose that run them."""

from __future__ import annotations

import re

from ..errors import CommandError
from ..stack.health import VITAL
from ..stack.images import QGIS_SERVICES
from ..stack.model import ComposeFacts, ContainerFacts, EngineFacts
from ..stack.removals import DATA_SERVICES
from .base import Auto, Check, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import LOOK_BACK, Evidence, named
from .settings import free_port, published

#: Services that keep files.
STORE_SERVICES = ("minio", "rustfs", "webdav")
GRIDS = "mirror_transformation_grids"
#: The architecture of official images, by the names that engines and images use for it.
OFFICIAL_ARCHITECTURES = ("x86_64", "amd64")
_TAKEN = re.compile(r"port is already allocated|address already in use", re.I)
_PORT = re.compile(r"[\d\]]:(\d+)\b")
_NEEDS_V2 = re.compile(r"contains an invalid type|Unsupported config option|Additional properties|is unsupported", re.I)


def containers(seen: Evidence) -> tuple[ContainerFacts, ...]:
    """Return all containers of the deployment."""
    return seen.once("containers", lambda: seen.inspection.containers.all())


def facts(seen: Evidence) -> ComposeFacts:
    """Return the services that the Compose files define. Raises CommandError when the files are invalid."""
    return seen.once("facts", lambda: seen.ports.deployment.rollout.facts())


def engine(seen: Evidence) -> EngineFacts:
    """Return the facts about the Docker engine."""
    return seen.once("engine", lambda: seen.inspection.engine.facts())


class PortTaken(DeploymentCheck, RepairsEnv):
    """A05: the engine cannot start a container, because another program uses its port."""

    id = "A05"
    title = "The port of a vital service is taken"
    severity = Severity.CRITICAL
    fix = "Stop the program that uses it (on the host: ss -ltnp), or set another port in .env; then: qfc up"
    auto = Auto.ASK
    is_vital = True

    def look(self, seen: Evidence) -> str | None:
        """Read the engine's errors from starting containers."""
        found = [self._taken_port(one) for one in self._refused(seen)]
        return f"Another program uses {named(found)}." if found else None

    def corrected(self, seen: Evidence) -> Values:
        """Return the next port that no line of `.env` uses, for each taken port that a line sets."""
        values, wanted = seen.settings(), {port[1] for one in self._refused(seen) if (port := _PORT.search(one.error))}
        return {name: free_port(int(port), values) for name, port in published(values).items() if port in wanted}

    def readers(self, seen: Evidence) -> list[str]:
        """Return the services that could not be started."""
        return [one.service for one in self._refused(seen)]

    def _refused(self, seen: Evidence) -> list[ContainerFacts]:
        refused = [one for one in containers(seen) if not one.is_running and _TAKEN.search(one.error)]
        return [one for one in refused if self._is_vital(one.service) is self.is_vital]

    def _is_vital(self, service: str) -> bool:
        return service in VITAL or service in STORE_SERVICES

    def _taken_port(self, one: ContainerFacts) -> str:
        port = _PORT.search(one.error)
        return f"port {port[1]} of {one.service}" if port else f"the port of {one.service}"


class OtherPortTaken(PortTaken):
    """A05, for a service that synchronisation does not need."""

    id = "A05-other"
    title = "The port of a service is taken"
    severity = Severity.WARNING
    is_vital = False


class OldCompose(DeploymentCheck):
    """A07: an old Compose does not understand the files of the release."""

    id = "A07"
    title = "Compose is missing or too old for the deployment's files"
    severity = Severity.WARNING
    fix = "Install Compose v2 on the host: the package docker-compose-plugin"

    def look(self, seen: Evidence) -> str | None:
        """Let an old Compose read the deployment's files."""
        version, major = engine(seen).compose, engine(seen).compose_major
        if major is None:
            return "The host has no Compose, so qfc cannot change the deployment."
        if major >= 2:
            return None
        try:
            facts(seen)
        except CommandError as error:
            needed = _NEEDS_V2.search(f"{error.said} {error.message}")
            return f"Compose {version} rejects the files: {needed[0]}." if needed else None
        return None


class Orphans(DeploymentCheck):
    """A09: containers of services that the files no longer define."""

    id = "A09"
    title = "Containers of removed services are left"
    severity = Severity.WARNING
    fix = "Remove the containers, never their volumes: docker compose up -d --remove-orphans"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare the containers with the services in the Compose files."""
        found = self._found(seen)
        return f"No service in the Compose files: {named(one.name for one in found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the containers that would be removed."""
        return tuple(f"remove the container {one.name} ({one.state}); its volumes stay" for one in self._found(seen))

    def repair(self, seen: Evidence) -> None:
        """Remove the containers."""
        seen.inspection.containers.remove([one.id for one in self._found(seen)])

    def _found(self, seen: Evidence) -> list[ContainerFacts]:
        return [one for one in _orphans(seen) if not _is_kept(one)]


class OrphansWithData(DeploymentCheck):
    """A09: perhaps the file that defines them is only missing in COMPOSE_FILE, so they are never removed."""

    id = "A09-data"
    title = "Containers that hold data run without a service in the Compose files"
    severity = Severity.WARNING
    fix = "Name the file that defines them in COMPOSE_FILE again; or stop them yourself: docker stop NAME"

    def look(self, seen: Evidence) -> str | None:
        """Look for such containers among those that no file defines."""
        found = [one.name for one in _orphans(seen) if _is_kept(one)]
        return f"These run and hold data, so qfc keeps them: {named(found)}." if found else None


def _orphans(seen: Evidence) -> tuple[ContainerFacts, ...]:
    return seen.once("orphans", lambda: seen.inspection.containers.orphans())


def _is_kept(one: ContainerFacts) -> bool:
    return one.is_running and _holds_data(one)


class NotKeptRunning(DeploymentCheck):
    """A11, before it happens: the service would stay down after a restart of the host."""

    id = "A11-policy"
    title = "A service does not start with the host"
    severity = Severity.WARNING
    fix = "Set restart: unless-stopped for it in an override file; for the present containers: qfc doctor --fix"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look for long-running services without a restart policy."""
        found = self._found(seen)
        return f"No restart policy: {named(found)}." if found else None

    def repair(self, seen: Evidence) -> None:
        """Change the restart policy of the present containers."""
        for service in self._found(seen):
            seen.inspection.containers.keep_running(service)

    def _found(self, seen: Evidence) -> list[str]:
        lasting = {name for name, one in seen.services().items() if not one.is_task and one.wanted}
        own = (one for one in containers(seen) if one.is_own and not one.is_one_off)
        return sorted({one.service for one in own if one.service in lasting and one.restart_policy in ("", "no")})


class OtherArchitecture(DeploymentCheck):
    """A14: official images are not built for this processor."""

    id = "A14"
    title = "No official images exist for this processor"
    severity = Severity.INFO
    fix = "Build all images on the host, or use a host with an amd64 processor"

    def look(self, seen: Evidence) -> str | None:
        """Read the engine's architecture; the node's images can be built on any."""
        architecture = engine(seen).architecture
        if architecture in OFFICIAL_ARCHITECTURES or not set(QGIS_SERVICES) & set(facts(seen).images):
            return None
        return f"The processor of the host is {architecture}; official images are for amd64."


class GridsFailed(DeploymentCheck):
    """A16: the service downloads hundreds of megabytes at every start."""

    id = "A16"
    title = "The transformation grids were not downloaded"
    severity = Severity.WARNING
    fix = "Let the host reach cdn.proj.org, or disable the service in an override file"

    def look(self, seen: Evidence) -> str | None:
        """Read the exit code of the service that downloads the grids."""
        codes = [one.exit_code for one in containers(seen) if one.service == GRIDS and not one.is_running]
        failed = [code for code in codes if code]
        return f"{GRIDS} ended with exit code {failed[0]}." if failed else None


class OutOfMemory(DeploymentCheck):
    """D05: the kernel killed a container for lack of memory."""

    id = "D05-oom"
    title = "A container ran out of memory"
    severity = Severity.WARNING
    fix = "Raise WORKER_QGIS_MEMORY_LIMIT in the admin; on a small host, run fewer workers: qfc workers scale N"

    def look(self, seen: Evidence) -> str | None:
        """Look for containers that the kernel killed in the last 7 days."""
        since = seen.ports.clock.now() - LOOK_BACK
        killed = (one for one in containers(seen) if one.oom_killed)
        lately = [one for one in killed if one.is_running or (one.finished_at is not None and one.finished_at > since)]
        return f"Killed for lack of memory: {named(map(self._killed, lately))}." if lately else None

    def _killed(self, one: ContainerFacts) -> str:
        at = f" at {one.finished_at:%Y-%m-%d %H:%M} UTC" if one.finished_at else ""
        return (f"the container of job {one.job_id[:8]}" if one.job_id else one.name) + at


def _holds_data(one: ContainerFacts) -> bool:
    return one.service in DATA_SERVICES or any(not place.endswith(".sock") for place in one.mounts)


#: Problems that keep services from running, then all others.
CONTAINERS: tuple[Check, ...] = (PortTaken(), OutOfMemory())
CONTAINERS_ADVISORY: tuple[Check, ...] = (
    OtherPortTaken(),
    OldCompose(),
    Orphans(),
    OrphansWithData(),
    NotKeptRunning(),
    OtherArchitecture(),
    GridsFailed(),
)
