"""Stopped, paused and misconfigured services, missing stores, and leftovers of containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ..errors import NotFoundError, RefusedError
from ..stack.images import full_name, qgis_names
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData

#: Names of the services that keep files, across releases.
STORES = ("minio", "rustfs", "webdav")


@dataclass(frozen=True)
class Stopped(Fault):
    """A service is stopped: the first of `names` that the stack has."""

    names: tuple[str, ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Return the service. Raises RefusedError where the stack has none of these."""
        return {"service": service_of(ports, self.names)}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Stop the service."""
        ports.runtime.stop([known["service"]], now=True)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Start the service."""
        ports.runtime.start([known["service"]])


@dataclass(frozen=True)
class Paused(Stopped):
    """A service hangs: its processes exist but do nothing."""

    def look(self, ports: Ports) -> UndoData:
        """Return the service and its container."""
        service = service_of(ports, self.names)
        return {"service": service, "container": container_of(ports, service)}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Pause the container."""
        ports.host.run(["docker", "pause", known["container"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Resume the container; one that is not paused stays as it is."""
        ports.host.run(["docker", "unpause", known["container"]], check=False)


@dataclass(frozen=True)
class NoRestartPolicy(Fault):
    """A service that does not start again after a restart of the host."""

    names: tuple[str, ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Return the container and its restart policy."""
        container = container_of(ports, service_of(ports, self.names))
        asked = ["docker", "inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", container]
        return {"container": container, "policy": ports.host.run(asked).stdout.strip() or "no"}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Remove the restart policy."""
        ports.host.run(["docker", "update", "--restart", "no", known["container"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the restart policy."""
        ports.host.run(["docker", "update", "--restart", known["policy"], known["container"]])


@dataclass(frozen=True)
class StrayContainer(Fault):
    """A container with these labels that nothing needs."""

    labels: tuple[str, ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Choose a name, and an image that is present: that of the application."""
        app = container_of(ports, "app")
        image = ports.host.run(["docker", "inspect", "--format", "{{.Image}}", app]).stdout.strip()
        return {"name": f"{ports.deployment.project}-qfc-lab-{self.id}", "image": image}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Run the container until it ends."""
        deployment = ports.deployment
        filled = [one.format(project=deployment.project, folder=deployment.folder) for one in self.labels]
        labels = [word for label in filled for word in ("--label", label)]
        words = ["docker", "run", "--name", known["name"], *labels, "--entrypoint", "sh", known["image"]]
        ports.host.run([*words, "-c", "exit 0"])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the container."""
        ports.host.run(["docker", "rm", "-f", known["name"]], check=False)


@dataclass(frozen=True)
class LeakedFolder(Fault):
    """A job that failed two days ago left its folder in the temporary folder."""

    folder = PurePath("/tmp/tmpqfclab0")

    def make(self, ports: Ports, known: UndoData) -> None:
        """Create the folder with an old date."""
        del known
        script = 'mkdir -p "$1" && echo "{}" > "$1/feedback.json" && touch -d "2 days ago" "$1/feedback.json" "$1"'
        ports.host.run(["sh", "-c", script, "sh", str(self.folder)])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the folder."""
        del known
        ports.host.run(["rm", "-rf", str(self.folder)])


@dataclass(frozen=True)
class ImageMissing(Fault):
    """The images that workers start have lost their names."""

    def look(self, ports: Ports) -> UndoData:
        """Return the images by name. Raises RefusedError where no QGIS image is present."""
        deployment = ports.deployment
        wanted = {full_name(name) for name in self._wanted(ports)}
        held = {name: image.id for image in deployment.images.all() for name in image.names if name in wanted}
        if not held:
            raise RefusedError("The host has no QGIS image that the lab could remove.", hint="See: qfc image status")
        return {"images": held}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Keep the images under names of the lab, and remove their own names."""
        for number, (name, image) in enumerate(known["images"].items()):
            ports.deployment.images.tag(image, f"qfc-lab/{ports.deployment.project}:{number}")
            ports.host.run(["docker", "image", "rm", "--no-prune", name])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the names of the images."""
        for number, (name, image) in enumerate(known["images"].items()):
            ports.deployment.images.tag(image, name)
            ours = f"qfc-lab/{ports.deployment.project}:{number}"
            ports.host.run(["docker", "image", "rm", "--no-prune", ours], check=False)

    def _wanted(self, ports: Ports) -> tuple[str, ...]:
        return qgis_names(ports.deployment.rollout.facts().images, ports.deployment.settings.values())


@dataclass(frozen=True)
class StoreMissing(Fault):
    """The folder of all files is missing: a file is in its place."""

    def look(self, ports: Ports) -> UndoData:
        """Return the folder. Raises RefusedError where files are stored elsewhere."""
        folder = ports.folder / "node" / "blobs"
        if ports.host.run(["test", "-d", str(folder)], check=False).exit_code:
            raise RefusedError("This stack stores its files elsewhere, or has none yet.")
        return {"folder": str(folder), "away": f"{folder}.qfc-lab"}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Move the folder away, and put a file in its place: otherwise the folder could be created again."""
        script = 'mv -T "$1" "$2" && : > "$1"'
        ports.host.run(["sh", "-c", script, "sh", known["folder"], known["away"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Move the folder back, if it was moved away."""
        script = 'if [ -d "$2" ]; then rm -f "$1" && mv -T "$2" "$1"; fi'
        ports.host.run(["sh", "-c", script, "sh", known["folder"], known["away"]])


def service_of(ports: Ports, names: tuple[str, ...]) -> str:
    """Return the first of these services that the stack has. Raises RefusedError where it has none."""
    present = {one.name for one in ports.runtime.services()}
    for name in names:
        if name in present:
            return name
    raise RefusedError(f"This stack has no service {' or '.join(names)}.", hint="See: qfc status")


def container_of(ports: Ports, service: str) -> str:
    """Return the name of a service's first container. Raises NotFoundError."""
    for one in ports.runtime.services():
        if one.name == service and one.instances:
            return one.instances[0].id
    raise NotFoundError(f"The service {service} has no container.", hint="Type: qfc up")


SERVICES: tuple[Fault, ...] = (
    Stopped("application-stopped", "The application is stopped", ("A11",), names=("app",)),
    Stopped("database-stopped", "The database is stopped", ("A11", "D12-away"), names=("db",)),
    Stopped("nginx-stopped", "nginx is stopped", ("A11",), Capability.CONTAINERS, names=("nginx",)),
    Stopped("cache-stopped", "The cache is stopped", ("A11-cache",), Capability.CONTAINERS, names=("memcached",)),
    Stopped("storage-stopped", "The file store is stopped", ("C02-down", "C01", "A17"), Capability.CONTAINERS,
            names=STORES),
    Paused("storage-hangs", "The file store hangs", ("C01", "A17"), Capability.CONTAINERS, names=STORES),
    StoreMissing("storage-away", "The folder of all files is missing", ("A17",), Capability.PROCESSES),
    NoRestartPolicy("restart-policy-missing", "A service does not start with the host", ("A11-policy",),
                    Capability.CONTAINERS, names=("memcached",)),
    StrayContainer("container-orphaned", "A container of a removed service is left", ("A09",), Capability.CONTAINERS,
                   labels=("com.docker.compose.project={project}", "com.docker.compose.project.working_dir={folder}",
                           "com.docker.compose.service=qfc-lab-stray",
                           "com.docker.compose.oneoff=False", "com.docker.compose.container-number=1")),
    LeakedFolder("temporary-folder-leaked", "The folder of a failed job was never removed", ("C14",),
                 Capability.CONTAINERS),
    ImageMissing("qgis-image-missing", "The QGIS image is missing", ("D02",), Capability.CONTAINERS),
)  # fmt: skip
