"""Docker engines for tests: this machine's own with Compose v2, and one on a separate host with Compose v1."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from requirements import require
from second_host import CAN_MAKE, second_host
from ssh_server import SSHD, SshServer, running

#: Base images of the tests' deployments; `.ci/containers` builds them on a machine without a registry.
IMAGES = (
    "debian:bookworm-slim",
    "postgres:15-bookworm",
    "nginx:stable",
    "memcached:1",
    "certbot/certbot:latest",
    "minio/minio:latest",
)
PEBBLE = "local/pebble:latest"
SOCKET = "/var/run/docker.sock"
PLUGINS = Path("/usr/local/lib/docker/cli-plugins")
START_S = 60.0
# Its own mount name space: programs on that host find its own engine, and only Compose v1.
_AS_THERE = (
    'mount --bind "$1" {socket} && {{ [ ! -d {plugins} ] || mount --bind "$2" {plugins}; }} && shift 2 && exec "$@"'
)


@dataclass(frozen=True)
class DockerHost:
    """The place of a test's deployment: here, or a host that SSH reaches. `docker` runs a command there."""

    name: str
    socket: str
    compose: str
    ssh: SshServer | None = None
    address: str = "127.0.0.1"
    through: tuple[str, ...] = ()

    def docker(self, *words: str, check: bool = True, stdin: bytes | None = None) -> str:
        """Run docker against this host's engine; return what it printed."""
        environment = {**os.environ, "DOCKER_HOST": f"unix://{self.socket}"}
        done = subprocess.run(["docker", *words], env=environment, input=stdin, capture_output=True, check=False)
        assert not check or done.returncode == 0, f"docker {words}: {done.stderr.decode()}"
        return done.stdout.decode(errors="replace").strip()

    @property
    def settings(self) -> dict[str, object]:
        """The suite's configuration for reaching the host."""
        if self.ssh is None:
            return {}
        return {"host": self.ssh.address, "ssh_port": self.ssh.port, "ssh_config": str(self.ssh.folder / "client")}


def require_engine() -> DockerHost:
    """Return this machine's engine. Skips the test without an engine or without the images of deployments."""
    docker = shutil.which("docker")
    require("docker", docker is not None, "the program docker")
    answers = subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    require("docker", answers, "a Docker engine that this account may use")
    found = subprocess.run(["docker", "image", "inspect", *IMAGES], capture_output=True, check=False)
    require("docker", found.returncode == 0, f"the images {', '.join(IMAGES)}; see .ci/containers")
    compose = subprocess.run(["docker", "compose", "version", "--short"], capture_output=True, text=True, check=False)
    require("docker", compose.returncode == 0, "the plug-in docker compose (v2)")
    return DockerHost("here", SOCKET, compose.stdout.strip())


@contextmanager
def second_engine(folder: Path) -> Iterator[DockerHost]:
    """Run a separate host for a block: a network name space with an engine, an sshd, and Compose v1."""
    require("root", CAN_MAKE, "root and iproute2 for a network name space")
    require("ssh", SSHD is not None, "an sshd; install openssh-server")
    require("compose v1", shutil.which("docker-compose") is not None, "docker-compose (v1)")
    require("docker", shutil.which("dockerd") is not None, "the program dockerd")
    with ExitStack() as stack:
        host = stack.enter_context(second_host())
        # Not `ip netns exec`: it would hide the control groups that the engine needs.
        inside = ("nsenter", f"--net=/run/netns/{host.name}")
        socket = stack.enter_context(_dockerd(folder, inside))
        (folder / "no-plugins").mkdir()
        script = _AS_THERE.format(socket=SOCKET, plugins=PLUGINS)
        there = (*inside, "unshare", "--mount", "sh", "-c", script, "sh", socket, str(folder / "no-plugins"))
        server = SshServer(folder / "ssh", address=host.address, through=there)
        stack.enter_context(running(server))
        yield DockerHost("server", socket, "1.29", server, host.address, there)


@contextmanager
def engine_of_another_processor(folder: Path) -> Iterator[str]:
    """Run an engine for a block that believes its host is an old PC (i686); yield its socket."""
    require("root", CAN_MAKE, "root and iproute2 for a network name space")
    require("docker", shutil.which("dockerd") is not None, "the program dockerd")
    with (
        second_host() as host,
        _dockerd(folder, ("nsenter", f"--net=/run/netns/{host.name}", "setarch", "i686")) as one,
    ):
        yield one


@contextmanager
def _dockerd(folder: Path, inside: Sequence[str]) -> Iterator[str]:
    """Run an engine with a folder of its own for everything."""
    # A data folder below /tmp may be on a file system without support for overlays; the engine's own folder is not.
    data = Path(tempfile.mkdtemp(prefix="qfc-engine-", dir="/var/lib"))
    socket = f"{folder}/docker.sock"
    argv = [*inside, "dockerd", "--data-root", str(data), "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen([*argv, "--host", f"unix://{socket}"], stdout=log, stderr=log)
    try:
        _await_engine(socket, folder / "dockerd.log")
        yield socket
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        shutil.rmtree(data, ignore_errors=True)


def _await_engine(socket: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}"}
        if subprocess.run(["docker", "info"], env=environment, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(f"the second engine does not answer: {log.read_text()[-2000:]}")


def bring_images(source: DockerHost, target: DockerHost, names: Sequence[str]) -> None:
    """Copy images from one engine to another."""
    environment = {**os.environ, "DOCKER_HOST": f"unix://{source.socket}"}
    there = {**os.environ, "DOCKER_HOST": f"unix://{target.socket}"}
    with subprocess.Popen(["docker", "save", *names], env=environment, stdout=subprocess.PIPE) as save:
        load = subprocess.run(["docker", "load"], env=there, stdin=save.stdout, capture_output=True, check=False)
    assert save.returncode == 0
    assert load.returncode == 0, load.stderr.decode()
