"""The commands for users, queue, workers and database on a running stack of each kind, as an operator types them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from compose_world import as_stack
from queue_world import DatabaseWorld
from stack import Stack, running_stack

WAIT_S = 60
#: Reading commands are the same over SSH; test_compose_looking runs a few of them there.
HERE = ["embedded", pytest.param("deployed_here", marks=pytest.mark.docker)]
KINDS = [*HERE, pytest.param("deployed_there", marks=pytest.mark.docker)]


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack with one worker: embedded, under Docker Compose here, and under Docker Compose on a server."""
    if request.param == "embedded":
        with running_stack(workers=1) as running:
            yield running
        return
    with as_stack(request.getfixturevalue(request.param)) as running:
        running.qfc("workers", "scale", "1")
        yield running
        running.qfc("workers", "restart")
        running.qfc("workers", "scale", "2")


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[DatabaseWorld]:
    """The stack's database, with the user of the test world."""
    world = DatabaseWorld(stack.database)
    yield world
    world.close()


@pytest.fixture
def world(stack: Stack, people: DatabaseWorld) -> Iterator[DatabaseWorld]:
    """An empty queue without workers."""
    stack.qfc("workers", "drain")
    people.execute("truncate core_project cascade")
    yield people
    people.execute("truncate core_project cascade")


def typed(stack: Stack, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command exactly as typed, without a terminal."""
    argv = [sys.executable, "-m", "qfc", *arguments]
    environment = {**stack.environment, "COLUMNS": "80"}
    return subprocess.run(argv, env=environment, input=stdin, capture_output=True, text=True, timeout=120)


def failure(stack: Stack, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return exit code and error of a command that must fail."""
    done = typed(stack, "--json", *arguments)
    return done.returncode, json.loads(done.stdout)["error"]


def login(stack: Stack, username: str, password: str) -> int:
    """Return the status of a login as a device does it."""
    credentials = {"username": username, "password": password}
    with stack.client() as client:
        return client.post("auth/login/", data=credentials).status_code


def test_people_are_made_and_may_log_in(stack: Stack) -> None:
    made = stack.qfc(
        "users", "create", "bob", "--email", "bob@example.com", "--password-stdin", stdin="correct horse 7\n"
    )
    assert (made["username"], made["password"]) == ("bob", None)
    assert login(stack, "bob", "correct horse 7") == 200
    new = stack.qfc("users", "password", "bob", "--generate")["password"]
    assert login(stack, "bob", new) == 200
    assert login(stack, "bob", "correct horse 7") in (400, 401)
    (bob,) = [user for user in stack.qfc("users", "list")["users"] if user["username"] == "bob"]
    assert (
        bob.items() >= {"email": "bob@example.com", "type": "person", "is_superuser": False, "is_active": True}.items()
    )
    assert bob["storage_quota_bytes"] == 10**10
    ended = stack.qfc("users", "disable", "bob")
    assert (ended["is_active"], ended["tokens_ended"]) == (False, 1)
    assert login(stack, "bob", new) in (400, 401)
    stack.qfc("users", "disable", "bob", "--undo")
    assert login(stack, "bob", new) == 200


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_a_superuser(stack: Stack) -> None:
    stack.qfc("users", "create", "root", "--superuser", "--generate")
    (root,) = [user for user in stack.qfc("users", "list")["users"] if user["username"] == "root"]
    assert root["is_superuser"]


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_passwords_are_not_guessed_at_nor_shown(stack: Stack) -> None:
    assert failure(stack, "users", "create", "carol")[0] == 2
    assert failure(stack, "users", "create", "carol", "--generate", "--password-stdin")[0] == 2
    done = typed(stack, "--verbose", "users", "create", "carol", "--password-stdin", stdin="correct horse 8\n")
    assert done.returncode == 0
    assert "correct horse 8" not in done.stdout + done.stderr
    code, error = failure(stack, "users", "create", "carol", "--generate")
    assert code == 1
    assert "carol" in error["message"]


def test_a_job_waits_runs_fails_and_is_explained(stack: Stack, world: DatabaseWorld) -> None:
    project = world.project("empty")
    job = world.job(project, made=0)
    queue = stack.qfc("sync", "queue")
    assert queue["depth"] == {"pending": 1, "queued": 0, "started": 0}
    assert queue["waiting"].items() >= {"no_free_worker": 1, "project_busy": 0, "project_locked": 0}.items()
    (line,) = queue["jobs"]
    assert (line["id"], line["project"], line["status"], line["why"]) == (
        job,
        "alice/empty",
        "pending",
        "No worker is running.",
    )
    stack.qfc("workers", "restart")
    failed = ended(stack, job)
    assert failed["status"] == "failed"
    recent = stack.qfc("sync", "failed", "--hours", "1")
    assert (recent["failed"], recent["finished"], recent["success_rate"]) == (1, 0, 0.0)
    assert recent["jobs"][0]["id"] == job
    assert recent["jobs"][0]["cause"] in ("project", "unknown")
    assert recent["jobs"][0]["error"]
    (group,) = recent["groups"]
    assert (group["count"], group["projects"], group["people"]) == (1, ["alice/empty"], ["alice"])
    assert (group["job_id"], group["cause"]) == (job, recent["jobs"][0]["cause"])
    assert group["fix"] == recent["jobs"][0]["fix"] != ""
    assert stack.qfc("jobs", "retry", job[:8])["retried"] == [job]
    assert ended(stack, job)["status"] == "failed"


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_since_when_a_job_has_been_seen_as_it_is(stack: Stack, world: DatabaseWorld) -> None:
    job = world.job(world.project("survey"), made=600)
    (first,) = stack.qfc("sync", "queue")["jobs"]
    assert first["seen_since"] > first["created_at"]
    (again,) = stack.qfc("jobs", "list", "--status", "pending")["jobs"]
    assert (again["id"], again["seen_since"]) == (job, first["seen_since"])
    assert stack.qfc("jobs", "show", job)["seen_since"] == first["seen_since"]
    stack.qfc("jobs", "cancel", job)
    assert stack.qfc("jobs", "show", job)["seen_since"] is None


def ended(stack: Stack, job: str) -> dict[str, Any]:
    """Wait until a job has ended; return it."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        shown: dict[str, Any] = stack.qfc("jobs", "show", job)
        if shown["finished_at"]:
            return shown
        time.sleep(0.2)
    raise AssertionError(f"job {job} does not end: {shown}")


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_workers_are_listed_and_scaled(stack: Stack) -> None:
    stack.qfc("workers", "restart")
    assert stack.qfc("workers", "scale", "2")["wanted"] == 2
    assert idle_workers(stack, 2)["wanted"] == 2
    assert stack.qfc("workers", "scale", "1")["before"] == 2
    (worker,) = idle_workers(stack, 1)["workers"]
    assert worker["memory_bytes"] > 10_000_000
    assert worker["job_id"] is None
    assert failure(stack, "workers", "scale", "-1")[0] == 2
    assert failure(stack, "workers", "scale", "many")[0] == 2


def idle_workers(stack: Stack, number: int) -> dict[str, Any]:
    """Wait until the database shows that many workers as idle."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        listed: dict[str, Any] = stack.qfc("workers", "list")
        if [worker["state"] for worker in listed["workers"]] == ["idle"] * number:
            return listed
        time.sleep(0.2)
    raise AssertionError(f"not {number} idle workers: {listed}")


def test_cancelled_edits_are_kept_and_applied_again(stack: Stack, world: DatabaseWorld) -> None:
    project = world.project("survey")
    job = world.job(project, type="delta_apply")
    delta = world.delta(project, job=job)
    dry = stack.qfc("jobs", "cancel", job, "--dry-run")
    assert (dry["cancelled"], dry["deltas"], dry["dry_run"]) == ([job], [delta], True)
    assert stack.qfc("jobs", "cancel", job)["deltas"] == [delta]
    assert stack.qfc("jobs", "show", job)["status"] == "stopped"
    (listed,) = stack.qfc("deltas", "list")["deltas"]
    assert (listed["id"], listed["status"], listed["project"]) == (delta, "pending", "alice/survey")
    again = stack.qfc("deltas", "reapply", "--all")
    assert (len(again["jobs"]), again["deltas"]) == (1, [delta])
    (pending,) = stack.qfc("jobs", "list", "--status", "pending")["jobs"]
    assert (pending["id"], pending["type"]) == (again["jobs"][0], "delta_apply")
    assert stack.qfc("deltas", "show", delta)["content"]["uuid"] == delta
    (status,) = stack.qfc("projects", "list")["projects"]
    assert (status["owner"], status["name"]) == ("alice", "survey")
    shown = stack.qfc("projects", "status", "--project", "alice/survey")
    assert [one["id"] for one in shown["open_jobs"]] == again["jobs"]
    assert [one["id"] for one in shown["deltas"]] == [delta]


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_edits_are_chosen_by_what_they_have_in_common(stack: Stack, world: DatabaseWorld) -> None:
    project, other = world.project("survey"), world.project("other")
    layer = {"msg": 'No layer with id "trees"'}
    old = world.delta(project, "not_applied", made=3000, feedback=layer)
    young = world.delta(project, "not_applied", made=5, feedback=layer)
    world.delta(other, "conflict", made=9)
    listed = stack.qfc("deltas", "list", "--reason", "F02", "--older", "2d")
    assert ([one["id"] for one in listed["deltas"]], listed["is_cut"]) == ([old], False)
    assert listed["deltas"][0]["reason"] == layer["msg"]
    assert listed["deltas"][0]["fix"]
    summary = stack.qfc("deltas", "list", "--summary")
    assert [(group["name"][:3], group["count"]) for group in summary["groups"]] == [("F02", 2), ("F03", 1)]
    assert stack.qfc("deltas", "list", "--by", "nobody", "--group", "person")["groups"] == []
    package = world.job(project, made=60)
    again = stack.qfc("--yes", "deltas", "reapply", "--reason", "no layer", "--by", "ALICE")
    assert again["deltas"] == [old, young]
    waiting = [job["id"] for job in stack.qfc("sync", "queue")["jobs"]]
    assert waiting == [*again["jobs"], package]
    assert failure(stack, "deltas", "list", "--older", "soon")[0] == 2


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_packages_that_a_later_one_replaces_are_cancelled(stack: Stack, world: DatabaseWorld) -> None:
    project = world.project("survey")
    older, later = world.job(project, made=60), world.job(project, made=5)
    assert stack.qfc("jobs", "cleanup", "--older", "30m", "--dry-run")["superseded"] == [older]
    assert stack.qfc("--yes", "jobs", "cleanup", "--older", "30m", "--unlock")["superseded"] == [older]
    assert [stack.qfc("jobs", "show", job)["status"] for job in (older, later)] == ["stopped", "pending"]
    shown = typed(stack, "--yes", "jobs", "cleanup", "--older", "30m")
    assert (shown.returncode, "nothing to do" in shown.stdout) == (0, True)


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_exit_codes(stack: Stack, world: DatabaseWorld) -> None:
    project = world.project("survey")
    done, failed = world.job(project, "finished", ended=1), world.job(project, "failed", ended=1)
    assert failure(stack, "jobs", "show", "00000000-0000")[0] == 1
    assert failure(stack, "jobs", "retry")[0] == 2
    assert failure(stack, "jobs", "list", "--status", "odd")[0] == 2
    assert failure(stack, "sync", "recent", "--hours", "-3")[0] == 2
    assert failure(stack, "projects", "status", "alice/other")[0] == 1
    assert failure(stack, "jobs", "retry", "--all")[0] == 4
    refused = typed(stack, "--json", "jobs", "retry", done)
    assert refused.returncode == 4
    assert json.loads(refused.stdout)["refused"][0]["id"] == done
    assert typed(stack, "jobs", "retry", done, failed).returncode == 5


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_the_database(stack: Stack) -> None:
    status = stack.qfc("db", "status")
    assert status["unapplied_migrations"] == []
    assert status["version"]
    assert {"core_job", "core_delta"} <= {table["name"] for table in status["tables"]}
    assert stack.qfc("db", "migrate")["migrations"] == []
    shell = typed(stack, "db", "shell", "-tAc", "select 6 * 7")
    assert (shell.returncode, shell.stdout.strip()) == (0, "42")
    assert typed(stack, "db", "shell", "-c", "select nonsense").returncode == 1


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_what_was_done_is_audited(stack: Stack, world: DatabaseWorld) -> None:
    job = world.job(world.project("survey"), "failed", ended=1)
    stack.qfc("jobs", "retry", job)
    entries = stack.qfc("audit")["entries"]
    (entry,) = [entry for entry in entries if entry["target"] == job]
    assert (entry["command"], entry["result"]) == ("jobs retry", "1 job, 0 edits")


VIEWS = (
    "sync queue",
    "sync recent",
    "sync failed",
    "jobs list",
    "jobs show JOB",
    "deltas list",
    "deltas list --summary",
    "deltas list --group project --older 1s",
    "deltas show DELTA",
    "users list",
    "users quota alice",
    "projects list",
    "projects status alice/a-survey-with-quite-a-long-name-that-goes-on-and-on",
    "workers list",
    "db status",
)


@pytest.mark.parametrize("stack", HERE, indirect=True, scope="module")
def test_tables_fit_the_terminal(stack: Stack, world: DatabaseWorld) -> None:
    project = world.project("a-survey-with-quite-a-long-name-that-goes-on-and-on")
    feedback = {"error": "Worker timeout error. " * 9, "error_type": "TIMEOUT"}
    job = world.job(project, "failed", type="process_projectfile", started=2, ended=1, feedback=feedback)
    world.job(project, type="process_projectfile")
    delta = world.delta(project, "error", job=world.job(project, type="delta_apply"))
    for view in VIEWS:
        done = typed(stack, *view.replace("JOB", job).replace("DELTA", delta).split())
        assert done.returncode == 0, f"{view}: {done.stderr}"
        told = done.stdout.partition("\nFeedback")[0].partition("\nContent")[0]
        assert told.strip(), view
        assert max(map(len, told.splitlines())) <= 80, f"{view}:\n{told}"


def test_a_job_that_blocks_its_project_is_freed_with_its_edits(stack: Stack, world: DatabaseWorld) -> None:
    project = world.project("blocked")
    job = world.job(project, "queued", type="delta_apply", made=3000)
    delta = world.delta(project, "started", job=job, made=3000)
    behind = world.job(project, made=2000)
    (waits,) = [line for line in stack.qfc("sync", "queue")["jobs"] if line["id"] == behind]
    assert "whose worker is dead" in waits["why"]
    plan = stack.qfc("jobs", "cleanup", "--dry-run")
    assert (plan["requeued"], stack.qfc("jobs", "show", job)["status"]) == ([job], "queued")
    done = stack.qfc("--yes", "jobs", "cleanup", "--older", "15m")
    assert (done["examined"], done["requeued"], done["failed"]) == (1, [job], [])
    assert (done["deltas_reset"], done["projects_unblocked"]) == (1, [project])
    assert stack.qfc("jobs", "show", job)["status"] == "pending"
    assert stack.qfc("deltas", "show", delta)["status"] == "pending"
    assert stack.qfc("--yes", "jobs", "cleanup", "--older", "15m")["examined"] == 0
    shown = typed(stack, "--yes", "jobs", "cleanup", "--older", "1 year")
    assert (shown.returncode, "not a time span" in shown.stderr) == (2, True)
