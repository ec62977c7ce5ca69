"""What official workers need to start a container per job, and what those jobs leave behind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta

from ..errors import NotFoundError
from ..stack.images import QGIS_SERVICES, QGIS_SETTINGS, releases
from ..stack.model import ContainerFacts, TemporaryFolder
from .base import Auto, Check, DeploymentCheck, Severity
from .containers import containers
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence, counted, named
from .settings import PRODUCTION
from .synchronisation import WORKER

NETWORK, ENVIRONMENT = "QFIELDCLOUD_DEFAULT_NETWORK", "ENVIRONMENT"
SOCKET, ELSEWHERE = "docker.sock", "DOCKER_HOST"
NO_ENGINE = "docker.errors.DockerException"
#: Older log lines may be about another fault.
LATELY = timedelta(minutes=10)
#: A worker that has been running this long, in seconds, has found the engine.
STEADY_S = 60.0
#: What jobs leave behind stays readable for a day.
LEFT_S = 24 * 3600.0
RELEASED = ("app", WORKER, *QGIS_SERVICES)


def worker_environment(seen: Evidence) -> Mapping[str, str]:
    """Return the environment of the workers. It holds secrets."""
    return seen.once("worker environment", lambda: seen.inspection.environment.of(WORKER))


def worker_containers(seen: Evidence) -> list[ContainerFacts]:
    """Return the containers of the workers."""
    return [one for one in containers(seen) if one.service == WORKER and not one.is_one_off]


class LaunchCheck(DeploymentCheck):
    """A check of workers that start containers; the node's own workers do not."""

    def look(self, seen: Evidence) -> str | None:
        """Look only where workers have the engine's socket or the names of QGIS images."""
        environment = worker_environment(seen)
        has_socket = any(_has_socket(one) for one in worker_containers(seen))
        return self.problem(seen) if has_socket or any(environment.get(name) for name in QGIS_SETTINGS) else None

    @abstractmethod
    def problem(self, seen: Evidence) -> str | None:
        """Return the evidence of the problem; None without it."""


class NetworkMissing(LaunchCheck, RepairsEnv):
    """D01: every job fails before it begins."""

    id = "D01-network"
    title = "The network for jobs does not exist"
    severity = Severity.CRITICAL
    fix = f"Set {NETWORK} in .env to worker_wrapper's network; then: qfc services recreate --service worker_wrapper"
    auto = Auto.SAFE
    services = (WORKER,)

    def problem(self, seen: Evidence) -> str | None:
        """Compare the network that workers use for jobs with the engine's networks."""
        name = self._configured(seen)
        return None if name in self._existing(seen) else f"Workers start jobs in the network {name}, which is missing."

    def corrected(self, seen: Evidence) -> Values:
        """Return the network that the workers are on."""
        return {NETWORK: self._real(seen)}

    def _configured(self, seen: Evidence) -> str:
        return worker_environment(seen).get(NETWORK) or f"{seen.ports.deployment.project}_default"

    def _existing(self, seen: Evidence) -> tuple[str, ...]:
        return seen.once("networks", lambda: seen.inspection.engine.networks())

    def _real(self, seen: Evidence) -> str:
        """Return a network of the workers, preferably one that the application is on too."""
        theirs = [name for one in worker_containers(seen) for name in one.networks if name in self._existing(seen)]
        of_app = {name for one in containers(seen) if one.service == "app" for name in one.networks}
        if not theirs:
            raise NotFoundError("No worker is on any network.", hint=self.fix)
        return next((name for name in theirs if name in of_app), theirs[0])


class ReleasesDiffer(LaunchCheck):
    """D03, D09: parts of different releases do not understand each other."""

    id = "D03-skew"
    problems = ("D03", "D09")
    title = "The images come from different releases"
    severity = Severity.WARNING
    fix = "Bring all images to one release: qfc deploy --tag TAG"

    def problem(self, seen: Evidence) -> str | None:
        """Compare the known releases of the images."""
        found: dict[str, set[str]] = {}
        for service, release in releases(seen.once("images", lambda: seen.ports.deployment.images.all())).items():
            if service in RELEASED:
                found.setdefault(release, set()).add(service)
        listed = [f"{', '.join(sorted(services))} {release}" for release, services in sorted(found.items())]
        return f"Releases: {'; '.join(listed)}." if len(found) > 1 else None


class SameLabel(LaunchCheck, RepairsEnv):
    """D06: the workers of each deployment end jobs of the other, because they take them for lost ones."""

    id = "D06"
    title = "Another deployment on this Docker engine ends this one's jobs"
    severity = Severity.CRITICAL
    fix = f"Give each deployment its own {ENVIRONMENT} in .env; then: qfc services recreate"
    auto = Auto.ASK

    def problem(self, seen: Evidence) -> str | None:
        """Look for running workers of other deployments with the same label."""
        others = seen.inspection.engine.other_deployments()
        label = worker_environment(seen).get(ENVIRONMENT, "")
        listed = named(f"{one.project} in {one.folder}" for one in others)
        return f"{ENVIRONMENT} is {label or 'empty'} here and in {listed}." if others else None

    def corrected(self, seen: Evidence) -> Values:
        """Return a label with the name of the Compose project, which is unique on this engine."""
        return {ENVIRONMENT: f"{PRODUCTION}_{seen.ports.deployment.project}"}


class NoEngine(LaunchCheck):
    """D13: workers end as soon as they start."""

    id = "D13"
    title = "Workers cannot reach the Docker engine"
    severity = Severity.CRITICAL
    fix = "Mount /var/run/docker.sock into worker_wrapper, readable for its user; then: qfc services recreate"

    def problem(self, seen: Evidence) -> str | None:
        """Look at the workers' mounts, then at the logs of workers that keep ending."""
        workers = worker_containers(seen)
        if workers and not any(map(_has_socket, workers)) and not worker_environment(seen).get(ELSEWHERE):
            return "No worker mounts the engine's socket docker.sock."
        if self._is_steady(seen):
            return None
        since = seen.ports.clock.now() - LATELY
        lines = seen.ports.runtime.logs([WORKER], lines=500, since=since, follow=False)
        said = [line.text for line in lines if NO_ENGINE in line.text]
        return f"Their log says: {said[-1].strip()[:200]}" if said else None

    def _is_steady(self, seen: Evidence) -> bool:
        service = seen.services().get(WORKER)
        return any((one.uptime_s or 0) > STEADY_S for one in service.instances) if service else True


class LeftByJobs(LaunchCheck):
    """C14: official workers never clean up after jobs that failed."""

    id = "C14"
    title = "Jobs left folders and containers behind"
    severity = Severity.INFO
    fix = "Remove them: qfc doctor --fix"
    auto = Auto.SAFE

    def problem(self, seen: Evidence) -> str | None:
        """Look for folders and containers of jobs that ended more than a day ago."""
        folders, ended = self._folders(seen), self._containers(seen)
        if not folders and not ended:
            return None
        left = f"{counted(len(folders), 'folder')} and {counted(len(ended), 'container')}"
        return f"{left}, from jobs that ended more than a day ago."

    def repair(self, seen: Evidence) -> None:
        """Remove the folders and containers."""
        seen.inspection.containers.remove([one.id for one in self._containers(seen)])
        seen.inspection.host.remove_folders([one.path for one in self._folders(seen)])

    def _folders(self, seen: Evidence) -> list[TemporaryFolder]:
        """Return old folders; one of an unknown job counts only if it is older than every active job."""
        active = {job.id for job in seen.queue().active}
        at_work_s = max((seen.held_s(job) for job in seen.queue().active), default=0.0)
        found = seen.once("temporary folders", lambda: seen.inspection.host.temporary_folders())
        old = [one for one in found if one.age_s > LEFT_S and one.job_id not in active]
        return [one for one in old if one.job_id or one.age_s > at_work_s]

    def _containers(self, seen: Evidence) -> list[ContainerFacts]:
        active = {job.id for job in seen.queue().active}
        before = seen.ports.clock.now() - timedelta(seconds=LEFT_S)
        ended = [one for one in containers(seen) if one.job_id and not one.is_running and one.job_id not in active]
        return [one for one in ended if one.finished_at is not None and one.finished_at < before]


def _has_socket(worker: ContainerFacts) -> bool:
    return any(one.endswith(SOCKET) for one in worker.mounts)


#: Problems that keep jobs from starting, then all others.
LAUNCHING: tuple[Check, ...] = (NetworkMissing(), NoEngine(), SameLabel())
LAUNCHING_ADVISORY: tuple[Check, ...] = (ReleasesDiffer(), LeftByJobs())
