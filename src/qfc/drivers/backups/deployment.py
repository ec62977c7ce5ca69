"""A deployment of containers as the source of a set."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO

from ...errors import CommandError, NotFoundError, QfcError, RefusedError
from ...stack.backup_set import SALT_KEY, SECRET_KEY, DatabaseFacts, Reference
from ...stack.ports import BackupSource, Deployment, Snapshot
from ..docker.containers import COMPOSE, Container
from ..docker.engine import Engine
from ..postgres.connection import Connect
from ..runtimes.compose import Observer
from .deployment_objects import DeploymentObjects
from .snapshot import DatabaseSnapshot, Program, snapshot_of

ENV = "deployment/.env"
IMAGES = "images.json"
#: The secrets without which rows cannot be read, by their names in a set and in the application's environment.
KEYS = {SECRET_KEY: "SECRET_KEY", SALT_KEY: "SALT_KEY"}
DEFAULT, PROJECTS = "default", "projects/"
FILES = f"{COMPOSE}project.config_files"


class DeploymentBackupSource(BackupSource):
    """The database, the file stores, the files and the secrets of a deployment. `program` runs PostgreSQL's tools."""

    def __init__(
        self,
        observer: Observer,
        deployment: Callable[[], Deployment],
        connect: Connect,
        program: Program,
        objects: DeploymentObjects,
    ) -> None:
        self._observer, self._deployment = observer, deployment
        self._connect, self._program, self._objects = connect, program, objects

    @property
    def _engine(self) -> Engine:
        return self._observer.engine

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        return self._snapshot()

    @contextmanager
    def _snapshot(self) -> Generator[Snapshot]:
        self._keys()  # a set without them is worth nothing: rather refuse at once than after the dump
        with snapshot_of(self._connect, self._program) as database:
            yield DeploymentSnapshot(database, self._objects)

    def open(self, reference: Reference) -> BinaryIO:
        return self._objects.open(reference)

    def release(self) -> str:
        """Return the tag or commit of its files, else the image of the application."""
        try:
            return self._deployment().source.state().revision.name
        except (RefusedError, CommandError, NotFoundError):
            return self._observer.present("app").image

    def configuration(self) -> Mapping[str, bytes]:
        images = {
            name: {"image": image, "id": id, "digests": self._digests(id)}
            for name, (image, id) in self._deployment().rollout.images_in_use().items()
        }
        return {IMAGES: json.dumps(images, indent=1, sort_keys=True).encode() + b"\n"}

    def secrets(self) -> Mapping[str, bytes]:
        """Return `.env`, the Compose files, what nginx gets from the host, and the keys by their own names."""
        return {**self._keys(), **dict(self._files()), **dict(self._mounted())}

    def _keys(self) -> Mapping[str, bytes]:
        """Return the keys that the application uses, wherever they are set. Raises QfcError without SECRET_KEY."""
        values = self._observer.environment("app")
        keys = {name: values[variable].encode() for name, variable in KEYS.items() if values.get(variable)}
        if SECRET_KEY not in keys:
            raise QfcError(
                "The application has no SECRET_KEY, and without it nobody can read what a set has of its rows.",
                hint="Set it in .env, then type: qfc services recreate --service app",
            )
        return keys

    def _digests(self, id: str) -> Sequence[str]:
        argv = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", id]
        printed = self._engine.query(argv, check=False).stdout.strip()
        return json.loads(printed) if printed.startswith("[") else []

    def _files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files that define the deployment: those of its folder by name, others by path."""
        folder, seen = self._observer.deployment.folder, self._observer.snapshot()
        named = {path for one in seen.containers for path in one.labels.get(FILES, "").split(",") if path}
        paths = {str(folder / name) for name in (*seen.files, ".env")} | named | set(map(str, self._observer.env_files))
        for path in sorted(paths):
            place = PurePosixPath(path)
            inside = place.relative_to(folder) if place.is_relative_to(folder) else path.lstrip("/")
            try:
                yield f"deployment/{inside}", self._engine.machine.read_bytes(place)
            except NotFoundError:
                continue

    def _mounted(self) -> Iterator[tuple[str, bytes]]:
        """Yield archives of the folders below /etc that nginx gets from the host: settings and certificates."""
        try:
            nginx = self._observer.present("nginx")
        except NotFoundError:
            return
        for folder in sorted(one for one in nginx.mounts if one.startswith("/etc/")):
            yield f"nginx/{folder.removeprefix('/etc/').replace('/', '-')}.tar", self._archive(nginx, folder)

    def _archive(self, container: Container, folder: str) -> bytes:
        with self._engine.start(["docker", "cp", f"{container.id}:{folder}", "-"]) as process:
            content = process.stdout.read()
            result = process.finish(check=False)
        if result.exit_code:
            said = result.stderr.strip().splitlines()
            raise QfcError(f"{folder} of nginx cannot be read: {said[-1] if said else 'docker cp failed'}")
        return content


class DeploymentSnapshot(Snapshot):
    """The database at one moment, with where its objects are now: on official servers nothing keeps them there."""

    def __init__(self, database: DatabaseSnapshot, objects: DeploymentObjects) -> None:
        self._database, self._objects = database, objects

    @property
    def facts(self) -> DatabaseFacts:
        return self._database.facts

    def dump(self) -> AbstractContextManager[BinaryIO]:
        return self._database.dump()

    def still_named(self, names: Collection[str]) -> frozenset[str]:
        return self._database.still_named(names)

    def references(self) -> Iterator[Reference]:
        """Yield what rows name, then the files that only the store knows, in releases before 2025."""
        unlisted = list(self._unlisted())
        listed = {one.place.key for one in unlisted if one.place}
        named = [one for one in self._database.references() if not (one.place and one.place.key in listed)]
        yield from self._objects.resolved(named)
        yield from unlisted

    def _unlisted(self) -> Iterator[Reference]:
        if not self._database.lists_files:
            yield from self._objects.history(DEFAULT, PROJECTS)
        for project, store in self._database.unlisted_projects().items():
            yield from self._objects.history(store, f"{PROJECTS}{project}/")
