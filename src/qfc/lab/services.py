"""Services that are stopped, paused or misconfigured, stores that are away, and what containers leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ..errors import NotFoundError, RefusedError
from ..stack.images import full_name, qgis_names
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData

#: What the services that keep files are called in the releases.
STORES = ("minio", "rustfs", "webdav")


@dataclass(frozen=True)
class Stopped(Fault):
    """A service is stopped: the first of these names that there is."""

    names: tuple[str, ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Find the service. Raises RefusedError where there is none of these."""
        return {"service": service_of(ports, self.names)}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Stop it."""
        ports.runtime.stop([known["service"]], now=True)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Start it."""
        ports.runtime.start([known["service"]])


@dataclass(frozen=True)
class Paused(Stopped):
    """A service hangs: its processes are there and do nothing."""

    def look(self, ports: Ports) -> UndoData:
        """Find its container."""
        service = service_of(ports, self.names)
        return {"service": service, "container": container_of(ports, service)}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Let its processes sleep."""
        ports.host.run(["docker", "pause", known["container"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Wake them; where they are awake, the engine says so and that is all."""
        ports.host.run(["docker", "unpause", known["container"]], check=False)


@dataclass(frozen=True)
class NoRestartPolicy(Fault):
    """A service that nothing starts again after the host was started anew."""

    names: tuple[str, ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Remember its policy."""
        container = container_of(ports, service_of(ports, self.names))
        asked = ["docker", "inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", container]
        return {"container": container, "policy": ports.host.run(asked).stdout.strip() or "no"}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Take the policy away."""
        ports.host.run(["docker", "update", "--restart", "no", known["container"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Give it back."""
        ports.host.run(["docker", "update", "--restart", known["policy"], known["container"]])


@dataclass(frozen=True)
class StrayContainer(Fault):
    """A container that nothing needs, with these labels."""

    labels: tuple[str, ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Choose a name and an image that is there: that of the application."""
        app = container_of(ports, "app")
        image = ports.host.run(["docker", "inspect", "--format", "{{.Image}}", app]).stdout.strip()
        return {"name": f"{ports.deployment.project}-qfc-lab-{self.id}", "image": image}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Run it to its end."""
        deployment = ports.deployment
        filled = [one.format(project=deployment.project, folder=deployment.folder) for one in self.labels]
        labels = [word for label in filled for word in ("--label", label)]
        words = ["docker", "run", "--name", known["name"], *labels, "--entrypoint", "sh", known["image"]]
        ports.host.run([*words, "-c", "exit 0"])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove it."""
        ports.host.run(["docker", "rm", "-f", known["name"]], check=False)


@dataclass(frozen=True)
class LeakedFolder(Fault):
    """The folder of a job that failed two days ago lies in the temporary folder."""

    folder = PurePath("/tmp/tmpqfclab0")

    def make(self, ports: Ports, known: UndoData) -> None:
        """Make it, old."""
        del known
        script = 'mkdir -p "$1" && echo "{}" > "$1/feedback.json" && touch -d "2 days ago" "$1/feedback.json" "$1"'
        ports.host.run(["sh", "-c", script, "sh", str(self.folder)])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove it."""
        del known
        ports.host.run(["rm", "-rf", str(self.folder)])


@dataclass(frozen=True)
class ImageMissing(Fault):
    """The images that workers start have lost their names."""

    def look(self, ports: Ports) -> UndoData:
        """Remember which image has which name. Raises RefusedError where no QGIS image is there."""
        deployment = ports.deployment
        wanted = {full_name(name) for name in self._wanted(ports)}
        held = {name: image.id for image in deployment.images.all() for name in image.names if name in wanted}
        if not held:
            raise RefusedError("No QGIS image is there: none can be missing.", hint="See: qfc image status")
        return {"images": held}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Keep them under names of the lab's, and take their own away."""
        for number, (name, image) in enumerate(known["images"].items()):
            ports.deployment.images.tag(image, f"qfc-lab/{ports.deployment.project}:{number}")
            ports.host.run(["docker", "image", "rm", "--no-prune", name])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Give them their names."""
        for number, (name, image) in enumerate(known["images"].items()):
            ports.deployment.images.tag(image, name)
            ours = f"qfc-lab/{ports.deployment.project}:{number}"
            ports.host.run(["docker", "image", "rm", "--no-prune", ours], check=False)

    def _wanted(self, ports: Ports) -> tuple[str, ...]:
        return qgis_names(ports.deployment.rollout.facts().images, ports.deployment.settings.values())


@dataclass(frozen=True)
class StoreAway(Fault):
    """The folder of all files is not there: a file lies in its place."""

    def look(self, ports: Ports) -> UndoData:
        """Find the folder. Raises RefusedError where files are elsewhere."""
        folder = ports.folder / "node" / "blobs"
        if ports.host.run(["test", "-d", str(folder)], check=False).exit_code:
            raise RefusedError("This stack keeps its files elsewhere, or has none yet.")
        return {"folder": str(folder), "away": f"{folder}.qfc-lab"}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Put it aside. A folder could be made anew; in the place of a file it cannot."""
        script = 'mv -T "$1" "$2" && : > "$1"'
        ports.host.run(["sh", "-c", script, "sh", known["folder"], known["away"]])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Put it back, where it was put aside."""
        script = 'if [ -d "$2" ]; then rm -f "$1" && mv -T "$2" "$1"; fi'
        ports.host.run(["sh", "-c", script, "sh", known["folder"], known["away"]])


def service_of(ports: Ports, names: tuple[str, ...]) -> str:
    """Return the first of these services that the stack has. Raises RefusedError."""
    present = {one.name for one in ports.runtime.services()}
    for name in names:
        if name in present:
            return name
    raise RefusedError(f"This stack has no service {' or '.join(names)}.", hint="See: qfc status")


def container_of(ports: Ports, service: str) -> str:
    """Return the name of a container of a service. Raises NotFoundError."""
    for one in ports.runtime.services():
        if one.name == service and one.instances:
            return one.instances[0].id
    raise NotFoundError(f"{service} has no container.", hint="Type: qfc up")


SERVICES: tuple[Fault, ...] = (
    Stopped("application-stopped", "The application does not run", ("A11",), names=("app",)),
    Stopped("database-stopped", "The database does not run", ("A11", "D12-away"), names=("db",)),
    Stopped("nginx-stopped", "nginx does not run", ("A11",), Capability.CONTAINERS, names=("nginx",)),
    Stopped("cache-stopped", "The cache does not run", ("A11-cache",), Capability.CONTAINERS, names=("memcached",)),
    Stopped("storage-stopped", "The store does not run", ("C02-down", "C01", "A17"), Capability.CONTAINERS,
            names=STORES),
    Paused("storage-hangs", "The store hangs", ("C01", "A17"), Capability.CONTAINERS, names=STORES),
    StoreAway("storage-away", "The folder of all files is away", ("A17",), Capability.PROCESSES),
    NoRestartPolicy("restart-policy-missing", "A service is not started with the host", ("A11-policy",),
                    Capability.CONTAINERS, names=("memcached",)),
    StrayContainer("container-orphaned", "A container of a service that is gone", ("A09",), Capability.CONTAINERS,
                   labels=("com.docker.compose.project={project}", "com.docker.compose.project.working_dir={folder}",
                           "com.docker.compose.service=geodb",
                           "com.docker.compose.oneoff=False", "com.docker.compose.container-number=1")),
    LeakedFolder("temporary-folder-leaked", "The folder of a failed job was never removed", ("C14",),
                 Capability.CONTAINERS),
    ImageMissing("qgis-image-missing", "The QGIS image is not there", ("D02",), Capability.CONTAINERS),
)  # fmt: skip
