"""The QGIS images that official workers start for each job: there, fitting, saved, loaded, made anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

from ..errors import NotFoundError, RefusedError
from ..stack.failures import classify
from ..stack.images import QGIS_SERVICES, full_name, qgis_names
from ..stack.model import Image, JobStatus, Verdict
from ..stack.ports import Deployment, Ports
from .guard import Options, guarded

#: Images of one release are built within that time of each other.
SAME_RELEASE = timedelta(days=2)
SAVED = "images"
KEEP = 3
#: What jobs fail of while an image is missing or does not fit (ids of the catalogue of known problems).
REPAIRED = ("D02", "D03")
#: So far back failed jobs are looked for.
LOOK_BACK = timedelta(days=30)
MOST_JOBS = 1000


@dataclass(frozen=True)
class QgisImage:
    """A QGIS image that workers use. `problem` is None when it is there and of the release of the rest."""

    name: str
    present: bool
    id: str | None
    created_at: datetime | None
    age_days: float | None
    size_bytes: int | None
    release: str | None
    problem: str | None


@dataclass(frozen=True)
class SavedImages:
    """A file with saved images, on the deployment's host."""

    name: str
    path: PurePath
    size_bytes: int | None


@dataclass(frozen=True)
class ImageStatus:
    """All QGIS images, what is saved of them, and the jobs that failed for want of one."""

    verdict: Verdict
    images: tuple[QgisImage, ...]
    saved: tuple[SavedImages, ...]
    failed_jobs: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class ImageChanged:
    """What was done with images. `retried` are jobs that had failed for want of them and wait again."""

    images: tuple[str, ...]
    path: PurePath | None
    size_bytes: int | None
    removed: tuple[str, ...]
    retried: tuple[str, ...]
    dry_run: bool
    steps: tuple[str, ...]


def image_status(ports: Ports) -> ImageStatus:
    """Look at every QGIS image of the deployment."""
    names = _names(ports.deployment)
    if not names:
        return ImageStatus(Verdict.OK, (), (), (), "The workers of this deployment start no QGIS image.")
    images = {name: image for image in ports.deployment.images.all() for name in image.names}
    others = [image for image in images.values() if {"app", "worker_wrapper"} & set(image.services)]
    now = ports.clock.now()
    found = tuple(_described(name, images.get(full_name(name)), others, now) for name in names)
    failed = _failed_for_want(ports)
    bad = [one for one in found if one.problem]
    verdict = Verdict.DOWN if any(not one.present for one in found) else Verdict.DEGRADED if bad else Verdict.OK
    return ImageStatus(verdict, found, _saved(ports), failed, "")


def _names(deployment: Deployment) -> tuple[str, ...]:
    return qgis_names(deployment.rollout.facts().images, deployment.settings.values())


def image_save(ports: Ports, options: Options, *, keep: int = KEEP) -> ImageChanged:
    """Save the QGIS images to one compressed file on the host, with its checksum; older files but the last go."""
    deployment = ports.deployment
    names = _required_names(deployment)
    missing = [one.name for one in image_status(ports).images if not one.present]
    if missing:
        raise NotFoundError(f"{', '.join(missing)} is not there to be saved.", hint="Type: qfc image rebuild")
    name = f"{deployment.project}-qgis-{ports.clock.now():%Y%m%d-%H%M%S}.tar.gz"
    size, removed, path = None, (), None
    with guarded(ports, "image save", target=name, options=options) as guard:
        if guard.step(f"Save {', '.join(names)} to {name}"):
            path = ports.records.folder(SAVED) / name
            size = deployment.images.save(names, path)
        old = [one.name for one in _saved(ports)][keep - (1 if guard.dry_run else 0) :]
        if old and guard.step(f"Remove {', '.join(old)}"):
            for one in old:
                ports.records.remove(f"{SAVED}/{one}")
                ports.records.remove(f"{SAVED}/{one}.sha256")
            removed = tuple(old)
    return ImageChanged(names, path, size, removed, (), guard.dry_run, guard.steps)


def image_load(ports: Ports, name: str | None, options: Options) -> ImageChanged:
    """Load saved images, the newest file unless one is named; then try again what failed for want of them."""
    deployment = ports.deployment
    saved = {one.name: one for one in _saved(ports)}
    if not saved or (name is not None and name not in saved):
        raise NotFoundError(
            f"There is no saved file {name}." if name else "No images were saved.",
            hint=f"Saved: {', '.join(saved)}" if saved else "Type: qfc image save, while they are there",
        )
    chosen = saved[name] if name else next(iter(saved.values()))
    loaded: tuple[str, ...] = ()
    with guarded(ports, "image load", target=chosen.name, options=options) as guard:
        if guard.step(f"Load {chosen.name}"):
            loaded = deployment.images.load(chosen.path)
        retried = _retry(ports, guard.step("Try again what failed for want of it"))
    return ImageChanged(loaded, chosen.path, None, (), retried, guard.dry_run, guard.steps)


def image_rebuild(ports: Ports, options: Options, *, pull: bool = False, fresh: bool = False) -> ImageChanged:
    """Build or pull the QGIS images anew; then try again what failed for want of them."""
    deployment = ports.deployment
    names = _required_names(deployment)
    facts = deployment.rollout.facts()
    services = tuple(service for service in QGIS_SERVICES if service in facts.images)
    built = tuple(service for service in services if service in facts.built)
    of_services = {full_name(facts.images[service]) for service in services}
    others = [name for name in names if full_name(name) not in of_services]
    with guarded(ports, "image rebuild", target=", ".join(names), options=options) as guard:
        if services and (pull or not built) and guard.step(f"Pull {', '.join(services)}"):
            deployment.images.pull(services)
        for name in others:
            if guard.step(f"Pull {name}"):
                deployment.images.fetch(name)
        if not pull and built and guard.step(f"Build {', '.join(built)}"):
            deployment.images.build(built, fresh=fresh)
        if not guard.dry_run and any(not one.present for one in image_status(ports).images):
            raise NotFoundError("The image is still not there.", hint="Type: qfc image status")
        retried = _retry(ports, guard.step("Try again what failed for want of it"))
    return ImageChanged(names, None, None, (), retried, guard.dry_run, guard.steps)


def _required_names(deployment: Deployment) -> tuple[str, ...]:
    names = _names(deployment)
    if not names:
        raise RefusedError(
            "The workers of this deployment start no QGIS image.", hint="It runs without: see docs/howto/containers.md"
        )
    return names


def _described(name: str, image: Image | None, others: list[Image], now: datetime) -> QgisImage:
    if image is None:
        problem = "it is not there: every job fails (D02). Type: qfc image load, or qfc image rebuild"
        return QgisImage(name, False, None, None, None, None, None, problem)
    age = round((now - image.created_at).total_seconds() / 86400, 1)
    problem = _skew(image, others)
    return QgisImage(name, True, image.id, image.created_at, age, image.size_bytes, image.release, problem)


def _skew(image: Image, others: list[Image]) -> str | None:
    """Tell whether an image is of another release than application and workers: by names, else by dates."""
    for other in others:
        if image.release and other.release:
            if image.release != other.release:
                return f"it is of {image.release}, {other.services[0]} of {other.release} (D03)"
        elif abs(image.created_at - other.created_at) > SAME_RELEASE:
            days = abs(image.created_at - other.created_at).days
            return f"it was made {days} days apart from the image of {other.services[0]} (D03)"
    return None


def _saved(ports: Ports) -> tuple[SavedImages, ...]:
    """Return saved files, the newest first: their names have the time of their making."""
    found = ports.records.sizes(SAVED)
    names = sorted((name for name in found if name.endswith(".tar.gz")), reverse=True)
    return tuple(SavedImages(name, ports.records.folder(SAVED) / name, found[name]) for name in names)


def _failed_for_want(ports: Ports) -> tuple[str, ...]:
    """Return jobs that failed because an image was missing or did not fit, and that nobody has done since.

    Of descriptions of projects the newest of each project counts, if it failed; of edits every job with open deltas.
    """
    since = ports.clock.now() - LOOK_BACK
    found = ports.jobs.ended(since=since, statuses=(JobStatus.FAILED,), limit=MOST_JOBS)
    wanting = [job for job in found if classify(job.feedback, job.output).signature.split()[0] in REPAIRED]
    newest = {job.project_id: job.id for job in reversed(wanting) if job.type == "process_projectfile"}
    failed = {project.id for project in ports.directory.projects() if project.status == "failed"}
    edits = [job.id for job in wanting if job.type == "delta_apply"]
    return (*(job for project, job in newest.items() if project in failed), *edits)


def _retry(ports: Ports, really: bool) -> tuple[str, ...]:
    jobs = _failed_for_want(ports)
    return ports.jobs.retry(jobs, dry_run=not really).jobs if jobs else ()
