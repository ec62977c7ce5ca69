"""Commands that change a real deployment: here with Compose v2, and on a server over SSH with Compose v1.

Where neither SSH nor the version of Compose changes what happens, one of the two deployments is enough.
"""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compose_world import ADMIN, PASSWORD, ROOT, DeployedStack, Deployment, as_stack
from queue_world import DatabaseWorld

pytestmark = pytest.mark.docker
SAMPLES = ROOT / "src/qfc/probe_project"
WAIT_S = 60


def api_answers(deployed: Deployment) -> bool:
    with deployed.client() as client:
        return client.get("/api/v1/status/").status_code == 200


def worker_states(deployed: Deployment) -> list[str]:
    return [one["state"] for one in deployed.ok("workers", "list")["workers"]]


def await_states(deployed: Deployment, states: list[str]) -> None:
    deadline = time.monotonic() + WAIT_S
    while sorted(worker_states(deployed)) != sorted(states):
        assert time.monotonic() < deadline, worker_states(deployed)
        time.sleep(0.3)


@contextmanager
def a_busy_worker(deployed: Deployment) -> Iterator[tuple[str, DeployedStack]]:
    """Keep one worker busy during the block: its job waits for its project's row."""
    with as_stack(deployed) as stack, stack.database() as blocking:
        world = DatabaseWorld(stack.database)
        try:
            project = survey(deployed)
            blocking.autocommit = False
            blocking.execute("select 1 from core_project where id = %s for no key update", [project])
            job = world.job(project, type="process_projectfile", made=0)
            await_states(deployed, ["busy", "idle"])
            yield job, stack
        finally:
            blocking.rollback()
            world.close()


def test_scaling_changes_env_line_by_line_and_takes_idle_workers_first(deployed: Deployment) -> None:
    before = (deployed.place / ".env").read_text()
    with a_busy_worker(deployed) as (job, _):
        assert deployed.ok("workers", "scale", "1")["before"] == 2
        (worker,) = deployed.ok("workers", "list")["workers"]
        assert (worker["state"], worker["job_id"]) == ("busy", job)
        assert len(deployed.containers("worker_wrapper")) == 1
    after = (deployed.place / ".env").read_text()
    assert after == before.replace("QFIELDCLOUD_WORKER_REPLICAS=2", "QFIELDCLOUD_WORKER_REPLICAS=1")
    assert deployed.env_copies()[-1].read_text() == before
    assert deployed.env_copies()[-1].stat().st_mode & 0o077 == 0
    assert deployed.ok("workers", "scale", "2")["wanted"] == 2
    await_states(deployed, ["idle", "idle"])


def test_a_drain_waits_for_the_job(deployed: Deployment) -> None:
    with a_busy_worker(deployed) as (job, stack):
        drain = deployed.qfc.begin("--stack", "dep", "--json", "--yes", "workers", "drain")
        time.sleep(4)
        assert drain.poll() is None
    out, err = drain.communicate(timeout=120)
    assert drain.returncode == 0, out + err
    shown = stack.qfc("jobs", "show", job)
    assert (shown["status"], shown["attempts"]) == ("finished", 1)
    assert worker_states(deployed) == ["stopped", "stopped"]
    deployed.ok("workers", "restart")
    await_states(deployed, ["idle", "idle"])


def test_more_workers_than_the_memory_holds_are_refused(deployed_here: Deployment) -> None:
    answer = deployed_here.run("--json", "--yes", "workers", "scale", "64")
    assert answer.code == 4
    assert "GB" in answer.json["error"]["message"]
    assert "--force" in answer.json["error"]["hint"]
    assert deployed_here.env["QFIELDCLOUD_WORKER_REPLICAS"] == "2"


@contextmanager
def an_override(deployed: Deployment, text: str) -> Iterator[None]:
    override = deployed.place / "docker-compose.override.yml"
    version = "version: '3.9'\n" if deployed.engine.ssh else ""
    override.write_text(f"{version}services:\n  worker_wrapper:\n    {text}\n")
    try:
        yield
    finally:
        override.unlink()


def test_a_number_in_an_override_file_is_told(deployed_here: Deployment) -> None:
    try:
        with an_override(deployed_here, "scale: 2"):
            answer = deployed_here.run("--json", "--yes", "workers", "scale", "1")
        assert answer.code == 0, answer.out
        assert any("deploy.replicas" in remark for remark in answer.json["remarks"]), answer.out
    finally:
        deployed_here.ok("workers", "scale", "2")


def test_a_number_that_compose_refuses_leaves_everything_as_it_was(deployed: Deployment) -> None:
    before = (deployed.place / ".env").read_text()
    with an_override(deployed, "deploy: {replicas: 2}"):
        answer = deployed.run("--json", "--yes", "workers", "scale", "1")
    assert (answer.code, "deploy.replicas" in answer.json["error"]["hint"]) == (1, True), answer.out
    assert (deployed.place / ".env").read_text() == before
    assert worker_states(deployed) == ["idle", "idle"]


def test_services_are_made_anew_and_clients_reach_the_new_one(deployed: Deployment) -> None:
    old = deployed.container("app")
    deployed.ok("services", "recreate", "--service", "app")
    assert deployed.container("app") != old
    assert api_answers(deployed)
    assert deployed.ok("status")["verdict"] == "ok"


def test_services_are_restarted(deployed_here: Deployment) -> None:
    def started() -> str:
        return deployed_here.engine.docker(
            "inspect", "--format", "{{.State.StartedAt}}", deployed_here.container("memcached")
        )

    before = started()
    deployed_here.ok("services", "restart", "--service", "memcached")
    assert started() != before
    unknown = deployed_here.run("--json", "--yes", "services", "restart", "--service", "wordpress")
    assert (unknown.code, "app" in unknown.json["error"]["hint"]) == (1, True)


def test_images_are_built_anew(deployed: Deployment) -> None:
    before = deployed.image_of("nginx")
    template = deployed.folder / "docker/nginx/templates/default.conf.template"
    text = template.read_text()
    template.write_text(text + "\n# built anew by a test\n")
    try:
        deployed.ok("services", "rebuild", "--service", "nginx")
        assert deployed.image_of("nginx") != before
        assert api_answers(deployed)
    finally:
        template.write_text(text)
        deployed.ok("services", "rebuild", "--service", "nginx")


def test_people_through_the_application(deployed_here: Deployment) -> None:
    made = deployed_here.run("--json", "users", "create", "erik", "--email", "erik@example.com", "--password-stdin",
                        stdin="first-password-1")  # fmt: skip
    assert made.code in (0, 1), made.out
    changed = deployed_here.run("--json", "users", "password", "erik", "--password-stdin", stdin="second-password-2")
    assert changed.code == 0, changed.out
    with deployed_here.client() as client:
        login = client.post("/api/v1/auth/login/", json={"username": "erik", "password": "second-password-2"})
        assert login.status_code == 200
    quota = deployed_here.ok("users", "quota", "erik", "--set", "20GB")
    assert quota["after"] == 20 * 10**9
    assert deployed_here.ok("users", "quota", "erik")["storage_quota_bytes"] == 20 * 10**9
    weak = deployed_here.run("--json", "users", "password", "erik", "--password-stdin", stdin="12345")
    assert weak.code == 1
    assert "12345" not in weak.out + weak.err


def test_a_project_goes_out_and_comes_in_again(deployed_here: Deployment, tmp_path: Path) -> None:
    project = survey(deployed_here)
    export = tmp_path / "survey.zip"
    written = deployed_here.ok("projects", "export", "--project", project, "--output", str(export))
    assert (written["files"], written["path"]) == (2, str(export))
    with zipfile.ZipFile(export) as archive:
        assert archive.read("files/points.gpkg") == (SAMPLES / "points.gpkg").read_bytes()
    name = f"{ADMIN}/again{time.time_ns()}"
    made = deployed_here.ok("projects", "import", str(export), "--name", name.partition("/")[2])
    assert (made["project"], made["files"]) == (name, 2)
    with deployed_here.device() as device:
        got = device.get(f"/api/v1/files/{made['id']}/points.gpkg/", follow_redirects=True)
        assert got.content == (SAMPLES / "points.gpkg").read_bytes()
        for one in (project, made["id"]):
            device.delete(f"/api/v1/projects/{one}/").raise_for_status()


def survey(deployed: Deployment) -> str:
    """Create a project as a user does, and wait until a worker has processed it; return its id."""
    with deployed.device() as device:
        name = f"survey{time.time_ns()}"
        project = device.post("/api/v1/projects/", json={"name": name, "owner": ADMIN}).json()["id"]
        for file in ("points.gpkg", "probe.qgs"):
            content = io.BytesIO((SAMPLES / file).read_bytes())
            device.post(f"/api/v1/files/{project}/{file}/", files={"file": content}).raise_for_status()
        deadline = time.monotonic() + WAIT_S
        while device.get("/api/v1/jobs/", params={"project_id": project}).json()[0]["status"] != "finished":
            assert time.monotonic() < deadline
            time.sleep(0.3)
        return project


def test_the_log_of_a_job(deployed_here: Deployment) -> None:
    project = survey(deployed_here)
    (job,) = deployed_here.ok("projects", "status", "--project", project)["last_jobs"]
    lines = deployed_here.ok("logs", "--job", job["id"])["lines"]
    assert {line["service"] for line in lines} >= {"worker_wrapper"}
    assert all(job["id"] in line["text"] for line in lines if line["service"] == "app")


def test_one_operator_at_a_time_and_his_name_is_told(deployed: Deployment) -> None:
    with a_busy_worker(deployed):
        first = deployed.qfc.begin("--stack", "dep", "--json", "--yes", "workers", "restart")
        assert first.stderr is not None
        assert "Stop 2 workers" in first.stderr.readline()
        second = deployed.run("--json", "--yes", "services", "restart", "--service", "memcached")
        assert second.code == 4, second.out
        assert "workers restart" in second.json["error"]["message"]
        assert deployed.run("--json", "status").json["stack"] == "dep"  # looking is always possible
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    await_states(deployed, ["idle", "idle"])


def test_what_was_done_is_written_down_beside_the_deployment(deployed_there: Deployment) -> None:
    deployed_there.ok("services", "restart", "--service", "memcached")
    entry = deployed_there.ok("audit")["entries"][0]
    assert (entry["command"], entry["target"], entry["result"]) == ("services restart", "memcached", "done")
    log = deployed_there.place / ".qfc/audit.jsonl"
    assert log.stat().st_mode & 0o077 == 0
    assert PASSWORD not in log.read_text()


def test_variables_of_older_set_ups_are_understood(deployed: Deployment) -> None:
    variables = {"QFC_CONFIG": str(deployed.qfc.home / "none.toml"), "QFIELDCLOUD_PROJECT_PATH": str(deployed.place)}
    ssh = deployed.engine.ssh
    if ssh is not None:
        variables |= {"QFIELDCLOUD_VPS_HOST": ssh.address, "QFC_SSH_PORT": str(ssh.port)}
        variables |= {"QFC_SSH_CONFIG": str(ssh.folder / "client")}
    answer = deployed.qfc("--json", "status", **variables)
    assert answer.code == 0, answer.out + answer.err
    assert (answer.json["stack"], answer.json["kind"], answer.json["verdict"]) == ("server", "compose", "ok")


def test_a_deployment_is_found_by_its_containers(deployed: Deployment) -> None:
    variables = {"QFC_CONFIG": str(deployed.qfc.home / "found.toml")}
    (deployed.qfc.home / "found.toml").unlink(missing_ok=True)
    there = deployed.engine.settings
    flags = [word for key, value in there.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    made = deployed.qfc("--json", "--yes", "init", "found", "--kind", "compose", "--project", deployed.project,
                        *flags, **variables)  # fmt: skip
    assert made.code == 0, made.out + made.err
    assert made.json["deployment"] == str(deployed.place)
    assert deployed.qfc("--json", "status", **variables).json["verdict"] == "ok"
