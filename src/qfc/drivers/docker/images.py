"""The images of one deployment: those of its services, those built for it, those kept for rollback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath, PurePosixPath
from typing import Any, cast

from ...errors import CommandError, NotFoundError
from ...files import half_of
from ...stack.images import full_name
from ...stack.model import CommandResult, Image
from ...stack.ports import Images
from ..replacing import REPLACE
from .containers import PROJECT, Container, container, moment
from .engine import Engine, failed
from .sizes import size_bytes

#: Names of kept images of earlier releases: qfc-keep/<project>/<service>:<deployment>. A name of one part could be
#: confused with that of a project whose name begins with it.
KEPT = "qfc-keep"
VERSION_LABELS = ("org.opencontainers.image.version", "org.label-schema.version")
#: Ended containers stay for this time: somebody may still want to read their logs.
LEFTOVER_AGE = timedelta(hours=24)
#: A QGIS image has gigabytes, and some servers have a slow connection.
PULL_S = 3 * 3600.0
# The checksum is written before the file gets its name.
SAVE = f"""{REPLACE}
path=$1 half=$2
shift 2
trap 'rm -f -- "$half-failed"' EXIT
archive() {{
    {{ docker save "$@" || : >"$half-failed"; }} | gzip -1 && [ ! -e "$half-failed" ] || return
    sum=$(sha256sum "$half" | cut -d ' ' -f 1) && [ -n "$sum" ] || return
    replace "$path.sha256" "$half-sum" 600 '' echo "$sum  $(basename "$path")"
}}
replace "$path" "$half" 600 '' archive "$@" && wc -c <"$path"
"""
_LOAD = """
cd "$(dirname "$1")" && sha256sum --check --quiet "$(basename "$1").sha256" >&2 || exit 65
gzip -dc "$1" | docker load
"""
_CORRUPT = 65

#: Time limit of a build or a pull, in seconds.
BUILD_S = 4 * 3600.0


class DeploymentImages(Images):
    """The images of one Compose project. `containers` and `names` return those of its services at the moment.

    `for_jobs` returns the names of images that workers start, whether or not a service uses them.
    """

    def __init__(
        self,
        engine: Engine,
        project: str,
        *,
        containers: Callable[[], Sequence[Container]],
        names: Callable[[], Mapping[str, str]],
        for_jobs: Callable[[], Sequence[str]],
        build: Callable[[Sequence[str] | None, bool], list[str]],
        pull: Callable[[Sequence[str] | None], list[str]],
        folder: PurePosixPath,
    ) -> None:
        self._engine, self._project = engine, project
        self._containers, self._names, self._for_jobs = containers, names, for_jobs
        self._build, self._pull, self._folder = build, pull, folder

    def all(self) -> tuple[Image, ...]:
        """Return the deployment's images, those of its services first, then the newest first."""
        names, for_jobs = dict(self._names()), self._for_jobs()
        used: dict[str, set[str]] = {}
        for one in self._containers():
            used.setdefault(one.image_id, set()).add(one.service)
        documents = self._inspect([*self._ours(), *used, *dict.fromkeys([*names.values(), *for_jobs])])
        images = [_image(document, names, for_jobs, used, self._project) for document in documents]
        return tuple(sorted(images, key=lambda one: (not one.services, -one.created_at.timestamp())))

    def unique_bytes(self) -> Mapping[str, int]:
        found = cast("list[dict[str, str]]", disk_usage(self._engine).get("Images") or [])
        return {one["ID"]: size_bytes(one["UniqueSize"]) or 0 for one in found}

    def build(self, services: Sequence[str] | None, *, fresh: bool = False) -> str:
        if services is not None and not services:
            return ""
        return self._compose(self._build(services, fresh))

    def pull(self, services: Sequence[str] | None) -> str:
        if services is not None and not services:
            return ""
        return self._compose(self._pull(services))

    def _compose(self, argv: Sequence[str]) -> str:
        return _said(self._engine.run(argv, folder=self._folder, timeout_s=BUILD_S))

    def fetch(self, name: str) -> None:
        self._engine.run(["docker", "pull", "--quiet", name], timeout_s=PULL_S)

    def keep(self, image_id: str, service: str, deployment: str) -> None:
        self.tag(image_id, f"{KEPT}/{self._project}/{service}:{deployment}")

    def tag(self, image_id: str, name: str) -> None:
        try:
            self._engine.run(["docker", "tag", image_id, name])
        except CommandError as error:
            raise NotFoundError(f"The image {image_id[:19]} no longer exists.", hint=error.hint) from error

    def remove(self, names: Sequence[str]) -> tuple[str, ...]:
        gone: list[str] = []
        for name in names:
            done = self._engine.run(["docker", "image", "rm", name], check=False)
            if done.exit_code == 0 or "No such image" in done.stderr:
                gone.append(name)
        return tuple(gone)

    def save(self, names: Sequence[str], path: PurePath) -> int:
        """Write images to a compressed file, all or nothing, with a checksum file next to it; return its size."""
        done = self._engine.run(["sh", "-c", SAVE, "sh", str(path), str(half_of(path)), *names])
        return int(done.stdout)

    def load(self, path: PurePath) -> tuple[str, ...]:
        """Load images from a file of `save`; return their names. Raises CommandError for a wrong checksum."""
        done = self._engine.run(["sh", "-c", _LOAD, "sh", str(path)], check=False)
        if done.exit_code == _CORRUPT:
            raise CommandError(
                f"{path} is damaged: its checksum differs from the one saved with it.",
                hint="Choose another file: qfc image status",
            )
        if done.exit_code:
            raise failed(["docker", "load"], done)
        return tuple(line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("Loaded image"))

    def remove_leftovers(self, *, dry_run: bool) -> tuple[tuple[str, int], ...]:
        found = [(one, size) for one, size in self._ended() if _is_old(one)]
        if found and not dry_run:
            self._engine.run(["docker", "rm", *(one.id for one, _ in found)], check=False)
        return tuple((one.name, size) for one, size in found)

    def _ended(self) -> list[tuple[Container, int]]:
        """Return the ended containers of `compose run`, and of official workers' jobs in the project's network."""
        argv = ["docker", "ps", "-aq", "--no-trunc", "--filter", "status=exited"]
        one_off = self._engine.query([*argv, "--filter", f"label={PROJECT}={self._project}"]).stdout.split()
        jobs = self._engine.query([*argv, "--filter", "label=job_id"]).stdout.split()
        if not one_off + jobs:
            return []
        argv = ["docker", "inspect", "--size", "--format", "{{json .}}", *one_off, *jobs]
        printed = self._engine.query(argv, check=False).stdout
        documents = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        found = [(container(one), int(one.get("SizeRw") or 0), one["HostConfig"]["NetworkMode"]) for one in documents]
        networks = {network for one in self._containers() for network in one.addresses} | {f"{self._project}_default"}
        return [
            (one, size)
            for one, size, network in found
            if one.is_one_off or ("job_id" in one.labels and network in networks)
        ]

    def _ours(self) -> list[str]:
        """Return the ids of images that were built for the project, and of those that we kept."""
        argv = ["docker", "image", "ls", "-q", "--no-trunc", "--filter"]
        built = self._engine.query([*argv, f"label={PROJECT}={self._project}"]).stdout.split()
        kept = self._engine.query([*argv, f"reference={KEPT}/{self._project}/*"]).stdout.split()
        return list(dict.fromkeys(built + kept))

    def _inspect(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Describe each image once; a name without an image is left out."""
        if not names:
            return []
        done = self._engine.query(["docker", "image", "inspect", "--format", "{{json .}}", *names], check=False)
        documents = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return list({one["Id"]: one for one in documents}.values())


def disk_usage(engine: Engine) -> dict[str, Any]:
    """Return the disk space of images, containers, volumes and the build cache, as the engine reports it."""
    done = engine.run(["docker", "system", "df", "--verbose", "--format", "{{json .}}"], timeout_s=600)
    return json.loads(done.stdout)


def _image(
    document: dict[str, Any],
    names: Mapping[str, str],
    for_jobs: Sequence[str],
    used: Mapping[str, set[str]],
    project: str,
) -> Image:
    """Describe an image. Names from others are not ours: an image with only such names counts as in use."""
    tags = cast("tuple[str, ...]", tuple(document.get("RepoTags") or ()))
    labels = cast("dict[str, str]", cast("dict[str, Any]", document.get("Config") or {}).get("Labels") or {})
    wanted = {service for service, name in names.items() if full_name(name) in tags}
    started = {full_name(name) for name in for_jobs}
    full = {full_name(name) for name in names.values()} | started
    built = (f"{project}-", f"{project}_") if labels.get(PROJECT) == project else ()
    own = tuple(tag for tag in tags if tag in full or _begins(tag, KEPT, project) or tag.startswith(built))
    return Image(
        id=document["Id"],
        names=own,
        services=tuple(sorted(wanted)),
        created_at=moment(document["Created"]) or datetime.fromtimestamp(0, UTC),
        size_bytes=int(document["Size"]),
        release=_release(labels, tags),
        in_use=document["Id"] in used or bool(tags and not own) or not started.isdisjoint(tags),
    )


def _begins(tag: str, *parts: str) -> bool:
    return tag.startswith("/".join((*parts, "")))


def _release(labels: Mapping[str, str], tags: Sequence[str]) -> str | None:
    said = next((labels[name] for name in VERSION_LABELS if labels.get(name)), None)
    numbers = [tag.rpartition(":")[2] for tag in tags if not tag.startswith(KEPT)]
    return said or next((number for number in numbers if number != "latest"), None)


def _is_old(one: Container) -> bool:
    return one.finished_at is not None and datetime.now(UTC) - one.finished_at > LEFTOVER_AGE


def _said(result: CommandResult) -> str:
    return f"{result.stdout}\n{result.stderr}".strip()
