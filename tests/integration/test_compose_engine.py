"""Several deployments on one engine, removable images, restarts and kills, and every route to the database."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from compose_world import ADMIN, Deployment, deployment, running_deployment
from engines_of_docker import DockerHost
from ports import free_port
from qfc import config
from qfc.checks import EVERYTHING
from qfc.drivers.docker.containers import Container
from qfc.drivers.routes.database import DatabaseRoute, access_of
from qfc.wiring import wire
from qfc.wiring.compose import ComposePorts

pytestmark = pytest.mark.docker
HOST_OF_CONTAINERS = "172.17.0.1"


@pytest.fixture(scope="module")
def beside(docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A second deployment on this engine."""
    with running_deployment(docker_here, short_folder / "beside", short_folder / "home-beside", workers=1) as made:
        yield made


def images(made: Deployment) -> set[str]:
    """Return the ids of all images of the engine that belong to a deployment, without the suite."""
    names = made.engine.docker("image", "ls", "--no-trunc", "--format", "{{.Repository}} {{.ID}}").splitlines()
    return {line.split()[1] for line in names if made.project in line.split()[0]}


def volumes(made: Deployment) -> str:
    return made.engine.docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={made.project}")


def test_two_deployments_without_a_name_are_both_named(deployed_here: Deployment, beside: Deployment) -> None:
    path = beside.qfc.home / "any.toml"
    path.write_text('[stacks.any]\nkind = "compose"\n')
    answer = beside.qfc("--json", "status", QFC_CONFIG=str(path))
    assert answer.code == 2
    told = answer.json["error"]
    assert deployed_here.project in told["message"]
    assert beside.project in told["message"]
    assert "--project-path" in told["hint"]
    chosen = beside.qfc("--json", "status", QFC_CONFIG=str(path), QFC_PROJECT=beside.project)
    assert chosen.json["url"] == beside.url


def test_prune_keeps_the_way_back_and_everything_of_others(deployed_here: Deployment, beside: Deployment) -> None:
    """Two projects side by side: unused images are removed, those for a rollback and of the neighbour stay."""
    neighbour = (images(deployed_here), volumes(deployed_here), deployed_here.image_of("app"))
    beside.release("one", {"docker/RELEASE": "one", "src/qfc_node/release_note.py": "TEXT = 'one'\n"})
    first = beside.image_of("app")
    assert beside.ok("deploy", "--tag", "one")["result"] == "deployed"
    _leave_an_image(beside)
    before = images(beside)
    plan = beside.ok("services", "prune", "--dry-run")
    assert plan["dry_run"]
    assert images(beside) == before
    going = {one["id"] for one in plan["images"]}
    assert len(going) == 1
    assert first not in going
    pruned = beside.ok("services", "prune")
    assert {one["id"] for one in pruned["images"]} == going
    assert not going & images(beside)
    assert first in images(beside)
    assert beside.ok("services", "prune", "--dry-run")["images"] == []
    back = beside.ok("deploy", "rollback")
    assert (back["result"], beside.image_of("app")) == ("deployed", first)
    assert (images(deployed_here), volumes(deployed_here), deployed_here.image_of("app")) == neighbour
    assert deployed_here.ok("status")["verdict"] == "ok"


def _leave_an_image(made: Deployment) -> None:
    """Build an image of the deployment that no service uses any more."""
    label = f"com.docker.compose.project={made.project}"
    dockerfile = b"FROM memcached:1\nENV LEFT=over\n"
    made.engine.docker(
        "build", "--quiet", "--label", label, "--tag", f"{made.project}-left-over", "-", stdin=dockerfile
    )


def test_restarts_are_remembered_when_the_engine_forgets_them(beside: Deployment) -> None:
    def restarts() -> int:
        services = {one["name"]: one for one in beside.run("--json", "status").json["services"]}
        return services["memcached"]["instances"][0]["restarts"]

    before = restarts()
    beside.engine.docker("exec", beside.container("memcached"), "sh", "-c", "kill -TERM 1", check=False)
    deadline = time.monotonic() + 30
    while restarts() != before + 1:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    beside.ok("services", "restart", "--service", "memcached")
    inspected = beside.engine.docker("inspect", "--format", "{{.RestartCount}}", beside.container("memcached"))
    assert inspected == "0"
    assert restarts() == before + 1


def test_a_kill_for_lack_of_memory_is_seen(beside: Deployment) -> None:
    container = beside.container("memcached")
    beside.engine.docker("update", "--memory", "48m", "--memory-swap", "48m", container)
    beside.engine.docker("exec", container, "sh", "-c", "tail /dev/zero", check=False)
    services = {one["name"]: one for one in beside.run("--json", "status").json["services"]}
    assert services["memcached"]["instances"][0]["oom_kills"] >= 1
    beside.ok("services", "recreate", "--service", "memcached")


CHANGES: dict[str, Callable[[Container], Container]] = {
    "the published port": lambda one: one,
    "the container's address": lambda one: replace(one, ports=()),
    "a stream through exec": lambda one: replace(one, ports=(), addresses={}),
}


@pytest.mark.parametrize("way", CHANGES)
def test_the_database_is_reached_by_each_way(deployed: Deployment, way: str) -> None:
    environment = {"QFC_CONFIG": str(deployed.qfc.home / "config.toml"), "QFC_HOME": str(deployed.qfc.home)}
    ports = wire(config.load(environment, stack="dep").stack())
    assert isinstance(ports, ComposePorts)
    try:
        containers = [CHANGES[way](one) for one in ports.observer.snapshot().containers]
        access = access_of(ports.observer.environment("app"))
        connecting = DatabaseRoute(ports.machine, ports.forwards, lambda: (containers, access))  # pyright: ignore
        _transfers_anything(connecting.connect())
        at = str(connecting.parameters()["host"])
        assert at.startswith("/") is (way == "a stream through exec")
        connecting.close()
    finally:
        ports.close()


def _transfers_anything(connection: psycopg.Connection[object]) -> None:
    """Send and fetch more bytes than any buffer holds, of every value."""
    content = bytes(range(256)) * 20_000
    with connection:
        row = connection.execute("select %s::bytea", [content]).fetchone()
        assert row == (content,)


def test_files_that_an_old_compose_does_not_understand_are_told(deployed: Deployment) -> None:
    """Compose v2 knows `develop` (2.22), v1 does not."""
    check = next(one for one in EVERYTHING if one.id == "A07")
    override = deployed.place / "docker-compose.override.yml"
    before = override.read_text() if override.exists() else None
    override.write_text("services: {app: {develop: {watch: []}}}\n")
    try:
        found = deployed.look([check])
    finally:
        override.unlink() if before is None else override.write_text(before)
    told = [one.evidence.partition(" rejects the files: ")[2] for one in found]
    assert told == (["Unsupported config option."] if deployed.engine.ssh else [])
    assert deployed.look([check]) == ()


@pytest.fixture(scope="module")
def external(docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A deployment with an external database; its own one is idle."""
    port = free_port()
    name = f"qfc-external-{port}"
    settings = ["POSTGRES_PASSWORD=x-y", "POSTGRES_USER=owner", "POSTGRES_DB=field"]
    words = ["--detach", "--name", name, "--publish", f"{port}:5432", *(f"--env={one}" for one in settings)]
    docker_here.docker("run", *words, "postgres:15-bookworm")
    _wait_for_database(f"postgresql://owner:x-y@127.0.0.1:{port}/field")
    made = deployment(docker_here, short_folder / "external", short_folder / "home-external", workers=1)
    env = made.place / ".env"
    other = {"POSTGRES_HOST": HOST_OF_CONTAINERS, "POSTGRES_PORT": str(port), "POSTGRES_USER": "owner",
             "POSTGRES_DB": "field", "POSTGRES_PASSWORD": "x-y"}  # fmt: skip
    lines = [next((f"{key}={value}" for key, value in other.items() if line.startswith(f"{key}=")), line)
             for line in env.read_text().splitlines()]  # fmt: skip
    env.write_text("\n".join(lines) + "\n")
    try:
        made.ok("up")
        made.qfc("--stack", "dep", "users", "create", ADMIN, "--superuser", "--password-stdin", stdin="a-pass-word-1")
        yield made
    finally:
        made.remove()
        docker_here.docker("rm", "-fv", name, check=False)


def _wait_for_database(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_an_external_database_is_filled_watched_and_opened(external: Deployment) -> None:
    assert external.ok("status")["queue"]["pending"] == 0
    assert external.ok("db", "status")["unapplied_migrations"] == []
    assert [user["username"] for user in external.ok("users", "list")["users"]] == [ADMIN]
    shell = external.run("db", "shell", "-tAc", "select current_user")
    assert (shell.code, shell.out.strip()) == (0, "owner")
    assert external.ok("up")["already_running"]


def test_an_external_database_is_dumped_and_brought_back(external: Deployment) -> None:
    last = sorted(path.stem for path in (external.folder / "src/qfc_node/core/migrations").glob("0*.py"))[-1]
    migration = f"""
from django.db import migrations


def harm(apps, schema_editor):
    apps.get_model("core", "User").objects.all().delete()


def fail(apps, schema_editor):
    raise RuntimeError("no way on")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("core", "{last}")]
    operations = [migrations.RunPython(harm), migrations.RunPython(fail)]
"""
    external.release("harmful", {"src/qfc_node/core/migrations/9001_harmful.py": migration})
    answer = external.run("--json", "--yes", "deploy", "--tag", "harmful", "--migrate")
    assert answer.code == 1, answer.out
    assert (answer.json.get("result"), answer.json.get("failed_step")) == ("rolled_back", "migrate"), answer.out
    assert [user["username"] for user in external.ok("users", "list")["users"]] == [ADMIN]
    assert external.ok("status")["verdict"] == "ok"
    assert "x-y" not in json.dumps(answer.json)
