"""The disk space of a deployment: images, containers, volumes, logs, temporary folders, database, stored files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from ...errors import QfcError
from ...stack.model import DiskPart, Image
from ...stack.ports import Footprint
from .containers import PROJECT, Container
from .engine import Engine
from .images import disk_usage
from .sizes import size_bytes

#: Official workers leave the folder of every failed job here.
TEMPORARY = "TMP_DIRECTORY"
# Rotated parts of a log have a number after their name.
_LOGS = """
for path; do
    sum=0 known=''
    for part in "$path" "$path".[0-9]*; do
        size=$(stat -c %s "$part" 2>/dev/null) && { sum=$((sum + size)); known=1; }
    done
    echo "${known:+$sum} $path"
done
"""
# The files that official workers write identify the folder of a job.
_JOB_FOLDERS = """
for folder in "$1"/tmp*; do
    [ -e "$folder/feedback.json" ] || [ -e "$folder/deltafile.json" ] || continue
    du -sk "$folder" 2>/dev/null
done
"""


class DockerFootprint(Footprint):
    """Measures one deployment. `database` returns the bytes of the database and of stored files, in that order."""

    def __init__(
        self,
        engine: Engine,
        project: str,
        *,
        containers: Callable[[], Sequence[Container]],
        images: Callable[[], Sequence[Image]],
        environment: Callable[[], Mapping[str, str]],
        database: Callable[[], tuple[int, int]],
    ) -> None:
        self._engine, self._project = engine, project
        self._containers, self._images, self._environment, self._database = containers, images, environment, database

    def parts(self) -> tuple[DiskPart, ...]:
        """Return everything that uses disk space, by kind; `bytes` is None for parts that cannot be measured."""
        usage = disk_usage(self._engine)
        return (
            *self._of_images(usage),
            *self._of_containers(usage),
            *self._of_volumes(usage),
            _build_cache(usage),
            *log_parts(self._engine, self._containers()),
            *self._of_job_folders(),
            *self._of_database(),
        )

    def _of_images(self, usage: Mapping[str, Any]) -> list[DiskPart]:
        unique = {one["ID"]: size_bytes(one["UniqueSize"]) or 0 for one in _rows(usage, "Images")}
        found: list[DiskPart] = []
        for image in self._images():
            own = unique.get(image.id)
            detail = ", ".join(image.services) or ("in use" if image.in_use else "kept for rollback, or left over")
            shared = f"{image.size_bytes / 1e6:.0f} MB with shared layers"
            found.append(DiskPart("image", image.name, own, detail=f"{detail}; {shared}"))
        return found

    def _of_containers(self, usage: Mapping[str, Any]) -> list[DiskPart]:
        own = {one.id for one in self._containers()}
        rows = [one for one in _rows(usage, "Containers") if one["ID"] in own]
        return [DiskPart("container", one["Names"], size_bytes(one["Size"]), detail=one["State"]) for one in rows]

    def _of_volumes(self, usage: Mapping[str, Any]) -> list[DiskPart]:
        mounted = {name for one in self._containers() for name in one.volumes}
        label = f"{PROJECT}={self._project}"
        rows = [one for one in _rows(usage, "Volumes") if one["Name"] in mounted or label in one["Labels"].split(",")]
        return [DiskPart("volume", one["Name"], size_bytes(one["Size"])) for one in rows]

    def _of_job_folders(self) -> list[DiskPart]:
        folder = self._environment().get(TEMPORARY)
        if not folder:
            return []
        printed = self._engine.query(["sh", "-c", _JOB_FOLDERS, "sh", folder]).stdout
        sizes = [int(line.split()[0]) * 1024 for line in printed.splitlines() if line.split()[0].isdigit()]
        return [DiskPart("job folders", folder, sum(sizes), detail=f"{len(sizes)} left by failed jobs")]

    def _of_database(self) -> list[DiskPart]:
        try:
            database, stored = self._database()
        except QfcError as error:
            return [DiskPart("database", "PostgreSQL", None, detail=error.message)]
        note = "part of a volume if the server runs in a container"
        return [
            DiskPart("database", "PostgreSQL", database, detail=note),
            DiskPart("files", "all versions of all projects", stored, detail="as the application counts them"),
        ]


def log_parts(engine: Engine, containers: Sequence[Container]) -> list[DiskPart]:
    """Measure the logs of containers; `bytes` is None for those that this account cannot access."""
    paths = {one.log_path: one for one in containers if one.log_path}
    if not paths:
        return []
    printed = engine.query(["sh", "-c", _LOGS, "sh", *paths]).stdout
    sizes = [line.rpartition(" ")[::2] for line in printed.splitlines()]
    return [
        DiskPart("log", paths[path].name, int(size) if size.strip() else None) for size, path in sizes if path in paths
    ]


def _build_cache(usage: Mapping[str, Any]) -> DiskPart:
    rows = _rows(usage, "BuildCache")
    total = sum(size_bytes(one["Size"]) or 0 for one in rows)
    return DiskPart("build cache", "of the whole engine", total, detail="shared by all projects; docker builder prune")


def _rows(usage: Mapping[str, Any], name: str) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", usage.get(name) or [])
