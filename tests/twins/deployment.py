"""The twin of a deployment of containers: all changes happen in its `Site`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import PurePath

from qfc.drivers.deployment.self_signed import self_signed
from qfc.errors import CommandError, NotFoundError, QfcError, RefusedError, UnreachableError
from qfc.stack.env_file import EnvFile
from qfc.stack.images import full_name
from qfc.stack.model import (
    Certificate,
    ComposeFacts,
    Dump,
    Image,
    MemoryRoom,
    Tunnel,
)
from qfc.stack.ports import Api, Certificates, Clock, Dumps, Images, Rollout, Traffic, Tunnels

from .deployment_files import MemorySettings, MemorySource
from .inspection import MemoryInspection
from .site import APP, FOLDER, SERVICES, WORKER, Release, Site

KEPT = "qfc-keep"


@dataclass(frozen=True)
class MemoryImages(Images):
    """Images with names, as in an engine."""

    site: Site
    clock: Clock

    def all(self) -> tuple[Image, ...]:
        """Return every image."""
        return tuple(self._image(image_id) for image_id in self.site.images)

    def unique_bytes(self) -> Mapping[str, int]:
        """Return the bytes that removing each would free: all of its own."""
        return {image.id: image.size_bytes for image in self.all()}

    def build(self, services: Sequence[str] | None, *, fresh: bool = False) -> str:
        """Build the images of the release. Raises CommandError if it cannot be built."""
        del fresh
        if "build" in self.site.release.fails:
            raise CommandError("the build ended with exit code 1: no such package", said="no such package")
        for service in self.site.built if services is None else services:
            self.site.build(service, self.clock.now())
        return "built"

    def pull(self, services: Sequence[str] | None) -> str:
        """Create the images of the release without a registry."""
        return self.build(services)

    def fetch(self, name: str) -> None:
        """Pull an image from the registry. Raises CommandError if the registry does not have it."""
        if name not in self.site.registry:
            raise CommandError(f"docker pull ended with exit code 1: manifest for {name} not found")
        self.site.fetch(name, self.clock.now())

    def keep(self, image_id: str, service: str, deployment: str) -> None:
        self.tag(image_id, f"{KEPT}/{self.site.project}/{service}:{deployment}")

    def tag(self, image_id: str, name: str) -> None:
        if image_id not in self.site.images:
            raise NotFoundError(f"There is no image {image_id}.")
        self.site.names[name] = image_id

    def remove(self, names: Sequence[str]) -> tuple[str, ...]:
        used = set(self.site.containers.values())
        gone = [name for name in names if self.site.names.get(name, name) not in used]
        for name in gone:
            image_id = self.site.names.pop(name, name)
            if image_id not in self.site.names.values():
                self.site.images.pop(image_id, None)
        return tuple(gone)

    def save(self, names: Sequence[str], path: PurePath) -> int:
        """Write images to a file."""
        content = json.dumps({full_name(name): self.site.names[full_name(name)] for name in names})
        self.site.files[path] = content
        return len(content)

    def load(self, path: PurePath) -> tuple[str, ...]:
        """Read images from a file. Raises NotFoundError."""
        if path not in self.site.files:
            raise NotFoundError(f"There is no file {path}.")
        found: dict[str, str] = json.loads(self.site.files[path])
        self.site.names.update(found)
        return tuple(found)

    def remove_leftovers(self, *, dry_run: bool) -> tuple[tuple[str, int], ...]:
        """Do nothing: nothing is ever left over."""
        del dry_run
        return ()

    def _image(self, image_id: str) -> Image:
        built = self.site.images[image_id]
        names = tuple(name for name, one in self.site.names.items() if one == image_id)
        services = tuple(service for service in self.site.services if self.site.name_of(service) in names)
        release = self.site.releases[built.commit].revision.name
        in_use = image_id in self.site.containers.values()
        return Image(image_id, names, services, built.made_at, 10**8, release=release, in_use=in_use)


@dataclass(frozen=True)
class MemoryTraffic(Traffic):
    """Traffic that is open or blocked. `may_hold` is the answer of `refusal`."""

    site: Site
    may_hold: str | None = None

    def refusal(self) -> str | None:
        return self.may_hold

    def hold(self, password: str, paths: Sequence[str] = (), *, reason: str = "") -> None:
        """Block writes except those with the password or to one of the paths."""
        del reason
        self.site.held = (password, tuple(paths))

    def release(self) -> None:
        self.site.held = None

    def settle(self, timeout_s: float) -> bool:
        """Return nothing: no requests are ever running."""
        del timeout_s
        return True


@dataclass(frozen=True)
class MemoryDumps(Dumps):
    """Copies of all rows. `may_dump` is the answer of `refusal`."""

    site: Site
    may_dump: str | None = None

    def refusal(self) -> str | None:
        return self.may_dump

    def dump(self, path: PurePath) -> Dump:
        """Copy all rows to a file."""
        self.site.dumps[path] = self.site.rows()
        self.site.files[path] = "dump"
        return self.read_back(path)

    def read_back(self, path: PurePath) -> Dump:
        """Return the content of a dump. Raises QfcError if it does not exist."""
        if path not in self.site.files:
            raise QfcError(f"The dump {path} is incomplete.")
        return Dump(str(path), len(self.site.files[path]), len(self.site.dumps[path][0]), "15")

    def restore(self, path: PurePath) -> None:
        """Restore the database from the dump. Raises QfcError if it does not exist."""
        self.read_back(path)
        self.site.put_rows(self.site.dumps[path])


@dataclass(frozen=True)
class MemoryRollout(Rollout):
    """Containers created from images, and a database with migrations."""

    site: Site

    def facts(self, files: Sequence[str] | None = None) -> ComposeFacts:
        images = {service: self.site.name_of(service) for service in self.site.services}
        named = EnvFile(self.site.env).values.get("COMPOSE_FILE", "").split(":") if files is None else files
        for one in named:
            if one in self.site.missing_files:
                raise CommandError(f"docker compose ended with exit code 14: open {one}: no such file or directory")
        others = {name: volumes for one in named for name, volumes in self.site.defined_by.get(one, {}).items()}
        images |= dict.fromkeys(others, "image:1")
        return ComposeFacts(images, self.site.built, {WORKER: self.site.wanted_workers}, others)

    def images_in_use(self) -> Mapping[str, tuple[str, str]]:
        return {service: (self.site.name_of(service), image) for service, image in self.site.containers.items()}

    def run(self, argv: Sequence[str], *, timeout_s: float | None = None) -> str:
        """Run `migrate`, `showmigrations` or `collectstatic` in the application's current image."""
        del timeout_s
        release = self.site.releases[self.site.images[self.site.names[self.site.name_of(APP)]].commit]
        applied = self.site.directory.migrations
        if argv[0] == "showmigrations":
            lines = (f"[{'X' if name in applied else ' '}]  {name}" for name in release.migrations)
            return "\n".join(lines)
        if argv[0] == "migrate":
            self._migrate(release)
        return ""

    def converge(self, *, workers: int | None = None) -> None:
        """Recreate the containers from images and .env."""
        self.site.containers = {name: self.site.names[self.site.name_of(name)] for name in SERVICES}
        self.site.workers = self.site.wanted_workers if workers is None else workers

    def await_ready(self, *, limit_s: float, without: Sequence[str] = ()) -> None:
        del limit_s
        for name in self.site.unready:
            if name not in without:
                raise UnreachableError(f"{name} does not become ready.")
        if APP not in without and not self.site.answers:
            raise UnreachableError(f"app does not become ready. Its last log line: {self.last_words(APP)}")
        if WORKER not in without and self.site.workers != self.site.wanted_workers:
            raise UnreachableError("worker_wrapper does not become ready.")

    def drain(self) -> None:
        self.site.workers = 0

    def halt(self, services: Sequence[str]) -> None:
        for service in services:
            self.site.containers.pop(service, None)
        if WORKER in services:
            self.site.workers = 0

    def last_words(self, service: str) -> str:
        return f"{service} ends: it cannot work" if not self.site.answers else f"{service} is ready"

    def _migrate(self, release: Release) -> None:
        for name in release.migrations:
            if name in self.site.directory.migrations:
                continue
            self.site.directory.migrations += (name,)
            if "migrate" in release.fails:
                raise CommandError("migrate ended with exit code 1: no way on", said="no way on")


@dataclass
class MemoryCertificates(Certificates):
    """The served certificate, or none; `file` is the one on the disk if it differs, `fits` whether its key matches.

    `certbot_says` is what a renewal prints, if the deployment has a certbot.
    """

    given: Certificate | None = None
    file: Certificate | None = None
    fits: bool = True
    missing: bool = False
    certbot_says: str = ""

    def served(self) -> Certificate:
        """Return the served certificate. Raises NotFoundError."""
        if self.given is None:
            raise NotFoundError("The deployment has no certificate.")
        return self.given

    def on_disk(self) -> tuple[str, Certificate]:
        if self.missing:
            raise NotFoundError("There is no /memory/certificate.pem in nginx.")
        return "/memory/certificate.pem", self.file or self.served()

    def key_fits(self) -> bool:
        return self.fits

    def renew(self, *, force: bool = False) -> str:
        """Return the output of a certbot that has nothing to do. Raises RefusedError without one."""
        del force
        if self.certbot_says:
            return self.certbot_says
        raise RefusedError("The deployment has no certbot.")

    def self_signed(self, host: str, now: datetime, days: tuple[int, int]) -> tuple[bytes, bytes]:
        """Create a certificate."""
        return self_signed(host, now, days)

    def store(self, certificate: bytes, key: bytes) -> None:
        """Restore the file. Raises RefusedError if it exists."""
        del certificate, key
        if not self.missing:
            raise RefusedError("There is a certificate.")
        self.missing = False

    def reload(self) -> None:
        """Serve the certificate of the file."""
        self.given = self.file or self.given


@dataclass(frozen=True)
class MemoryTunnels(Tunnels):
    """Tunnels that were given."""

    given: tuple[Tunnel, ...] = ()

    def find(self) -> tuple[Tunnel, ...]:
        return self.given


@dataclass
class MemoryDeployment:
    """A deployment of containers that exists nowhere else. Implements `qfc.stack.ports.Deployment`."""

    site: Site
    clock: Clock
    routes: Mapping[str, Api] = field(default_factory=dict[str, Api])
    certificates: MemoryCertificates = field(default_factory=MemoryCertificates)
    tunnels: MemoryTunnels = field(default_factory=MemoryTunnels)
    folder: PurePath = FOLDER

    @property
    def project(self) -> str:
        """Name of its project."""
        return self.site.project

    @cached_property
    def images(self) -> MemoryImages:
        """Its images."""
        return MemoryImages(self.site, self.clock)

    @cached_property
    def source(self) -> MemorySource:
        """Its files under git."""
        return MemorySource(self.site)

    @cached_property
    def settings(self) -> MemorySettings:
        """Its .env."""
        return MemorySettings(self.site)

    @cached_property
    def traffic(self) -> MemoryTraffic:
        """Its traffic."""
        return MemoryTraffic(self.site)

    @cached_property
    def dumps(self) -> MemoryDumps:
        """Dumps of its database."""
        return MemoryDumps(self.site)

    @cached_property
    def rollout(self) -> MemoryRollout:
        """Its containers."""
        return MemoryRollout(self.site)

    @cached_property
    def inspection(self) -> MemoryInspection:
        """Its host."""
        return MemoryInspection(self.site)

    def volumes(self) -> tuple[str, ...]:
        """Return the names of its volumes."""
        return (f"{self.project}_postgres_data",)

    def memory(self) -> MemoryRoom:
        """Return a host's memory, all of which eight workers use."""
        return MemoryRoom(8 * 10**9, 0, 10**9)

    def cache_latency_ms(self) -> float | None:
        """Do nothing: there is no cache."""
        return None

    def legs(self) -> Mapping[str, Api]:
        """Return the routes that were given."""
        return self.routes
