"""The checks before a deployment. They change nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...errors import QfcError
from ...stack.findings import Finding, Severity, clear, problem, unknown
from ...stack.model import Revision
from ...stack.ports import Deployment, Ports
from ...stack.rollout import ImageSource
from ...stack.upgrade_stops import Stop, Upgrade, stops
from ..probe import some_superuser

#: Disk space for what a build leaves besides its images, in bytes.
BUILD_ROOM = 2 * 1000**3
COMPOSE_FILE = "docker-compose.yml"


@dataclass(frozen=True)
class Candidate:
    """The release to deploy, the current one, and where the images come from."""

    before: Revision
    after: Revision
    changed_files: Sequence[str]
    source: ImageSource


def checks(ports: Ports, candidate: Candidate) -> tuple[Finding, ...]:
    """Run all checks. A critical check blocks, whether it found a problem or could not look."""
    deployment = ports.deployment
    by_name: dict[str, Callable[[], list[Finding]]] = {
        "clean tree": lambda: [_clean_tree(candidate)],
        "way back": lambda: [
            _refusal("way back", deployment.dumps.refusal(), "the database can be dumped and restored")
        ],
        "writers": lambda: [_refusal("writers", deployment.traffic.refusal(), "nginx can block writes")],
        "disk": lambda: [_disk(ports, candidate)],
        "upgrade stops": lambda: _upgrade_stops(ports, candidate),
        "environment": lambda: [_environment(deployment, candidate)],
        "images": lambda: [_image_tags(deployment)],
        "account": lambda: [clear("account", f"{some_superuser(ports)} is used to test the release")],
        "jobs": lambda: [_jobs(ports)],
    }
    return tuple(check for name, look in by_name.items() for check in _findings(name, look))


def _findings(name: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except QfcError as error:
        return [unknown(name, error.message, severity=Severity.CRITICAL)]


def _clean_tree(candidate: Candidate) -> Finding:
    changed = list(candidate.changed_files)
    if not changed:
        return clear("clean tree", "no file of the release was modified")
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    detail = f"modified: {', '.join(changed[:3])}{more}; move the changes to override files, config.d or .env"
    return problem("clean tree", Severity.CRITICAL, detail)


def _refusal(name: str, reason: str | None, good: str) -> Finding:
    return clear(name, good) if reason is None else problem(name, Severity.CRITICAL, reason)


def _disk(ports: Ports, candidate: Candidate) -> Finding:
    """Check for room: for the dump, a second database during a restore, and new images beside the old ones."""
    free = ports.runtime.disk().free_bytes
    database = ports.directory.database().size_bytes
    built = candidate.source is ImageSource.BUILD
    needed = 3 * database + (BUILD_ROOM if built or candidate.source is ImageSource.PULL else 0)
    detail = f"{free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed"
    return clear("disk", detail) if free >= needed else problem("disk", Severity.CRITICAL, detail)


def _upgrade_stops(ports: Ports, candidate: Candidate) -> list[Finding]:
    found = stops(upgrade_of(ports, candidate))
    return [_of_stop(stop) for stop in found] or [clear("upgrade stops", "none between the two releases")]


def _of_stop(stop: Stop) -> Finding:
    severity = Severity.CRITICAL if stop.blocks else Severity.WARNING
    return problem(f"upgrade stop {stop.id}", severity, f"{stop.what} {stop.fix}")


def upgrade_of(ports: Ports, candidate: Candidate) -> Upgrade:
    """Return the facts about the change of release."""
    deployment = ports.deployment
    environment = deployment.settings.values()
    names = environment.get("COMPOSE_FILE", COMPOSE_FILE).split(environment.get("COMPOSE_PATH_SEPARATOR") or ":")
    texts = [deployment.source.read(candidate.after, name) or "" for name in names]
    return Upgrade(
        before=candidate.before.name,
        after=candidate.after.name,
        environment=environment,
        compose_text="\n".join(texts),
        example_text=deployment.source.read(candidate.after, ".env.example") or "",
        volumes=deployment.volumes(),
        has_old_projects=ports.directory.rows_of("core_project") is not None,
        geodb_rows=ports.directory.rows_of("core_geodb") or 0,
        server_version=ports.directory.database().version,
        target_date=deployment.source.date(candidate.after).date(),
    )


def _environment(deployment: Deployment, candidate: Candidate) -> Finding:
    example = deployment.source.read(candidate.after, ".env.example")
    if example is None:
        return clear("environment", "the release has no .env.example to compare with", severity=Severity.WARNING)
    missing = deployment.settings.missing_for(example)
    if not missing:
        return clear("environment", ".env has every line of the release's .env.example", severity=Severity.WARNING)
    return problem("environment", Severity.WARNING, f".env lacks {', '.join(missing)} of .env.example")


def _image_tags(deployment: Deployment) -> Finding:
    """Check that all pulled images belong to one release."""
    facts = deployment.rollout.facts()
    own = ("app", "worker_wrapper", "qgis", "qgis3", "qgis4")
    tags = {
        name: facts.images[name].rpartition(":")[2] for name in own if name in facts.images and name not in facts.built
    }
    if len(set(tags.values())) > 1:
        different = ", ".join(f"{name}:{tag}" for name, tag in tags.items())
        return problem("images", Severity.CRITICAL, f"the images are of different releases: {different}")
    return clear("images", "all of one release")


def _jobs(ports: Ports) -> Finding:
    depth = ports.workload.depth()
    running = depth.queued + depth.started
    return clear(
        "jobs",
        f"{running} running, will be waited for; {depth.pending} waiting, will run afterwards",
        severity=Severity.WARNING,
    )


def stops_deployment(finding: Finding) -> bool:
    """Return whether a finding stops the deployment, unless the operator skips the check by name."""
    return not finding.is_well and finding.severity is Severity.CRITICAL
