"""`qfc sync diagnose` and `qfc doctor` on running stacks: no findings on a healthy stack, exact ones on others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from compose_world import ADMIN, as_stack
from qfc import config, wiring
from qfc.drivers.clock import SystemClock
from qfc.stack.waiting import wait_until
from queue_world import DatabaseWorld
from stack import Stack, running_stack

HERE = ["embedded", pytest.param("deployed_here", marks=pytest.mark.docker)]
KINDS = [*HERE, pytest.param("deployed_there", marks=pytest.mark.docker)]
#: Findings that the tests' deployments cause on purpose: their certificate is self-signed.
EXPECTED = {"embedded": set[str](), "deployed_here": {"B09"}, "deployed_there": {"B09"}}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stack(kind: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    if kind == "embedded":
        with running_stack(workers=1) as running:
            running.qfc("users", "create", ADMIN, "--superuser", "--generate")
            yield running
        return
    with as_stack(request.getfixturevalue(kind)) as running:
        # Other files share the deployment, and may just have recreated its services.
        assert wait_until(SystemClock(), lambda: asked(running, "health")[0] == 0, limit_s=180, poll_s=1)
        yield running


def asked(stack: Stack, *arguments: str) -> tuple[int, dict[str, Any]]:
    argv = [sys.executable, "-m", "qfc", "--json", "--yes", *arguments]
    done = subprocess.run(argv, env=stack.environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def found(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings except about slowness, because other tests run at the same time."""
    return [one for one in made["findings"] if not (one["result"] == "skipped" and "longer than" in one["evidence"])]


def test_a_healthy_stack_is_ready_and_proves_it(stack: Stack) -> None:
    code, made = asked(stack, "sync", "diagnose")
    assert (code, made["ready"], found(made)) == (0, True, []), made["findings"]
    assert made["checked"][-1] == "proof"
    names = [one["name"] for one in stack.qfc("projects", "list")["projects"]]
    assert not [name for name in names if name.startswith("qfc-probe")]


@pytest.mark.parametrize("kind", HERE, indirect=True, scope="module")
def test_the_doctor_tells_what_is_known_of_the_settings(stack: Stack, kind: str) -> None:
    _, made = asked(stack, "doctor", "--no-proof")
    assert {one["id"] for one in found(made)} == EXPECTED[kind], made["findings"]


def test_drained_workers_are_told_of_and_left_alone(stack: Stack) -> None:
    stack.qfc("workers", "drain")
    code, made = asked(stack, "sync", "diagnose", "--fix", "--no-proof")
    assert (code, [one["id"] for one in found(made)]) == (0, ["D11-drained"])
    stack.qfc("workers", "restart")


def test_missing_workers_are_found_and_started(stack: Stack) -> None:
    ports = wiring.wire(config.load(stack.environment).stack())
    ports.runtime.stop(["worker_wrapper"])
    ports.close()
    code, made = asked(stack, "sync", "diagnose", "--no-proof")
    assert (code, [one["id"] for one in found(made)]) == (1, ["D11"])
    planned, _ = asked(stack, "--dry-run", "sync", "diagnose", "--fix", "--no-proof")
    assert planned == 1
    code, made = asked(stack, "sync", "diagnose", "--fix")
    assert (code, made["ready"]) == (0, True), made["findings"]
    assert [(one["id"], one["result"]) for one in found(made)] == [("D11", "fixed")]


@pytest.mark.parametrize("kind", HERE, indirect=True, scope="module")
def test_a_blocked_project_is_found_and_freed_with_its_edit(stack: Stack) -> None:
    stack.qfc("workers", "drain")
    world = DatabaseWorld(stack.database)
    try:
        project = world.project("blocked")
        job = world.job(project, "queued", type="delta_apply", made=60)
        delta = world.delta(project, "started", job=job)
        _, made = asked(stack, "sync", "diagnose", "--no-proof")
        assert {one["id"] for one in found(made)} == {"D07", "D11-drained"}
        (finding,) = [one for one in made["findings"] if one["id"] == "D07"]
        assert (finding["auto"], "alice/blocked" in finding["evidence"]) == ("safe", True)
        stack.qfc("jobs", "cleanup", "--older", "5m")
        _, made = asked(stack, "sync", "diagnose", "--no-proof")
        assert "D07" not in {one["id"] for one in made["findings"]}
        assert world.store.job(job).status == "pending"
        assert world.store.delta(delta).status == "pending"
    finally:
        world.execute("delete from core_applyjobdelta")
        world.execute("delete from core_applyjob")
        world.execute("delete from core_delta")
        world.execute("delete from core_job where project_id in (select id from core_project where name = 'blocked')")
        world.execute("delete from core_project where name = 'blocked'")
        world.close()
        stack.qfc("workers", "restart")
