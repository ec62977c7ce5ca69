"""Every reading command on a real deployment here (Compose v2); some of them on a server over SSH (Compose v1)."""

from __future__ import annotations

from typing import Any

import pytest

from compose_world import ADMIN, HOST, Deployment

pytestmark = pytest.mark.docker
SERVICES = {"db", "memcached", "minio", "app", "worker_wrapper", "nginx", "certbot", "createbuckets"}


def services(deployed: Deployment) -> dict[str, Any]:
    answer = deployed.run("--json", "status")
    return {one["name"]: one for one in answer.json["services"]}


def test_status_sees_every_service_with_its_figures(deployed: Deployment) -> None:
    status = deployed.ok("status")
    assert (status["stack"], status["kind"], status["verdict"]) == ("dep", "compose", "ok")
    found = {one["name"]: one for one in status["services"]}
    assert set(found) == SERVICES
    for name in SERVICES - {"createbuckets"}:
        one = found[name]
        assert (one["state"], one["running"], one["wanted"]) == ("running", len(one["instances"]), one["running"])
        for instance in one["instances"]:
            assert instance["pid"] > 1
            assert instance["memory_bytes"] > 100_000
            assert instance["cpu_percent"] >= 0
            assert instance["uptime_s"] >= 0
            assert instance["restarts"] is not None
            assert instance["oom_kills"] == 0
    assert found["worker_wrapper"]["wanted"] == 2
    assert found["createbuckets"]["is_task"]
    assert status["queue"] == {"pending": 0, "queued": 0, "started": 0, "oldest_pending_s": 0}
    assert 0 < status["disk"]["free_bytes"] < status["disk"]["total_bytes"]
    assert status["url"] == deployed.url


def test_no_answer_has_a_secret(deployed: Deployment) -> None:
    words = {"s3cret-database-word", "s3cret-storage-word", "only-for-tests"}
    for command in (["status"], ["health"], ["services", "disk"], ["logs", "--lines", "500"], ["db", "status"]):
        answer = deployed.run("--json", "--verbose", *command)
        for word in words:
            assert word not in answer.out + answer.err, command
    assert all(path.stat().st_mode & 0o077 == 0 for path in (deployed.qfc.home / "dep").glob("*.json"))


def test_health_goes_leg_by_leg(deployed_here: Deployment) -> None:
    answer = deployed_here.run("--json", "--verbose", "health")
    checks = {one["name"]: one for one in answer.json["checks"]}
    legs = ("leg nginx", "leg app", "cache", "workers", "box", "file round trip")
    for name in ("api", "database", "storage", "queue", *legs):
        assert checks[name]["verdict"] == "ok", checks[name]
    # The tests' host name is in no DNS, so this cannot be checked from here.
    assert checks["leg public"]["verdict"] == "unknown"
    assert checks["file round trip"]["latency_ms"] > 0
    names = [one["name"] for one in deployed_here.ok("projects", "list")["projects"]]
    assert not [name for name in names if name.startswith("qfc-probe")]


def test_people_workers_and_database(deployed_here: Deployment) -> None:
    users = {user["username"]: user for user in deployed_here.ok("users", "list")["users"]}
    assert users[ADMIN]["is_superuser"]
    workers = deployed_here.ok("workers", "list")
    assert workers["wanted"] == 2
    assert [one["state"] for one in workers["workers"]] == ["idle", "idle"]
    assert all(one["memory_bytes"] and one["process"] for one in workers["workers"])
    database = deployed_here.ok("db", "status")
    assert database["version"].startswith("15.")
    assert database["unapplied_migrations"] == []


def test_the_queue_and_what_was_done(deployed_here: Deployment) -> None:
    assert deployed_here.ok("sync", "queue")["depth"] == {"pending": 0, "queued": 0, "started": 0}
    assert deployed_here.ok("sync", "recent")["failed"] == 0
    assert deployed_here.ok("deltas", "list")["deltas"] == []


def test_logs_are_merged_in_the_order_of_time(deployed: Deployment) -> None:
    lines = deployed.ok("logs", "--lines", "50000")["lines"]
    times = [line["time"] for line in lines]
    assert times == sorted(times)
    assert {"app", "nginx", "db", "minio"} <= {line["service"] for line in lines}


def test_requests_in_nginx_log_are_readable(deployed_here: Deployment) -> None:
    with deployed_here.client() as client:
        client.get("/api/v1/no-such-thing-here/")
    lines = deployed_here.ok("logs", "--service", "nginx", "--grep", "no-such-thing-here", "--since", "5m")["lines"]
    assert lines[-1]["text"].startswith("GET 404 /api/v1/no-such-thing-here/ ")
    assert lines[-1]["level"] == "WARNING"


def test_logs_are_followed(deployed: Deployment) -> None:
    process = deployed.qfc.begin("--stack", "dep", "--json", "logs", "--follow", "--service", "nginx", "--lines", "1")
    try:
        with deployed.client() as client:
            for _ in range(40):
                client.get("/api/v1/followed-by-a-test/")
                line = process.stdout and process.stdout.readline()
                if line and "followed-by-a-test" in line:
                    assert '"service": "nginx"' in line
                    return
        raise AssertionError("the line never came")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_stack_is_named_with_its_host(deployed: Deployment) -> None:
    (line,) = deployed.ok("stacks")["stacks"]
    assert (line["kind"], line["state"], line["folder"]) == ("compose", "running", str(deployed.place))
    assert line["host"] == ("local" if deployed.engine.ssh is None else deployed.engine.address)


def test_the_certificate(deployed_here: Deployment) -> None:
    answer = deployed_here.ok("certs", "status")
    assert (answer["host"], answer["key_fits"]) == (HOST, True)
    assert answer["judged"]["verdict"] == "ok"
    assert "self-signed" in answer["judged"]["remarks"][0]
    assert answer["served"]["fingerprint"] == answer["on_disk"]["fingerprint"]
    assert 300 < answer["days_left"] < 366


def test_what_the_deployment_takes(deployed_here: Deployment) -> None:
    usage = deployed_here.ok("services", "disk")
    kinds = {part["kind"] for part in usage["parts"]}
    assert {"image", "container", "volume", "build cache", "log", "database", "files"} <= kinds
    sizes = {(part["kind"], part["name"]): part["bytes"] for part in usage["parts"]}
    assert sizes["volume", f"{deployed_here.project}_postgres_data"] > 1_000_000
    assert sizes["database", "PostgreSQL"] > 1_000_000
    own = [name for kind, name in sizes if kind == "image" and name.startswith(deployed_here.project)]
    assert len(own) == 3
    assert usage["forecast"]["samples"] >= 1


def test_a_database_shell_runs_in_the_container(deployed_here: Deployment) -> None:
    answer = deployed_here.run("db", "shell", "--", "-Atc", "select current_database(), 6 * 7")
    assert (answer.code, answer.out.strip()) == (0, f"{deployed_here.env['POSTGRES_DB']}|42"), answer.err
