"""The interfaces that only a deployment of containers has. An embedded stack has none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..model import Certificate, ComposeFacts, Dump, Image, MemoryRoom, Revision, SourceState, Tunnel
    from .diagnosis import Inspection
    from .server import Api


class Images(Protocol):
    """The images of a deployment: those of its services, and those kept from earlier releases."""

    def all(self) -> tuple[Image, ...]:
        """Return the deployment's images: those of its services, and those built or kept for it."""
        ...

    def unique_bytes(self) -> Mapping[str, int]:
        """Return the bytes that the removal of each image would free, by image id. This is slow."""
        ...

    def build(self, services: Sequence[str] | None, *, fresh: bool = False) -> str:
        """Build the images of services and return the output; None means all that are built, `fresh` without cache."""
        ...

    def pull(self, services: Sequence[str] | None) -> str:
        """Pull the images of services and return the output; None means all that are not built."""
        ...

    def fetch(self, name: str) -> None:
        """Pull one image by name, even if no service uses it. Raises CommandError with the registry's message."""
        ...

    def keep(self, image_id: str, service: str, deployment: str) -> None:
        """Keep an image for rollback, under a name of its own."""
        ...

    def tag(self, image_id: str, name: str) -> None:
        """Give an image another name. Raises NotFoundError when the image does not exist."""
        ...

    def remove(self, names: Sequence[str]) -> tuple[str, ...]:
        """Remove images that no container needs, by name or id; return those that are gone."""
        ...

    def save(self, names: Sequence[str], path: PurePath) -> int:
        """Write images to a compressed file on the host, all or nothing; return its size in bytes."""
        ...

    def load(self, path: PurePath) -> tuple[str, ...]:
        """Load images from a file of `save`; return their names."""
        ...

    def remove_leftovers(self, *, dry_run: bool) -> tuple[tuple[str, int], ...]:
        """Remove ended containers of single commands and of ended jobs; return their names and bytes."""
        ...


class Source(Protocol):
    """The files of a deployment, under git. Every method raises RefusedError where they are not under git."""

    def state(self) -> SourceState:
        """Return the revision, the branch and the changed files of the folder."""
        ...

    def resolve(self, ref: str, *, kind: str, fetch: bool = True) -> Revision:
        """Return the present revision of a branch, tag or commit (`kind`). Raises NotFoundError.

        `fetch` updates the repository from its remote first.
        """
        ...

    def checkout(self, revision: Revision, *, branch: str | None = None) -> None:
        """Check out a revision, on a branch where one is given. Raises CommandError."""
        ...

    def date(self, revision: Revision) -> datetime:
        """Return the date of a revision's commit."""
        ...

    def read(self, revision: Revision, path: str) -> str | None:
        """Return a file of the deployment's folder as of a revision; None where the revision lacks it."""
        ...


class Settings(Protocol):
    """The deployment's `.env`. Its values include secrets."""

    def text(self) -> str:
        """Return the text of the file."""
        ...

    def values(self) -> Mapping[str, str]:
        """Return the values by name."""
        ...

    def change(self, values: Mapping[str, str]) -> None:
        """Change values; keep comments and order, and keep a copy of the old file next to it."""
        ...

    def restore(self, text: str) -> None:
        """Replace the text of the file."""
        ...

    def changed_since(self, text: str, names: Sequence[str]) -> tuple[str, ...]:
        """Return which of these names had another value in an earlier `.env`; names that it lacked are left out."""
        ...

    def has_other_names(self, text: str) -> bool:
        """Return whether the names in another `.env` differ from those in this one."""
        ...

    def missing_for(self, text: str) -> tuple[str, ...]:
        """Return the names in an `.env.example` that this file lacks."""
        ...


class Traffic(Protocol):
    """Maintenance mode: nginx blocks requests that change something, and answers 503 with `Retry-After`."""

    def refusal(self) -> str | None:
        """Return why writes cannot be blocked here; None where they can."""
        ...

    def hold(self, password: str, paths: Sequence[str] = (), *, reason: str = "") -> None:
        """Block writes, except requests with the password in the header X-Qfc-Pass or to one of the paths.

        `reason` is the message in the answer; empty for that of an upgrade.
        """
        ...

    def release(self) -> None:
        """Accept writes again; harmless when they are not blocked."""
        ...

    def settle(self, timeout_s: float) -> bool:
        """Wait until requests that began before are answered; return whether all of them were."""
        ...


class Dumps(Protocol):
    """Dumps of the deployment's database, as files on its host."""

    def refusal(self) -> str | None:
        """Return why the database cannot be dumped and restored here; None where it can."""
        ...

    def dump(self, path: PurePath) -> Dump:
        """Dump the database to a file, all or nothing, and verify it with `read_back`. Raises QfcError."""
        ...

    def read_back(self, path: PurePath) -> Dump:
        """Read a dump from beginning to end. Raises QfcError when it is incomplete."""
        ...

    def restore(self, path: PurePath) -> None:
        """Replace the database with that of a dump, while nothing writes; can be repeated after a crash."""
        ...


class Rollout(Protocol):
    """The containers of a deployment during a change of release."""

    def facts(self, files: Sequence[str] | None = None) -> ComposeFacts:
        """Return what the Compose files and `.env` define now, or would define with other `files`.

        Raises CommandError when they are invalid.
        """
        ...

    def images_in_use(self) -> Mapping[str, tuple[str, str]]:
        """Return name and id of the image of each service's container, by service."""
        ...

    def run(self, argv: Sequence[str], *, timeout_s: float | None = None) -> str:
        """Run a management command in a new container of the application's present image; return its output."""
        ...

    def converge(self, *, workers: int | None = None) -> None:
        """Bring the containers in line with files and images, with `workers` workers where that is given."""
        ...

    def await_ready(self, *, limit_s: float, without: Sequence[str] = ()) -> None:
        """Wait, at most `limit_s` seconds, until all services but `without` run steadily and the API answers.

        Raises UnreachableError with the last lines of a log.
        """
        ...

    def drain(self) -> None:
        """Stop all workers, each after its job."""
        ...

    def halt(self, services: Sequence[str]) -> None:
        """Stop services at once, and with the workers also the containers of their jobs."""
        ...

    def last_words(self, service: str) -> str:
        """Return the end of a service's log."""
        ...


class Certificates(Protocol):
    """The certificate that the deployment serves, and the file that it comes from."""

    def served(self) -> Certificate:
        """Return the certificate that clients see."""
        ...

    def on_disk(self) -> tuple[str, Certificate]:
        """Return path and certificate of the file that nginx uses. Raises NotFoundError."""
        ...

    def key_fits(self) -> bool:
        """Return whether the private key next to the file matches the certificate. Raises NotFoundError."""
        ...

    def renew(self, *, force: bool = False) -> str:
        """Renew what is due with the deployment's certbot; return its output. Raises RefusedError without certbot."""
        ...

    def self_signed(self, host: str, now: datetime, days: tuple[int, int]) -> tuple[bytes, bytes]:
        """Make a certificate for a host that is signed by itself, and its key, as PEM, good between so many days."""
        ...

    def store(self, certificate: bytes, key: bytes) -> None:
        """Write a certificate and its key (PEM) to nginx's paths. Raises RefusedError where a file exists."""
        ...

    def reload(self) -> None:
        """Reload nginx, after a test of its configuration. Raises CommandError when the test fails."""
        ...


class Tunnels(Protocol):
    """The tunnels in front of the deployment."""

    def find(self) -> tuple[Tunnel, ...]:
        """Return every cloudflared on the host: containers, services, processes."""
        ...


class Deployment(Protocol):
    """Everything that only a deployment of containers has. Each part is created on first use."""

    @property
    def folder(self) -> PurePath:
        """The deployment's folder on its host."""
        ...

    @property
    def project(self) -> str:
        """Name of the deployment's Compose project."""
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
        """Return the memory of the host, and how much of it workers use."""
        ...

    def cache_latency_ms(self) -> float | None:
        """Ask the cache for its version; return the latency in milliseconds, None without memcached."""
        ...

    def legs(self) -> Mapping[str, Api]:
        """Return the API by each existing route: `public`, `nginx`, `app`."""
        ...
