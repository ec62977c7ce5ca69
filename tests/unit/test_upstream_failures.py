"""Failure modes of a real deployment: each is reproduced with its rows, log lines and answers, found and explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from checks_world import found, healthy, the
from qfc.errors import UnreachableError
from qfc.stack.findings import Result
from qfc.stack.model import ApiRequest, LogLine
from queue_world import MemoryWorld
from twins import MemoryPorts
from twins.records import MemoryApi

Make = Callable[[MemoryPorts, MemoryWorld], None]
STATUS = "/api/v1/status/"
DATABASE = {"error": "HTTP 500", "error_type": "API_INTERNAL_SERVER_ERROR", "container_exit_code": 0}


def workers_stopped(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(a) Jobs stay pending, and nothing in the API shows it."""
    ports.runtime.stop(["worker_wrapper"])
    world.job(world.project("waits"), made=2)


def worker_killed(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(b) The row stays started, the project busy; later jobs are blocked."""
    project = world.project("busy")
    job = world.job(project, "started", type="delta_apply", made=90, started=80)
    world.delta(project, "started", job=job)
    world.job(project, made=5)
    ports.jobs.worker_rows.clear()


def ended_by_cron(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(b), ten minutes later: the job has failed, the edit is in error without a message, but may be in the data."""
    project = world.project("surveyed")
    feedback = {"error": "Job unexpectedly terminated.", "error_origin": "worker_wrapper", "container_exit_code": -2}
    world.job(project, "failed", type="delta_apply", started=20, ended=9, feedback=feedback)
    delta = world.delta(project, "error")
    ports.jobs.delta_rows[delta] = replace(ports.jobs.delta_rows[delta], feedback=None)


def image_missing(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(c) A project becomes failed although nothing is wrong with it."""
    ports.deployment.site.env += "QFIELDCLOUD_QGIS_IMAGE_NAME=gone-qgis\n"
    project = world.project("innocent")
    ports.directory.project_rows[project] = replace(ports.directory.project_rows[project], status="failed")
    feedback = {
        "error": '404 Client Error: Not Found ("No such image: gone-qgis:latest")',
        "error_origin": "worker_wrapper",
    }
    world.job(project, "failed", type="process_projectfile", started=5, ended=4, feedback=feedback)


def database_stopped(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(d) Anonymous requests for the status get the answer ok."""
    del world

    def away() -> None:
        raise UnreachableError("The database does not answer.")

    ports.directory.database = away  # pyright: ignore[reportAttributeAccessIssue]


def store_away(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(e) The status reports it with 200; jobs fail because of the API, edits are not retried."""
    ports.api.answers[STATUS] = (200, b'{"geodb": "ok", "storage": "error"}')
    project = world.project("surveyed")
    world.job(project, "failed", type="delta_apply", started=5, ended=4, feedback=DATABASE)
    delta = world.delta(project, "error")
    ports.jobs.delta_rows[delta] = replace(ports.jobs.delta_rows[delta], feedback=None)


def foreign_origin(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(f) A proxy that changes Host or drops the port locks all users out of the admin."""
    del world
    ports.api.answers["/admin/login/"] = (200, b"<form method=post>")
    ports.api.headers["/admin/login/"] = {"set-cookie": "csrftoken=abc"}
    ports.api.handler = lambda _: (403, b"CSRF verification failed. Request aborted.")


def queued_for_ever(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(g) No periodic task and no worker ever returns to it."""
    del ports
    project = world.project("blocked")
    world.job(project, "queued", made=40)
    world.job(project, made=20)


def no_socket(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(h) The worker ends before it claims any job."""
    del world
    said = "docker.errors.DockerException: Error while fetching server API version: ('Connection aborted.')"
    ports.runtime.lines.append(LogLine("worker_wrapper", "w", ports.clock.now(), "ERROR", said))


def killed_container(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(j) Out of memory and cancelled look the same."""
    del ports
    feedback = {"error": "Docker engine sigkill.", "error_type": "DOCKER_ENGINE_SIGKILL", "container_exit_code": 137}
    world.job(world.project("big"), "failed", type="package", started=5, ended=4, feedback=feedback)


def timed_out(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(l) The job reached its limit."""
    del ports
    feedback = {"error": "Worker timeout error.", "error_type": "TIMEOUT", "container_exit_code": -1}
    world.job(world.project("slow"), "failed", type="package", started=15, ended=4, feedback=feedback)


def past_nginx(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(m) Without debug mode every job fails."""
    ports.deployment.site.env += "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://app:8000/api/v1/\n"
    error = 'Requested "http://app:8000/api/v1/files/x" and got "500 Internal Server Error"'
    feedback = {"error": error, "error_type": "API_INTERNAL_SERVER_ERROR"}
    world.job(world.project("any"), "failed", type="package", started=5, ended=4, feedback=feedback)


def cache_stopped(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(n) A healthy worker claims every job and fails it."""
    feedback = {"error": "[Errno -2] Name or service not known", "error_origin": "worker_wrapper"}
    world.job(world.project("any"), "failed", type="package", started=5, ended=4, feedback=feedback)
    ports.api.answers[STATUS] = (500, b'{"code": "unknown_error"}')


def another_address(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(o) The application was recreated, and nginx uses its stale address."""
    del world

    class OfNginx(MemoryApi):
        def __init__(self) -> None:
            super().__init__({}, self._answer)

        def _answer(self, request: ApiRequest) -> tuple[int, bytes]:
            del request
            restarted = any(line.service == "nginx" and line.text == "stopped" for line in ports.runtime.lines)
            return (200 if restarted else 502), b"{}"

    ports.deployment.routes = {"nginx": OfNginx(), "app": MemoryApi({}, lambda _: (200, b"{}"))}


def recycled(ports: MemoryPorts, world: MemoryWorld) -> None:
    """(p) A single 502 per restart of the application's process is not a fault."""
    del world
    for _ in range(270):
        ports.runtime.lines.append(LogLine("nginx", "n", ports.clock.now(), "INFO", "GET 200 /api/v1/projects/ 0.1 s"))
    ports.runtime.lines.append(LogLine("nginx", "n", ports.clock.now(), "ERROR", "GET 502 /api/v1/projects/ 0.1 s"))


#: By mode: how it is reproduced, and its findings.
MODES: Mapping[str, tuple[Make, set[str]]] = {
    "a": (workers_stopped, {"D11"}),
    "b": (worker_killed, {"D08"}),
    "b-cron": (ended_by_cron, {"F09", "D08-jobs"}),
    "c": (image_missing, {"D02", "D02-jobs", "E09"}),
    "d": (database_stopped, {"D12-away"}),
    "e": (store_away, {"A17", "B06-jobs", "F09"}),
    "f": (foreign_origin, {"B01"}),
    "g": (queued_for_ever, {"D07"}),
    "h": (no_socket, {"D13-log"}),
    "j": (killed_container, {"D05-jobs"}),
    "l": (timed_out, {"D04-jobs"}),
    "m": (past_nginx, {"B06-jobs"}),
    "n": (cache_stopped, {"A11-jobs", "A17"}),
    "o": (another_address, {"B14-nginx", "B03-door"}),
    "p": (recycled, set()),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_failure_of_a_real_deployment_is_found_and_explained(mode: str) -> None:
    ports, world = healthy("compose")
    make, expected = MODES[mode]
    make(ports, world)
    made = found(ports)
    assert expected <= {one.id for one in made.findings if one.result is Result.FOUND}
    assert all(one.evidence and one.fix for one in made.findings)
    if not expected:
        assert made.findings == ()


def test_what_the_cron_left_of_an_edit_is_never_applied_again_by_itself() -> None:
    ports, world = healthy("compose")
    ended_by_cron(ports, world)
    assert the(found(ports, fix=True), "F09").result is Result.FAILED


def test_nginx_finds_the_application_again_after_the_repair() -> None:
    ports, world = healthy("compose")
    another_address(ports, world)
    assert the(found(ports, fix=True), "B14-nginx").result is Result.FIXED
    ports.clock.moment += timedelta(minutes=1)
    assert found(ports).findings == ()
