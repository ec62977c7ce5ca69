"""Identifies the deployment: its folder on the host, and the name of its Compose project.

They come from the configuration, else from the labels of the engine's containers, else from a folder.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ....errors import ConfigError, NotFoundError, QfcError
from ....stack.env_file import EnvFile
from ...docker.containers import PROJECT, SERVICE, WORKING_DIR
from ...docker.engine import Engine

#: The application together with any of these identifies a deployment of QFieldCloud: scaled to no workers, it has no
#: container of a worker.
APPLICATION, TELLING = "app", frozenset({"worker_wrapper", "createbuckets", "qgis", "qgis3", "qgis4", "ofelia"})
ENV_FILE = ".env"


@dataclass(frozen=True)
class ComposeConfig:
    """The configuration of a deployment. `home` is our own folder for it on this machine.

    `folder` and `project` are None if they have to be found.
    """

    name: str
    home: Path
    folder: PurePosixPath | None = None
    project: str | None = None


@dataclass(frozen=True)
class ComposeProject:
    """A deployment: the folder with `docker-compose.yml` and `.env` on its host, and its Compose project."""

    folder: PurePosixPath
    project: str


def find(settings: ComposeConfig, engine: Engine) -> ComposeProject:
    """Return the deployment of a configuration. Raises ConfigError for several matches, NotFoundError without one."""
    if settings.folder is not None:
        return ComposeProject(settings.folder, settings.project or project_of(settings.folder, engine))
    found = [one for one in on_engine(engine) if settings.project in (None, one.project)]
    if not found:
        raise _none(settings, engine)
    if len(found) > 1:
        raise _several(settings, engine, found)
    return found[0]


def on_engine(engine: Engine) -> list[ComposeProject]:
    """Return every deployment of QFieldCloud that has containers on the engine, running or not."""
    labels = [f'{{{{.Label "{label}"}}}}' for label in (PROJECT, WORKING_DIR, SERVICE)]
    argv = ["docker", "ps", "-a", "--filter", f"label={PROJECT}", "--format", "\t".join(labels)]
    services: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in engine.query(argv).stdout.splitlines():
        project, folder, service = line.split("\t")
        services[folder, project].add(service)
    return [
        ComposeProject(PurePosixPath(folder), project)
        for (folder, project), names in sorted(services.items())
        if APPLICATION in names and names & TELLING and folder
    ]


def project_of(folder: PurePosixPath, engine: Engine) -> str:
    """Return the project's name as Compose derives it: from `.env`, else from the folder's name."""
    named = read_env(folder, engine).values.get("COMPOSE_PROJECT_NAME")
    return named or re.sub(r"[^a-z0-9_-]", "", folder.name.lower()).lstrip("_-")


def read_env(folder: PurePosixPath, engine: Engine) -> EnvFile:
    """Return the `.env` of a folder, empty if it does not exist. Raises QfcError when it cannot be read."""
    return read_env_file(folder / ENV_FILE, engine)


def read_env_file(path: PurePosixPath, engine: Engine, *, must_exist: bool = False) -> EnvFile:
    """Return a file of variables, empty if it need not exist. Raises QfcError when it cannot be read."""
    try:
        content = engine.machine.read_bytes(path)
    except NotFoundError as error:
        if must_exist:
            hint = "Containers were created with it: put it back, or recreate them with the present one."
            raise QfcError(f"{path} does not exist.", hint=hint) from error
        return EnvFile("", str(path))
    except QfcError as error:
        raise QfcError(f"{path} cannot be read: {error.message}", hint="Check its owner and permissions.") from error
    return EnvFile(content.decode("utf-8", errors="surrogateescape"), str(path))


def _none(settings: ComposeConfig, engine: Engine) -> NotFoundError:
    named = f" called {settings.project}" if settings.project else ""
    return NotFoundError(
        f"No deployment of QFieldCloud{named} has containers on {engine.machine.name}.",
        hint=f"Name its folder: qfc init {settings.name} --kind compose --project-path /folder/of/docker-compose.yml",
    )


def _several(settings: ComposeConfig, engine: Engine, found: list[ComposeProject]) -> ConfigError:
    names = ", ".join(f"{one.project} in {one.folder}" for one in found)
    return ConfigError(
        [f"{engine.machine.name} has several deployments: {names}."],
        hint=f"Choose one: qfc init {settings.name} --project-path FOLDER",
    )
