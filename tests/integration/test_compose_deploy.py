"""Releases of a real deployment: good ones, all kinds of bad ones, and operators who are killed half-way."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from compose_world import ADMIN, Deployment, running_deployment
from engines_of_docker import DockerHost
from requirements import require
from second_host import CAN_MAKE

pytestmark = pytest.mark.docker
MIGRATIONS = "src/qfc_node/core/migrations"
GOOD_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "{after}")]
    operations = [
        migrations.RunSQL("create table qfc_test_release (name text)", "drop table qfc_test_release"),
        migrations.RunSQL("insert into qfc_test_release values ('good')", ""),
    ]
"""
HARMFUL_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "{after}")]
    operations = [migrations.RunSQL("update core_user set email = 'lost@example.com'", "")]
"""
FAILING_MIGRATION = """
from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("this migration fails half-way")


class Migration(migrations.Migration):
    dependencies = [("core", "9001_harmful")]
    operations = [migrations.RunPython(fail)]
"""
EMAIL = "anna@example.com"


@pytest.fixture(scope="module")
def server(docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A deployment with its releases: good, sick, half, unbuildable."""
    with running_deployment(docker_here, short_folder / "releases", short_folder / "home-releases") as made:
        last = sorted(path.stem for path in (made.folder / MIGRATIONS).glob("0*.py"))[-1]
        made.release(
            "good", {f"{MIGRATIONS}/9001_good.py": GOOD_MIGRATION.format(after=last), "docker/RELEASE": "good"}
        )
        made.release("plain", {"docker/RELEASE": "plain"})
        made.release("sick", {"src/qfc_node/wsgi.py": "raise RuntimeError('this release never starts')\n"})
        harmful = {f"{MIGRATIONS}/9001_harmful.py": HARMFUL_MIGRATION.format(after=last)}
        made.release("half", {**harmful, f"{MIGRATIONS}/9002_failing.py": FAILING_MIGRATION})
        dockerfile = (made.folder / "docker/node/Dockerfile").read_text()
        made.release("unbuildable", {"docker/node/Dockerfile": f"{dockerfile}\nRUN echo no such thing; exit 7\n"})
        yield made


@dataclass(frozen=True)
class Before:
    """The state that a failed deployment must restore."""

    commit: str
    images: dict[str, str]
    env: str
    people: str
    files: str
    migrations: str
    workers: int

    @classmethod
    def of(cls, server: Deployment) -> Before:
        """Read the state without the suite."""
        return cls(
            commit=server.git("rev-parse", "HEAD"),
            images={name: server.image_of(name) for name in ("app", "worker_wrapper", "nginx")},
            env=(server.place / ".env").read_text(),
            people=server.sql("select string_agg(username || email, ',' order by username) from core_user"),
            files=server.sql("select count(*) from filestorage_file"),
            migrations=server.sql("select count(*) from django_migrations"),
            workers=len(server.containers("worker_wrapper", all=False)),
        )


@contextmanager
def nothing_changed(server: Deployment) -> Iterator[None]:
    """Insist that after the block the old version serves with the previous data, and that the lock is free."""
    before = Before.of(server)
    yield
    assert Before.of(server) == before
    assert serves(server)
    assert server.ok("services", "restart", "--service", "memcached")
    assert server.ok("status")["verdict"] == "ok"
    assert not list((server.place / "conf/nginx/config.d").glob("*hold*"))


def serves(server: Deployment) -> bool:
    """Return whether a device can write and read."""
    with server.device() as device:
        project = device.post("/api/v1/projects/", json={"name": f"p{secrets.token_hex(4)}", "owner": ADMIN}).json()
        content = secrets.token_bytes(1000)
        sent = device.post(f"/api/v1/files/{project['id']}/a.bin/", files={"file": content})
        got = device.get(f"/api/v1/files/{project['id']}/a.bin/", follow_redirects=True)
        device.delete(f"/api/v1/projects/{project['id']}/").raise_for_status()
        return sent.status_code == 201 and got.content == content


@dataclass
class Writer:
    """A device that writes all the time and records the answers."""

    accepted: list[str] = field(default_factory=list[str])
    refused: list[httpx.Response] = field(default_factory=list[httpx.Response])
    broken: list[str] = field(default_factory=list[str])
    project: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, server: Deployment) -> None:
        """Write files one after another until asked to stop."""
        with server.device() as device:
            name = f"writer{secrets.token_hex(4)}"
            self.project = device.post("/api/v1/projects/", json={"name": name, "owner": ADMIN}).json()["id"]
            number = 0
            while not self.stop.is_set():
                number += 1
                self._write(device, f"f{number}.txt")
                time.sleep(0.05)

    def _write(self, device: httpx.Client, name: str) -> None:
        try:
            answer = device.post(f"/api/v1/files/{self.project}/{name}/", files={"file": name.encode()})
        except httpx.HTTPError as error:
            self.broken.append(repr(error))
            return
        if answer.is_success:
            self.accepted.append(name)
        else:
            self.refused.append(answer)


@contextmanager
def writing(server: Deployment) -> Iterator[Writer]:
    """Let a device write during the block; insist afterwards that no accepted file is lost."""
    writer = Writer()
    thread = threading.Thread(target=writer.run, args=[server])
    thread.start()
    try:
        time.sleep(0.5)
        yield writer
    finally:
        time.sleep(0.5)
        writer.stop.set()
        thread.join()
    with server.device() as device:
        listed = {one["name"] for one in device.get(f"/api/v1/files/{writer.project}/").json()}
        device.delete(f"/api/v1/projects/{writer.project}/").raise_for_status()
    assert set(writer.accepted) <= listed
    assert {answer.status_code for answer in writer.refused} <= {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in writer.refused)


def deploy(server: Deployment, *words: str, code: int) -> dict[str, Any]:
    """Deploy; insist on an exit code."""
    answer = server.run("--json", "--yes", "deploy", *words)
    assert answer.code == code, answer.out + answer.err
    return answer.json


def test_a_release_that_does_not_start_goes_back_by_itself(server: Deployment) -> None:
    with nothing_changed(server), writing(server) as writer:
        result = deploy(server, "--tag", "sick", code=1)
    assert (result["result"], result["failed_step"], result["from"], result["to"]) == (
        "rolled_back",
        "start",
        "v1",
        "sick",
    )
    assert "this release never starts" in result["log"]
    assert result["backup"]
    assert writer.refused
    assert not writer.broken


def test_a_migration_that_fails_half_way_is_undone(server: Deployment) -> None:
    server.sql(f"update core_user set email = '{EMAIL}'")
    with nothing_changed(server), writing(server):
        result = deploy(server, "--tag", "half", "--migrate", code=1)
    assert (result["result"], result["failed_step"]) == ("rolled_back", "migrate")
    assert "this migration fails half-way" in result["log"]
    assert server.sql(f"select email from core_user where username = '{ADMIN}'") == EMAIL


def test_a_release_that_cannot_be_built_changes_nothing(server: Deployment) -> None:
    with nothing_changed(server), writing(server) as writer:
        result = deploy(server, "--tag", "unbuildable", code=1)
    assert (result["result"], result["failed_step"]) == ("unchanged", "images")
    assert "no such thing" in result["log"]
    assert not writer.refused


def test_migrations_are_not_run_unasked(server: Deployment) -> None:
    with nothing_changed(server):
        result = deploy(server, "--tag", "good", code=1)
    assert (result["result"], result["failed_step"]) == ("unchanged", "images")
    assert "--migrate" in result["hint"]


def test_a_full_disk_stops_it_before_the_release_is_touched(server: Deployment) -> None:
    server.sql("create table ballast as select md5(random()::text) from generate_series(1, 100000)")
    try:
        with nothing_changed(server), little_room(server.place / ".qfc"):
            result = deploy(server, "--tag", "plain", "--pass", "disk", code=1)
        assert (result["result"], result["failed_step"]) == ("rolled_back", "dump")
        assert "no space left" in (result["message"] + result["log"]).lower()
    finally:
        server.sql("drop table ballast")


@contextmanager
def little_room(folder: Path) -> Iterator[None]:
    """Put our own folder of the deployment on a file system of one megabyte."""
    require("root", CAN_MAKE, "root to mount a small file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_changed_tree_is_refused(server: Deployment) -> None:
    changed = server.place / "nginx/Dockerfile"
    text = changed.read_text()
    changed.write_text(text + "\n# by hand\n")
    try:
        answer = server.run("--json", "--yes", "deploy", "--tag", "plain")
        assert answer.code == 4
        assert "clean tree: modified: docker/nginx/Dockerfile" in answer.json["error"]["message"]
        assert "--skip-check 'clean tree'" in answer.json["error"]["hint"]
    finally:
        changed.write_text(text)


def test_a_plan_changes_nothing(server: Deployment) -> None:
    with nothing_changed(server):
        result = deploy(server, "--tag", "good", "--migrate", "--collectstatic", "--dry-run", code=0)
    assert (result["result"], result["dry_run"]) == ("unchanged", True)
    assert "Migrate the database" in result["plan"]
    assert {check["name"] for check in result["checks"]} >= {"clean tree", "way back", "writers", "disk", "jobs"}


STEPS = {
    "save": "Save what a rollback needs",
    "checkout": "Check out good",
    "images": "Build the images",
    "drain": "Stop the workers after their jobs",
    "hold": "Block writes",
    "dump": "Dump the database",
    "migrate": "Migrate the database",
    "collectstatic": "Collect static files",
    "start": "Start the release",
    "gate": "Prove that the release works",
}


#: Steps whose undoing differs. tests/unit kills an operator at every call; QFC_TEST_KILLS=all kills one at every step.
KILLED_AT = STEPS if os.environ.get("QFC_TEST_KILLS") == "all" else ("images", "hold", "migrate", "gate")


@pytest.mark.parametrize("step", KILLED_AT)
def test_killed_at_a_step_it_is_undone_by_the_next_command(server: Deployment, step: str) -> None:
    before = Before.of(server)
    kill_deploy_at(server, STEPS[step], after_s=0.3)
    if step != "save":
        reasons = server.run("--json", "status").json["reasons"]
        assert any("deploy was interrupted" in reason for reason in reasons), reasons
    answer = server.run("--json", "--yes", "workers", "scale", "2")
    assert answer.code == 0, answer.out + answer.err
    if step != "save":
        assert "interrupted at the step" in answer.err
        assert "back to v1" in answer.err
    assert Before.of(server) == before
    assert serves(server)
    assert server.ok("status")["verdict"] == "ok"
    assert server.ok("deploy", "history")["open"] is None


def kill_deploy_at(server: Deployment, sentence: str, *, after_s: float) -> None:
    """Deploy the good release and kill the operator's process in a step."""
    words = ["--stack", "dep", "--json", "--yes", "deploy", "--tag", "good", "--migrate", "--collectstatic"]
    process = server.qfc.begin(*words)
    assert process.stderr is not None
    for line in process.stderr:
        if sentence in line:
            break
    else:
        raise AssertionError(f"it never came to: {sentence}")
    time.sleep(after_s)
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def test_killed_past_the_gate_it_is_finished(server: Deployment) -> None:
    kill_deploy_at(server, "Accept writes again, then start the workers", after_s=0)
    answer = server.run("--json", "--yes", "deploy", "rollback")
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["result"] == "deployed"
    assert server.git("describe", "--tags", "--exact-match") == "good"
    assert server.sql("select name from qfc_test_release") == "good"
    assert serves(server)
    assert server.ok("status")["verdict"] == "ok"


def test_going_back_needs_the_data_of_then_after_migrations(server: Deployment) -> None:
    assert server.git("describe", "--tags", "--exact-match") == "good"
    answer = server.run("--json", "--yes", "deploy", "rollback")
    assert answer.code == 4
    assert "--with-data" in answer.json["error"]["hint"]
    result = server.ok("deploy", "rollback", "--with-data")
    assert (result["result"], result["from"], result["to"]) == ("deployed", "good", "v1")
    assert server.git("describe", "--tags", "--exact-match") == "v1"
    assert server.sql("select to_regclass('qfc_test_release')") == ""
    assert serves(server)


def test_a_good_release_loses_no_write_and_is_written_down(server: Deployment) -> None:
    if server.git("describe", "--tags") == "good":  # after a first try of this test
        server.ok("deploy", "rollback", "--with-data")
    images = server.image_of("app")
    with writing(server) as writer:
        result = deploy(server, "--tag", "good", "--migrate", "--collectstatic", code=0)
    assert result["result"] == "deployed"
    assert [step["name"] for step in result["steps"]] == [*STEPS, "release"]
    assert all(step["ok"] for step in result["steps"])
    assert writer.refused
    assert not writer.broken
    assert server.image_of("app") != images
    (newest, *_) = server.ok("deploy", "history")["deployments"]
    assert (newest["before"]["name"], newest["after"]["name"], newest["result"]) == ("v1", "good", "deployed")
    entry = server.ok("audit")["entries"][0]
    assert (entry["command"], entry["result"].split(":")[0]) == ("deploy", "deployed")
    dump = Path(result["backup"])
    assert (server.place / ".qfc" / dump).is_file()
    assert (server.place / ".qfc" / dump).stat().st_mode & 0o077 == 0


def test_a_good_release_on_a_server(deployed_there: Deployment) -> None:
    deployed_there.release("next", {"docker/RELEASE": "next"})
    with writing(deployed_there) as writer:
        result = deploy(deployed_there, "--tag", "next", "--collectstatic", code=0)
    assert result["result"] == "deployed"
    assert writer.refused
    back = deployed_there.ok("deploy", "rollback")
    assert (back["result"], back["to"]) == ("deployed", "v1")
    assert serves(deployed_there)
    assert json.dumps(back).find("s3cret") == -1
