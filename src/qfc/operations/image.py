"""The QGIS images that official workers start for each job: check, save, load, rebuild."""

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

#: Images of one release are built within this time of each other.
SAME_RELEASE = timedelta(days=2)
SAVED = "images"
KEEP = 3
#: Why jobs fail while an image is missing or of another release (ids of the catalogue of known problems).
REPAIRED = ("D02", "D03")
#: How far back to search for failed jobs.
LOOK_BACK = timedelta(days=30)
MOST_JOBS = 1000


@dataclass(frozen=True)
class QgisImage:
    """A QGIS image that workers use. `problem` is None when it is present and of the same release as the rest."""

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
    """All QGIS images, the saved files, and the jobs that failed without an image."""

    verdict: Verdict
    images: tuple[QgisImage, ...]
    saved: tuple[SavedImages, ...]
    failed_jobs: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class ImageChanged:
    """The result of a change of images. `retried` are jobs that had failed without them and were requeued.

    `warnings` name images that are present now, but of another release than application and workers.
    """

    images: tuple[str, ...]
    path: PurePath | None
    size_bytes: int | None
    removed: tuple[str, ...]
    retried: tuple[str, ...]
    dry_run: bool
    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def image_status(ports: Ports) -> ImageStatus:
    """Return the status of every QGIS image of the deployment."""
    names = _names(ports.deployment)
    if not names:
        return ImageStatus(Verdict.OK, (), (), (), "The workers of this deployment do not use a QGIS image.")
    images = {name: image for image in ports.deployment.images.all() for name in image.names}
    others = [image for image in images.values() if {"app", "worker_wrapper"} & set(image.services)]
    now = ports.clock.now()
    found = tuple(_described(name, images.get(full_name(name)), others, now) for name in names)
    failed = _failed_without_image(ports)
    bad = [one for one in found if one.problem]
    verdict = Verdict.DOWN if any(not one.present for one in found) else Verdict.DEGRADED if bad else Verdict.OK
    return ImageStatus(verdict, found, _saved(ports), failed, "")


def _names(deployment: Deployment) -> tuple[str, ...]:
    return qgis_names(deployment.rollout.facts().images, deployment.settings.values())


def image_save(ports: Ports, options: Options, *, keep: int = KEEP) -> ImageChanged:
    """Save the QGIS images to one compressed file on the host, with a checksum; keep the last `keep` files."""
    deployment = ports.deployment
    names = _required_names(deployment)
    missing = [one.name for one in image_status(ports).images if not one.present]
    if missing:
        raise NotFoundError(f"Missing, so not saved: {', '.join(missing)}.", hint="Type: qfc image rebuild")
    name = f"{deployment.project}-qgis-{ports.clock.now():%Y%m%d-%H%M%S}.tar.gz"
    size, removed, path = None, (), None
    with guarded(ports, "image save", target=name, options=options, of_moved=True) as guard:
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
    """Load saved images, by default the newest file; then retry the jobs that failed without them."""
    deployment = ports.deployment
    saved = {one.name: one for one in _saved(ports)}
    if not saved or (name is not None and name not in saved):
        raise NotFoundError(
            f"There is no saved file {name}." if name else "No images are saved.",
            hint=f"Saved: {', '.join(saved)}" if saved else "Save them while they are present: qfc image save",
        )
    chosen = saved[name] if name else next(iter(saved.values()))
    loaded, warnings = (), ()
    with guarded(ports, "image load", target=chosen.name, options=options) as guard:
        if guard.step(f"Load {chosen.name}"):
            loaded = deployment.images.load(chosen.path)
            warnings = tuple(f"{one.name}: {one.problem}" for one in image_status(ports).images if one.problem)
            guard.result = f"loaded, but {'; '.join(warnings)}" if warnings else guard.result
        retried = _retry(ports, guard.step("Retry the jobs that failed without the image"))
    return ImageChanged(loaded, chosen.path, None, (), retried, guard.dry_run, guard.steps, warnings)


def image_rebuild(ports: Ports, options: Options, *, pull: bool = False, fresh: bool = False) -> ImageChanged:
    """Rebuild or pull the QGIS images; then retry the jobs that failed without them."""
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
            raise NotFoundError("The image is still missing.", hint="Type: qfc image status")
        retried = _retry(ports, guard.step("Retry the jobs that failed without the image"))
    return ImageChanged(names, None, None, (), retried, guard.dry_run, guard.steps)


def _required_names(deployment: Deployment) -> tuple[str, ...]:
    names = _names(deployment)
    if not names:
        raise RefusedError(
            "The workers of this deployment do not use a QGIS image.",
            hint="It needs none; see howto/containers in the documentation",
        )
    return names


def _described(name: str, image: Image | None, others: list[Image], now: datetime) -> QgisImage:
    if image is None:
        problem = "it is missing: every job fails (D02). Type: qfc image load, or qfc image rebuild"
        return QgisImage(name, False, None, None, None, None, None, problem)
    age = round((now - image.created_at).total_seconds() / 86400, 1)
    problem = _skew(image, others)
    return QgisImage(name, True, image.id, image.created_at, age, image.size_bytes, image.release, problem)


def _skew(image: Image, others: list[Image]) -> str | None:
    """Return how an image's release differs from application and workers: by names, else by dates; None if it fits."""
    for other in others:
        if image.release and other.release:
            if image.release != other.release:
                return f"it is of release {image.release}, {other.services[0]} of {other.release} (D03)"
        elif abs(image.created_at - other.created_at) > SAME_RELEASE:
            days = abs(image.created_at - other.created_at).days
            return f"it was built {days} days apart from the image of {other.services[0]} (D03)"
    return None


def _saved(ports: Ports) -> tuple[SavedImages, ...]:
    """Return saved files, newest first: their names contain the time of saving."""
    found = ports.records.sizes(SAVED)
    names = sorted((name for name in found if name.endswith(".tar.gz")), reverse=True)
    return tuple(SavedImages(name, ports.records.folder(SAVED) / name, found[name]) for name in names)


def _failed_without_image(ports: Ports) -> tuple[str, ...]:
    """Return jobs that failed because an image was missing or of another release, and were not repeated since.

    That is the newest `process_projectfile` of each project whose status is failed, and every `delta_apply`.
    """
    since = ports.clock.now() - LOOK_BACK
    found = ports.jobs.ended(since=since, statuses=(JobStatus.FAILED,), limit=MOST_JOBS)
    wanting = [job for job in found if classify(job.feedback, job.output).signature.split()[0] in REPAIRED]
    newest = {job.project_id: job.id for job in reversed(wanting) if job.type == "process_projectfile"}
    failed = {project.id for project in ports.directory.projects() if project.status == "failed"}
    edits = [job.id for job in wanting if job.type == "delta_apply"]
    return (*(job for project, job in newest.items() if project in failed), *edits)


def _retry(ports: Ports, really: bool) -> tuple[str, ...]:
    jobs = _failed_without_image(ports)
    return ports.jobs.retry(jobs, dry_run=not really).jobs if jobs else ()
