"""A deployment as operators have it, for tests and benchmarks: a git checkout with Compose files, `.env`, containers.

Services, labels, variables, volumes and tables have the names of an official deployment. The application and its
workers are the node; nginx, PostgreSQL, memcached, MinIO and certbot are the real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg

from engines_of_docker import DockerHost
from node import await_port
from ports import free_port
from qfc import config, wiring
from qfc.checks import Check
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.findings import Finding
from qfc.stack.ports import Ports
from qfc_command import Answer, Qfc
from stack import Stack

ROOT = Path(__file__).resolve().parent.parent
HOST = "field.example.test"
ADMIN, PASSWORD = "anna", "correct-horse-battery"
#: The files of a deployment's checkout.
PARTS = ("docker", "src/qfc_node", "pyproject.toml", "requirements.lock", ".dockerignore", "LICENSE")
GIT = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com", "GIT_COMMITTER_NAME": "t",
       "GIT_COMMITTER_EMAIL": "t@example.com"}  # fmt: skip
#: Images of the node, built once with the real Dockerfile; the tests' deployments build on them within a second.
NODE = "qfc-test-node"
QUICK_DOCKERFILE = f"""
FROM {NODE}:latest AS node
COPY src/qfc_node ./qfc_node
ARG QFC_NODE_RELEASE=
ENV QFC_NODE_RELEASE=$QFC_NODE_RELEASE
FROM node AS webserver_runtime
ENV LOGGER_SOURCE=app QFC_NODE_PROCESS=app
FROM node AS worker_wrapper_runtime
ENV LOGGER_SOURCE=worker_wrapper QFC_NODE_PROCESS=worker_wrapper
"""


@dataclass
class Deployment:
    """One deployment on one engine, and a `qfc` that manages it as the stack `dep`."""

    engine: DockerHost
    folder: Path
    qfc: Qfc
    project: str
    ports: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def place(self) -> Path:
        """The folder of docker-compose.yml and .env."""
        return self.folder / "docker"

    @property
    def env(self) -> dict[str, str]:
        """The lines of .env."""
        lines = (self.place / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    def env_copies(self) -> list[Path]:
        """Return the copies of .env, the latest last."""
        return sorted(self.place.glob(".env.before.*"), key=lambda path: int(path.suffix[1:]))

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> Answer:
        """Call qfc for this deployment."""
        return self.qfc("--stack", "dep", *arguments, stdin=stdin, **environment)

    def ok(self, *arguments: str, **environment: str) -> Any:
        """Call it with --json --yes, insist on exit code 0, return the document."""
        answer = self.run("--json", "--yes", *arguments, **environment)
        assert answer.code == 0, f"{arguments} ended with {answer.code}:\n{answer.out}\n{answer.err}"
        return answer.json

    def look(self, checks: Sequence[Check], *, fix: bool = False) -> tuple[Finding, ...]:
        """Return the findings of some checks for a new operator, repaired on request."""
        with self.wired() as ports:
            return diagnose(ports, checks, Options(yes=True), fix=fix, proof=False).findings

    @contextmanager
    def wired(self) -> Iterator[Ports]:
        """Return the ports of a new operator."""
        ports = wiring.wire(config.load(self.qfc.environment, stack="dep").stack())
        try:
            yield ports
        finally:
            ports.close()

    def git(self, *words: str) -> str:
        """Run git in the checkout."""
        argv = ["git", "-C", str(self.folder), *words]
        return subprocess.run(
            argv, env={**os.environ, **GIT}, check=True, capture_output=True, text=True
        ).stdout.strip()

    def release(self, tag: str, changes: Mapping[str, str | None], *, on: str = "v1") -> None:
        """Create a release: files with their new content (None: removed) on top of another one. Current files stay."""
        now = self.git("rev-parse", "HEAD")
        self.git("checkout", "-q", "--detach", on)
        for name, content in changes.items():
            path = self.folder / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", tag)
        self.git("tag", "-f", tag)
        self.git("checkout", "-q", "--detach", now)

    def sql(self, statement: str) -> str:
        """Query the deployment's database directly."""
        user, database = self.env["POSTGRES_USER"], self.env["POSTGRES_DB"]
        words = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-c", statement]
        return self.engine.docker("exec", self.container("db"), *words)

    def containers(self, service: str, *, all: bool = True) -> list[str]:
        """Return the ids of a service's containers, without the suite."""
        labels = [f"label=com.docker.compose.project={self.project}", f"label=com.docker.compose.service={service}"]
        filters = [word for label in labels for word in ("--filter", label)]
        return self.engine.docker("ps", "-q", "--no-trunc", *(["-a"] if all else []), *filters).split()

    def container(self, service: str) -> str:
        """Return the id of a service's only container."""
        (found,) = self.containers(service)
        return found

    def image_of(self, service: str) -> str:
        """Return the id of the image of a service's containers."""
        found = {self.engine.docker("inspect", "--format", "{{.Image}}", one) for one in self.containers(service)}
        (image,) = found
        return image

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"https://{HOST}:{self.ports['WEB_HTTPS_PORT']}"

    def client(self, path: str = "") -> httpx.Client:
        """Return an HTTP client like a device's: it knows the host name, and trusts any certificate."""
        base = f"https://{self.engine.address}:{self.ports['WEB_HTTPS_PORT']}{path}"
        headers = {"Host": urlsplit(self.url).netloc}
        hooks = {"request": [_name_the_host]}
        return httpx.Client(
            base_url=base, verify=False, headers=headers, event_hooks=hooks, timeout=60, trust_env=False
        )

    @contextmanager
    def device(self) -> Iterator[httpx.Client]:
        """Return a client that is logged in."""
        with self.client() as client:
            answer = client.post("/api/v1/auth/login/", json={"username": ADMIN, "password": PASSWORD})
            answer.raise_for_status()
            client.headers["Authorization"] = f"Token {answer.json()['token']}"
            yield client

    def remove(self) -> None:
        """Remove everything that belongs to it: containers, volumes, networks, images."""
        names = self.engine.docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={self.project}").split()
        if names:
            self.engine.docker("rm", "-fv", *names, check=False)
        for kind in ("volume", "network"):
            found = self.engine.docker(
                kind, "ls", "-q", "--filter", f"label=com.docker.compose.project={self.project}"
            ).split()
            if found:
                self.engine.docker(kind, "rm", *found, check=False)
        listing = self.engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        own = [name for name in listing if name.startswith((f"{self.project}-", f"qfc-keep/{self.project}/"))]
        if own:
            self.engine.docker("image", "rm", "-f", *own, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _name_the_host(request: httpx.Request) -> None:
    """Send the real host name in TLS, not the address of the connection."""
    request.extensions["sni_hostname"] = HOST


def ensure_node_image(engine: DockerHost) -> None:
    """Build the node's image with the repository's Dockerfile; the engine's cache makes this fast."""
    argv = ["docker", "build", "--quiet", "--network", "host", "--file", "docker/node/Dockerfile", "--target", "node"]
    environment = {**os.environ, "DOCKER_BUILDKIT": "0", "DOCKER_HOST": f"unix://{engine.socket}"}
    done = subprocess.run(
        [*argv, "--tag", f"{NODE}:latest", "."], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def checkout(folder: Path) -> None:
    """Create a checkout of a deployment's repository from the current files of this one, with the tag v1."""
    folder.mkdir(parents=True)
    for part in PARTS:
        target = folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__", ".env", ".qfc"))
        else:
            shutil.copy(ROOT / part, target)
    (folder / "docker/node/Dockerfile").write_text(QUICK_DOCKERFILE)
    (folder / ".gitignore").write_text(".env\n.env.before.*\nconf/\n")
    environment = {**os.environ, **GIT}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "v1"], ["tag", "v1"], ["checkout", "-q", "v1"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, env=environment, capture_output=True)


def deployment(
    engine: DockerHost, folder: Path, home: Path, *, workers: int = 2, name: str | None = None
) -> Deployment:
    """Create a deployment that is not running yet, and a configuration that names it."""
    checkout(folder)
    project = name or f"qfctest{uuid.uuid4().hex[:8]}"
    ports = {
        variable: free_port()
        for variable in (
            "WEB_HTTP_PORT",
            "WEB_HTTPS_PORT",
            "HOST_POSTGRES_PORT",
            "MINIO_API_PORT",
            "MINIO_BROWSER_PORT",
        )
    }
    values = {
        **{variable: str(port) for variable, port in ports.items()},
        "COMPOSE_PROJECT_NAME": project,
        "QFIELDCLOUD_HOST": HOST,
        "QFIELDCLOUD_WORKER_REPLICAS": str(workers),
        "SECRET_KEY": "only-for-tests",
        "POSTGRES_PASSWORD": "s3cret-database-word",
        "STORAGE_SECRET_ACCESS_KEY": "s3cret-storage-word",
        "MINIO_ROOT_PASSWORD": "s3cret-storage-word",
    }
    lines = [_line(line, values) for line in (folder / "docker/.env.example").read_text().splitlines()]
    (folder / "docker/.env").write_text("\n".join(lines) + "\n")
    home.mkdir(parents=True, exist_ok=True)
    settings = {"kind": "compose", "project_path": str(folder / "docker"), **engine.settings}
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    (home / "config.toml").write_text(f"[stacks.dep]\n{text}\n")
    return Deployment(engine, folder, Qfc(home), project, ports)


def _line(line: str, values: Mapping[str, str]) -> str:
    name = line.partition("=")[0]
    return f"{name}={values[name]}" if name in values else line


@contextmanager
def running_deployment(engine: DockerHost, folder: Path, home: Path, *, workers: int = 2) -> Iterator[Deployment]:
    """Run a deployment with a superuser for a block."""
    made = deployment(engine, folder, home, workers=workers)
    try:
        made.ok("up")
        answer = made.run("users", "create", ADMIN, "--superuser", "--password-stdin", stdin=PASSWORD)
        assert answer.code == 0, answer.err
        yield made
    finally:
        made.remove()


class DeployedStack(Stack):
    """A deployment as the tests of every kind of stack see it."""

    def __init__(self, made: Deployment, database_port: int) -> None:
        super().__init__(made.qfc.home)
        self.made = made
        self.port = database_port

    def client(self) -> httpx.Client:
        """Return an HTTP client whose base is the API's root."""
        return self.made.client("/api/v1/")

    def database(self) -> psycopg.Connection:
        """Connect directly through the published port, without the suite."""
        env = self.made.env
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=env["POSTGRES_USER"],
            password=env["POSTGRES_PASSWORD"],
            dbname=env["POSTGRES_DB"],
            autocommit=True,
        )


@contextmanager
def as_stack(made: Deployment) -> Iterator[DeployedStack]:
    """Yield a deployment as a stack; the port of its database is forwarded here if it is on a server."""
    published = made.ports["HOST_POSTGRES_PORT"]
    if made.engine.ssh is None:
        yield DeployedStack(made, published)
        return
    port = free_port()
    ssh = made.engine.ssh
    argv = ["ssh", "-F", str(ssh.folder / "client"), "-p", str(ssh.port), "-N", "-L", f"{port}:127.0.0.1:{published}"]
    with subprocess.Popen([*argv, ssh.address], stdin=subprocess.DEVNULL) as process:
        try:
            await_port(port)
            yield DeployedStack(made, port)
        finally:
            process.terminate()
