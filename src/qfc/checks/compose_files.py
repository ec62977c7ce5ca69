"""A01: the Compose files that containers come from, where `.env` does not name them."""

from __future__ import annotations

from pathlib import PurePosixPath

from .base import Auto, DeploymentCheck, Severity
from .containers import containers
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence, named

COMPOSE_FILE, SEPARATOR = "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"
FILES = "com.docker.compose.project.config_files"
APP = "app"
#: What Compose reads where nothing names other files.
BY_DEFAULT = frozenset(
    f"{stem}{part}.{end}"
    for stem in ("compose", "docker-compose")
    for part in ("", ".override")
    for end in ("yml", "yaml")
)


class FilesNotNamed(DeploymentCheck, RepairsEnv):
    """A01: with `docker compose -f`, only whoever types it knows the files. Everybody else starts other services."""

    id = "A01-files"
    problems = ("A01",)
    title = "The containers come from files that .env does not name"
    severity = Severity.WARNING
    fix = "Name them in .env (COMPOSE_FILE=a.yml:b.yml): until then qfc and Compose without -f define other services"
    auto = Auto.ASK
    #: Nothing is recreated: the containers are what the files say.
    services = ()

    def look(self, seen: Evidence) -> str | None:
        """Read the files in the labels of the application's container, where `.env` names none."""
        if seen.settings().get(COMPOSE_FILE):
            return None
        files = self._files(seen)
        if all(name in BY_DEFAULT for name in files):
            return None
        return f"{APP} was created from {named(files)}, but {COMPOSE_FILE} is not set."

    def corrected(self, seen: Evidence) -> Values:
        """Return the line that names them."""
        return {COMPOSE_FILE: (seen.settings().get(SEPARATOR) or ":").join(self._files(seen))}

    def _files(self, seen: Evidence) -> list[str]:
        """Return the files, relative to the deployment's folder where they are in it."""
        folder = PurePosixPath(seen.ports.deployment.folder)
        labels = [one.labels.get(FILES, "") for one in containers(seen) if one.service == APP and one.is_running]
        paths = [folder / path for path in next(iter(labels), "").split(",") if path]
        return [str(path.relative_to(folder) if path.is_relative_to(folder) else path) for path in paths]
