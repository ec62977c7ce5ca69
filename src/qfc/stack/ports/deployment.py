"""What a deployment of containers has besides what every stack has. An embedded stack has none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Protocol

from ..model import Certificate, ComposeFacts, Dump, Image, MemoryRoom, Revision, SourceState, Tunnel
from .diagnosis import Inspection
from .server import Api


class Images(Protocol):
    """The images of a deployment: what its services run, and what was kept of earlier releases."""

    def all(self) -> tuple[Image, ...]:
        """Return the deployment's images: those of its services and those that were made or kept for it."""
        ...

    def unique_bytes(self) -> Mapping[str, int]:
        """Return what the removal of each of them would free, by their ids. Takes the engine a while."""
        ...

    def build(self, services: Sequence[str] | None, *, fresh: bool = False) -> str:
        """Build the images of services, for None of all that are built; without cache if `fresh`. Return the output."""
        ...

    def pull(self, services: Sequence[str] | None) -> str:
        """Pull the images of services, for None of all that are not built. Return the output."""
        ...

    def fetch(self, name: str) -> None:
        """Pull one image by its name, whoever uses it. Raises CommandError with what the registry says."""
        ...

    def keep(self, image_id: str, service: str, deployment: str) -> None:
        """Keep an image for the way back, under a name of its own."""
        ...

    def tag(self, image_id: str, name: str) -> None:
        """Give an image another name. Raises NotFoundError when it is gone."""
        ...

    def remove(self, names: Sequence[str]) -> tuple[str, ...]:
        """Remove names and ids of images that no container needs; return those that are gone."""
        ...

    def save(self, names: Sequence[str], path: PurePath) -> int:
        """Write images to a compressed file of the host, all or nothing; return its size in bytes."""
        ...

    def load(self, path: PurePath) -> tuple[str, ...]:
        """Read images from such a file; return their names."""
        ...

    def remove_leftovers(self, *, dry_run: bool) -> tuple[tuple[str, int], ...]:
        """Remove ended containers of single commands and of jobs that are over; return their names and bytes."""
        ...


class Source(Protocol):
    """The files of a deployment, under git. Raises RefusedError where they are not."""

    def state(self) -> SourceState:
        """Return where the folder stands."""
        ...

    def resolve(self, ref: str, *, kind: str, fetch: bool = True) -> Revision:
        """Fetch, and return what a branch, a tag or a commit (`kind`) means now. Raises NotFoundError."""
        ...

    def checkout(self, revision: Revision, *, branch: str | None = None) -> None:
        """Make the files be those of a revision; on a branch where one is named. Raises CommandError."""
        ...

    def date(self, revision: Revision) -> datetime:
        """Return when a revision was made."""
        ...

    def read(self, revision: Revision, path: str) -> str | None:
        """Return a file of the deployment's folder as it is in a revision; None when it is not there."""
        ...


class Settings(Protocol):
    """The deployment's `.env`. Its values hold secrets."""

    def text(self) -> str:
        """Return the file as it is."""
        ...

    def values(self) -> Mapping[str, str]:
        """Return its values by their names."""
        ...

    def change(self, values: Mapping[str, str]) -> None:
        """Change values; comments and order stay, and a copy of the old file beside it."""
        ...

    def restore(self, text: str) -> None:
        """Replace the file."""
        ...

    def changed_since(self, text: str, names: Sequence[str]) -> tuple[str, ...]:
        """Return which of these names had another value in an earlier `.env`; those it had not are left out."""
        ...

    def has_other_names(self, text: str) -> bool:
        """Tell whether another `.env` has other names than this one."""
        ...

    def missing_for(self, text: str) -> tuple[str, ...]:
        """Return the names that an `.env.example` has and this file has not."""
        ...


class Traffic(Protocol):
    """Requests that change something, held off at the door: they are answered 503 with `Retry-After`."""

    def refusal(self) -> str | None:
        """Say why they cannot be held off here; None when they can."""
        ...

    def hold(self, password: str, paths: Sequence[str] = ()) -> None:
        """Hold them off, but for those with the password in the header X-Qfc-Pass or with one of the paths."""
        ...

    def release(self) -> None:
        """Let them through again; harmless when they are."""
        ...

    def settle(self, timeout_s: float) -> bool:
        """Wait until requests that had begun before are answered; tell whether all were."""
        ...


class Dumps(Protocol):
    """Dumps of the deployment's database, as files of its host."""

    def refusal(self) -> str | None:
        """Say why the database cannot be dumped and brought back here; None when it can."""
        ...

    def dump(self, path: PurePath) -> Dump:
        """Write the database to a file, all or nothing, and read it back. Raises QfcError."""
        ...

    def read_back(self, path: PurePath) -> Dump:
        """Read a dump from its beginning to its end. Raises QfcError when it is not whole."""
        ...

    def restore(self, path: PurePath) -> None:
        """Make the database be that of the dump. To be used when nobody writes; may be repeated after a crash."""
        ...


class Rollout(Protocol):
    """Containers while a release is changed."""

    def facts(self) -> ComposeFacts:
        """Return what files and `.env` come to now. Raises CommandError when they are faulty."""
        ...

    def images_in_use(self) -> Mapping[str, tuple[str, str]]:
        """Return name and id of the image of each service's container."""
        ...

    def run(self, argv: Sequence[str], *, timeout_s: float | None = None) -> str:
        """Run a management command in a new container of the application's present image; return its output."""
        ...

    def converge(self, *, workers: int | None = None) -> None:
        """Make the containers be as files and images say, with so many workers where a number is given."""
        ...

    def await_ready(self, *, limit_s: float, without: Sequence[str] = ()) -> None:
        """Wait until services run steadily and the API answers. Raises UnreachableError with the last words."""
        ...

    def drain(self) -> None:
        """Let all workers finish and stop."""
        ...

    def halt(self, services: Sequence[str]) -> None:
        """Stop services at once, and containers of jobs with the workers."""
        ...

    def last_words(self, service: str) -> str:
        """Return the end of a service's log."""
        ...


class Certificates(Protocol):
    """The certificate that the deployment serves, and the file that it comes from."""

    def served(self) -> Certificate:
        """Return the one that is served to clients."""
        ...

    def on_disk(self) -> tuple[str, Certificate]:
        """Return path and content of the file that nginx is told to use. Raises NotFoundError."""
        ...

    def key_fits(self) -> bool:
        """Tell whether the private key beside it is the certificate's."""
        ...

    def renew(self, *, force: bool = False) -> str:
        """Let the deployment's certbot renew what is due; return what it said. Raises RefusedError without certbot."""
        ...

    def self_signed(self, host: str, now: datetime, days: tuple[int, int]) -> tuple[bytes, bytes]:
        """Make a certificate for a host that is signed by itself, and its key, as PEM, good between so many days."""
        ...

    def store(self, certificate: bytes, key: bytes) -> None:
        """Put a certificate and its key (PEM) where nginx looks for them. Raises RefusedError where there are some."""
        ...

    def reload(self) -> None:
        """Let nginx use the file, after it has found its configuration good. Raises CommandError when it has not."""
        ...


class Tunnels(Protocol):
    """A tunnel in front of the deployment."""

    def find(self) -> tuple[Tunnel, ...]:
        """Return every cloudflared of the host: containers, services, processes."""
        ...


class Deployment(Protocol):
    """What only a deployment of containers has. A part is made when it is first asked for."""

    @property
    def folder(self) -> PurePath:
        """Its folder on its host."""
        ...

    @property
    def project(self) -> str:
        """Name of its Compose project."""
        ...

    @property
    def images(self) -> Images: ...
    @property
    def source(self) -> Source: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def dumps(self) -> Dumps: ...
    @property
    def rollout(self) -> Rollout: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def tunnels(self) -> Tunnels: ...
    @property
    def inspection(self) -> Inspection: ...

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the volumes that its containers use."""
        ...

    def memory(self) -> MemoryRoom:
        """Return how much memory the host has for workers."""
        ...

    def cache_latency_ms(self) -> float | None:
        """Ask the cache for its version; return how long that took, None where the deployment has no memcached."""
        ...

    def legs(self) -> Mapping[str, Api]:
        """Return the API by each way that there is: public, nginx, app. A way that is not there is left out."""
        ...
