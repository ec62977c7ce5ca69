"""Every reading command on deployments of four official releases: their services, their variables, their tables."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from compose_world import HOST, ROOT, Deployment
from engines_of_docker import DockerHost, engine_of_another_processor
from ports import free_port
from qfc.checks import EVERYTHING
from qfc.stack.findings import Result
from qfc_command import Qfc
from queue_world import OFFICIAL, RELEASES, DatabaseWorld, official_schema

pytestmark = pytest.mark.docker
CHECKS = {check.id: check for check in EVERYTHING}
PORTS = ("WEB_HTTPS", "WEB_HTTP", "DATABASE_PORT", "STORE_PORT")
SECRETS = ("3shJDd2r7Twwkehb", "change_me_with", "minioadmin-secret", "rustfsadmin-secret", "dav-secret", "KUAa7h")
QGIS = {"2026_06": ("qgis3", "qgis4")}


@contextmanager
def official_deployment(engine: DockerHost, folder: Path, home: Path, release: str) -> Iterator[Deployment]:
    """Run the services of a release for a block."""
    project = f"qfctest{release.replace('_', '')}"
    ports = {name: free_port() for name in PORTS}
    _checkout(folder, release, {**{name: str(port) for name, port in ports.items()}, "PROJECT": project})
    home.mkdir(parents=True)
    (home / "config.toml").write_text(f'[stacks.dep]\nkind = "compose"\nproject_path = "{folder / "docker"}"\n')
    made = Deployment(
        engine, folder, Qfc(home), project, {"WEB_HTTPS_PORT": ports["WEB_HTTPS"], "DATABASE": ports["DATABASE_PORT"]}
    )
    for image in QGIS.get(release, ("qgis",)):
        engine.docker("tag", "memcached:1", f"{project}-{image}")
    environment = {**os.environ, "DOCKER_HOST": f"unix://{engine.socket}"}
    try:
        words = ["docker", "compose", "up", "--detach", "--quiet-pull"]
        subprocess.run(words, cwd=made.place, env=environment, check=True, capture_output=True)
        _fill(ports["DATABASE_PORT"], release)
        yield made
    finally:
        made.remove()


def _checkout(folder: Path, release: str, values: dict[str, str]) -> None:
    """Create the checkout: files of the release, with the names and ports of this run."""
    place = folder / "docker"
    (place / "conf/nginx/config.d").mkdir(parents=True)
    (place / "conf/nginx/certs").mkdir()
    shutil.copytree(ROOT / "docker/nginx", place / "nginx")
    text = (RELEASES / f"{release}.env").read_text()
    for name, value in values.items():
        text = text.replace(f"={name}\n", f"={value}\n")
    (place / ".env").write_text(text)
    shutil.copy(RELEASES / f"{release}.yml", place / "docker-compose.yml")
    (folder / ".gitignore").write_text(".env\nconf/\n")
    identity = dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@example.com")
    identity |= dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", release], ["tag", release]):
        subprocess.run(["git", *words], cwd=folder, env={**os.environ, **identity}, check=True, capture_output=True)


def _fill(port: int, release: str) -> None:
    """Create the tables of the release, with some jobs in them."""
    with _connection(port) as connection:
        connection.execute(official_schema(release).encode())
    world = DatabaseWorld(lambda: _connection(port))
    try:
        world.subscribe("alice")
        survey, failed = world.project("survey"), world.project("failed", details=None)
        waiting = world.job(survey, made=5)
        world.job(failed, "failed", type="process_projectfile", started=4, ended=3, feedback={"error": "No such image"})
        world.job(survey, "finished", started=9, ended=8)
        world.delta(survey, "pending")
        world.delta(survey, "error")
        assert waiting
    finally:
        world.close()


def _connection(port: int) -> psycopg.Connection[Any]:
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(host="127.0.0.1", port=port, user="qfieldcloud_db_admin", dbname="qfieldcloud_db",
                                   password=SECRETS[0], autocommit=True)  # fmt: skip
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.3)


def test_a_processor_without_official_images_is_told(short_folder: Path) -> None:
    # Its own folder at each try: a second try must not meet the files of the first.
    folder = Path(tempfile.mkdtemp(prefix="i686-", dir=short_folder))
    home = folder / "home"
    _checkout(folder / "checkout", "2026_06", {name: str(free_port()) for name in PORTS} | {"PROJECT": "qfctesti686"})
    home.mkdir()
    place = folder / "checkout/docker"
    (home / "config.toml").write_text(f'[stacks.dep]\nkind = "compose"\nproject_path = "{place}"\n')
    with engine_of_another_processor(folder) as socket:
        made = Qfc(home)("--stack", "dep", "--json", "doctor", "--no-proof", DOCKER_HOST=f"unix://{socket}")
    found = {one["id"]: one["evidence"] for one in made.json["findings"]}
    assert found.get("A14") == "The processor of the host is i686; official images are for amd64.", made


#: tests/contract tries the queries on the tables of every release; these are the first and the last with containers.
ENDS = (OFFICIAL[0], "2026_06")


@pytest.fixture(scope="module", params=ENDS)
def official(request: pytest.FixtureRequest, docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A running deployment of a release."""
    folder = short_folder / f"release-{request.param}"
    with official_deployment(docker_here, folder, short_folder / f"home-{request.param}", request.param) as made:
        yield made


def test_status(official: Deployment) -> None:
    answer = official.run("--json", "status").json
    services = {one["name"]: one for one in answer["services"]}
    assert {"app", "worker_wrapper", "nginx", "db", "memcached"} <= services.keys()
    for name in ("app", "worker_wrapper", "nginx", "db", "memcached"):
        assert services[name]["running"] == services[name]["wanted"], services[name]
    assert services["worker_wrapper"]["wanted"] == 2
    assert (answer["queue"]["pending"], answer["url"]) == (1, official.url)


def test_the_queue_and_its_history(official: Deployment) -> None:
    queue = official.ok("sync", "queue")
    assert queue["depth"] == {"pending": 1, "queued": 0, "started": 0}
    assert queue["jobs"][0]["project"] == "alice/survey"
    recent = official.ok("sync", "recent", "--hours", "24")
    assert (recent["finished"], recent["failed"]) == (1, 1)
    (failed,) = official.ok("sync", "failed")["jobs"]
    assert (failed["cause"], failed["signature"].split()[0]) == ("server", "D02")
    assert len(official.ok("jobs", "list")["jobs"]) == 3
    assert official.ok("jobs", "show", failed["id"])["status"] == "failed"
    deltas = official.ok("deltas", "list")["deltas"]
    assert {one["status"] for one in deltas} == {"pending", "error"}
    assert official.ok("deltas", "show", deltas[0]["id"])["content"]["method"] == "create"


def test_people_and_projects(official: Deployment) -> None:
    (alice,) = official.ok("users", "list")["users"]
    assert (alice["username"], alice["storage_quota_bytes"]) == ("alice", 100 * 10**6)
    assert official.ok("users", "quota", "alice")["subscription"]["plan"] == "community"
    projects = {one["name"]: one for one in official.ok("projects", "list")["projects"]}
    assert (projects["failed"]["status"], projects["survey"]["status"]) == ("failed", "ok")
    shown = official.ok("projects", "status", "--project", "alice/survey")
    assert [one["status"] for one in shown["open_jobs"]] == ["pending"]


def test_workers_database_and_disk(official: Deployment) -> None:
    workers = official.ok("workers", "list")
    assert (workers["wanted"], len(workers["workers"])) == (2, 2)
    assert all(one["job_id"] is None for one in workers["workers"])
    database = official.ok("db", "status")
    assert {"core_job", "core_delta"} <= {one["name"] for one in database["tables"]}
    assert official.run("db", "shell", "-tAc", "select count(*) from core_job").out.strip() == "3"
    kinds = {one["kind"] for one in official.ok("services", "disk")["parts"]}
    assert {"image", "volume", "log", "database", "files"} <= kinds


def test_images_certificates_and_tunnel(official: Deployment) -> None:
    image = official.run("--json", "image", "status").json
    release = official.git("describe", "--tags")
    assert [one["name"] for one in image["images"]] == [
        f"{official.project}-{one}" for one in QGIS.get(release, ("qgis",))
    ]
    assert all(one["present"] for one in image["images"])
    assert len(image["failed_jobs"]) == 1
    certificate = official.ok("certs", "status")
    assert (certificate["host"], certificate["key_fits"]) == (HOST, True)
    assert official.run("--json", "tunnel", "status").json["tunnels"] == []


def test_health_tells_what_does_not_answer(official: Deployment) -> None:
    answer = official.run("--json", "--verbose", "health")
    assert answer.code == 1
    checks = {one["name"]: one for one in answer.json["checks"]}
    assert checks["leg app"]["verdict"] == "down"
    assert checks["cache"]["verdict"] == "ok"
    assert checks["workers"]["verdict"] == "ok"
    for secret in SECRETS:
        assert secret not in answer.out + answer.err


def test_logs_history_and_plans(official: Deployment) -> None:
    assert {"db", "nginx"} <= {line["service"] for line in official.ok("logs", "--lines", "300")["lines"]}
    assert official.ok("audit")["entries"] == []
    assert official.ok("deploy", "history")["deployments"] == []
    assert official.ok("stacks")["stacks"][0]["state"] == "running"
    for words in (["services", "prune"], ["services", "restart", "--service", "app"], ["down"], ["workers", "drain"]):
        assert official.ok(*words, "--dry-run")["dry_run"] is True


def test_a_deployment_is_planned_with_what_stands_in_its_way(official: Deployment) -> None:
    """The checks before an upgrade name files, variables and tables of the present release."""
    release = official.git("describe", "--tags")
    plan = official.ok("deploy", "--tag", release, "--dry-run")
    checks = {one["name"]: one for one in plan["checks"]}
    assert checks["clean tree"]["ok"]
    assert checks["way back"]["ok"], checks["way back"]
    assert checks["writers"]["ok"], checks["writers"]
    assert "account" in checks
    assert json.dumps(plan).find(SECRETS[0]) == -1


def test_what_only_tables_of_official_servers_tell_is_found(official: Deployment) -> None:
    """A store in the old form, and tasks that do not run: the repair starts them, as far as this stand-in has any."""
    past = datetime.now(UTC) - timedelta(hours=2)
    has_stores = official.git("describe", "--tags") != "2024_09"
    started = official.engine.docker("inspect", "-f", "{{.State.StartedAt}}", official.container("ofelia"))
    with official.wired() as ports:
        ports.lab.insert("cron", code="x", start_time=past, end_time=past, is_success=True, message="made by a test")
        if has_stores:
            ports.lab.change("project", {"name": "survey"}, file_storage="legacy_storage")
        found = {one.id: one for one in official.look([CHECKS["C06"], CHECKS["D08-cron"]], fix=True)}
        ports.lab.delete("cron", {"message": "made by a test"})
        if has_stores:
            ports.lab.change("project", {"name": "survey"}, file_storage="default")
    assert set(found) == {"D08-cron", *(["C06"] if has_stores else [])}
    assert "The last task started 120 min ago." in found["D08-cron"].evidence
    assert found["D08-cron"].result is Result.FAILED
    assert "The repair failed: runcrons ended with exit code" in found["D08-cron"].evidence
    assert official.engine.docker("inspect", "-f", "{{.State.StartedAt}}", official.container("ofelia")) > started
    if has_stores:
        assert "1 in legacy_storage" in found["C06"].evidence
    # A release in between has its own default store in the old form.
    left = [(one.id, "legacy_storage" in one.evidence) for one in official.look([CHECKS["C06"], CHECKS["D08-cron"]])]
    assert left == ([("C06", False)] if official.git("describe", "--tags") == "2025_02" else [])


def test_a_stuck_job_is_freed_unless_its_container_runs(official: Deployment) -> None:
    """According to their logs, these workers never claimed the job: then only a container shows that it is running."""
    (project,) = [one["id"] for one in official.ok("projects", "list")["projects"] if one["name"] == "failed"]
    world = DatabaseWorld(lambda: _connection(official.ports["DATABASE"]))
    job = world.job(project, "queued", made=120)
    work = official.engine.docker("run", "--detach", "--label", f"job_id={job}", "--network",
                                  f"{official.project}_default", "debian:bookworm-slim", "sleep", "60")  # fmt: skip
    kept = official.ok("jobs", "cleanup", "--older", "1h")
    assert (kept["kept"], kept["reasons"][0]["reason"]) == ([job], "Its worker is alive.")
    official.engine.docker("rm", "-f", work)
    assert official.ok("jobs", "cleanup", "--older", "1h")["requeued"] == [job]
    assert world.store.job(job).status == "pending"
    world.execute("delete from core_job where id = %(id)s", {"id": job})
    world.close()
