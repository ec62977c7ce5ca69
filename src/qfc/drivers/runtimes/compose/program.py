"""The Compose of the host, and its commands. Commands are built here and run elsewhere.

v2 is a plug-in of docker (`docker compose`), v1 a separate program (`docker-compose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....errors import UnreachableError
from ...docker.engine import Engine

_ASK = "docker compose version --short 2>/dev/null || docker-compose version --short"


@dataclass(frozen=True)
class Compose:
    """Compose on a host, for one project. `services` of None are all of them.

    `env_files` are the files of variables that it reads instead of `.env` in the project's folder.
    """

    version: str
    project: str
    env_files: tuple[str, ...] = ()

    @property
    def is_v1(self) -> bool:
        """Whether it is the separate program, v1."""
        return self.version.startswith("1.")

    def argv(self, *words: str) -> list[str]:
        """Return a command for the project. It must run in the project's folder, so that Compose reads its `.env`."""
        program = ["docker-compose"] if self.is_v1 else ["docker", "compose", "--progress", "plain"]
        given = [word for path in self.env_files for word in ("--env-file", path)]
        return [*program, "--project-name", self.project, *given, *words]

    def config(self, files: Sequence[str] = ()) -> list[str]:
        """Print the resolved configuration of the files, or of other ones: JSON, or YAML from v1."""
        named = [word for one in files for word in ("--file", one)]
        return self.argv(*named, "config") if self.is_v1 else self.argv(*named, "config", "--format", "json")

    def up(self, services: Sequence[str] | None, *, recreate: bool = False, build: bool = False) -> list[str]:
        """Create and start containers in the background. Named services start without their dependencies."""
        words = ["up", "--detach", "--force-recreate" if recreate else "--no-recreate"]
        words += [] if build else ["--no-build"]
        return self.argv(*words, *(["--no-deps"] if services else []), *_named(services))

    def converge(self, services: Sequence[str], scale: Mapping[str, int]) -> list[str]:
        """Bring containers in line with files and images, with other numbers of some; those in line stay.

        v2 also recreates the services that depend on a changed one, such as nginx, unless they are not named. With
        `--no-deps` it would consider a service different from the one that its container was created from.
        """
        numbers = [word for name, count in scale.items() for word in ("--scale", f"{name}={count}")]
        return self.argv("up", "--detach", "--no-build", *numbers, *services)

    def hashes(self) -> list[str]:
        """Print name and hash of each service as it should be, one per line; containers have the hash as a label."""
        return self.argv("config", "--hash", "*")

    def names(self) -> list[str]:
        """Print the names of all services, one per line, including those of unused profiles."""
        profiles = [] if self.is_v1 else ["--profile", "*"]
        return self.argv(*profiles, "config", "--services")

    def scale(self, service: str, count: int) -> list[str]:
        """Set the number of a service's containers; running ones stay as they are."""
        return self.argv("up", "--detach", "--no-build", "--no-deps", "--no-recreate", "--scale", f"{service}={count}",
                         service)  # fmt: skip

    def stop(self, services: Sequence[str] | None, *, timeout_s: int | None = None) -> list[str]:
        """Stop containers, each with its own grace period unless a time is given."""
        return self.argv("stop", *(["--timeout", str(timeout_s)] if timeout_s is not None else []), *_named(services))

    def remove(self, services: Sequence[str]) -> list[str]:
        """Remove stopped containers; their volumes stay."""
        return self.argv("rm", "--force", *services)

    def build(self, services: Sequence[str] | None, *, fresh: bool = False) -> list[str]:
        """Build images."""
        return self.argv("build", *(["--no-cache"] if fresh else []), *_named(services))

    def pull(self, services: Sequence[str] | None) -> list[str]:
        """Pull images, except those that are built here."""
        quiet = ["--quiet"] if self.is_v1 else ["--quiet", "--ignore-buildable"]
        return self.argv("pull", *quiet, *_named(services))

    def run(self, service: str, argv: Sequence[str], *, name: str) -> list[str]:
        """Run a command in a new container of a service, which is removed afterwards."""
        return self.argv("run", "--rm", "--no-deps", "-T", "--name", name, service, *argv)

    def follow(self, services: Sequence[str] | None, *, lines: int) -> list[str]:
        """Print log lines, then new ones as they are written."""
        colour = ["--no-color"]
        return self.argv("logs", "--follow", "--timestamps", *colour, f"--tail={lines}", *_named(services))


def _named(services: Sequence[str] | None) -> Sequence[str]:
    """Return the arguments for services. To Compose no argument means every service: an empty sequence is a mistake."""
    if services is None:
        return ()
    if not services:
        raise ValueError("No service is named; None means all of them.")
    return services


def find(engine: Engine, project: str) -> Compose:
    """Return the Compose of a host. Raises UnreachableError without one."""
    version = engine.query(["sh", "-c", _ASK], check=False).stdout.strip().removeprefix("v")
    if not version:
        raise UnreachableError(
            f"{engine.machine.name} has no Docker Compose.",
            hint="Install the package docker-compose-plugin (or docker-compose) there.",
        )
    return Compose(version, project)
